"""The shapes in which Alibaba writes delivery receipts, and the wrappings that they come in.

| shape | source |
| --- | --- |
| `To`, `Status`, `MessageId`, `SendDate`, perhaps `TaskId` | https://help.aliyun.com/zh/sms/smsreport-http-intl, /smsreport-mns-intl |
| `to`, `status`, `message_id`, `send_date`, never a TaskId | GlobeSmsReport: https://help.aliyun.com/zh/sms/globesmsreport |
| `phone_number`, `content`, `send_time`: a reply | SmsUp: https://help.aliyun.com/zh/sms/developer-reference/smsup-http |
| `phone_number`, `biz_id`, `success`: of a message within mainland China | https://help.aliyun.com/en/sms/developer-reference/smsreport |

Which account gets which shape isn't documented, so all are told apart by their fields. A message queue gives each message
in base64, and what consumes it may have stored the queue's own answer around it.
"""  # noqa: E501  # addresses in a table

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn, cast

_WRAPPERS: Final = ("MessageBody", "message_body", "Message", "arg")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]{8,}={0,2}")
_DEEPEST: Final = 4
_WRITTEN_AROUND: Final = re.compile(r"[\s().+-]")
_NAMES: Final = (
    "To",
    "Status",
    "MessageId",
    "TaskId",
    "SendDate",
    "ReceiveDate",
    "ErrorCode",
    "ErrorDescription",
    "SmsSize",
    "NumberDetail",
)
_OF_RECEIPTS: Final[Mapping[str, str]] = {name.lower(): name for name in _NAMES}


class Kind(StrEnum):
    """What an object that was pushed is."""

    RECEIPT = "receipt"
    REPLY = "reply"
    DOMESTIC = "domestic"  # the receipt of a message within mainland China
    OTHER = "other"


def kind_of(fields: Mapping[str, Any]) -> Kind:
    """Tell what an object is by its fields; the names of a receipt's fields are those that `named` returns."""
    if "MessageId" in fields:
        return Kind.RECEIPT
    if "content" in fields and "biz_id" not in fields:
        return Kind.REPLY
    return Kind.DOMESTIC if "biz_id" in fields or "phone_number" in fields else Kind.OTHER


def digits_of(number: object) -> str:
    """Return a number's digits, its country code first, without what may be written around them. A hash stays."""
    return _WRITTEN_AROUND.sub("", str(number)).removeprefix("00")


def named(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a receipt with the field names of the first shape, whatever shape it has; others as they are."""
    if "MessageId" in fields and "To" in fields:
        return fields
    found = {_OF_RECEIPTS.get(name.replace("_", "").lower()): value for name, value in fields.items()}
    if "MessageId" not in found:
        return fields
    return {name: value for name, value in found.items() if name is not None}


def unwrapped(fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in a queue's answer, or an object that isn't wrapped, with the names that `named` gives."""
    yield from _unwrapped(fields, _DEEPEST)


def _unwrapped(fields: Mapping[str, Any], deepest: int) -> Iterator[Mapping[str, Any]]:
    receipt = named(fields)
    if deepest and (kind_of(receipt) is Kind.OTHER or _is_queue_answer(fields)):
        for name in _WRAPPERS:
            inner = fields.get(name)
            objects = objects_in(inner) if isinstance(inner, str | dict | list) else None
            if objects:
                for each in objects:
                    yield from _unwrapped(each, deepest - 1)
                return
    yield receipt


def _is_queue_answer(fields: Mapping[str, Any]) -> bool:
    """Whether it is a queue's answer about one message, which has a MessageId of its own."""
    return "To" not in fields and any(name in fields for name in _WRAPPERS)


def objects_in(value: Any) -> list[dict[str, Any]] | None:
    """Return the objects of a JSON value: one, an array of them, or text (JSON or base64) with either; else None."""
    if isinstance(value, dict):
        return [cast("dict[str, Any]", value)]
    if isinstance(value, str):
        inner = text_in(value)
        return None if inner is None else objects_in(inner)
    if not isinstance(value, list):
        return None
    found: list[dict[str, Any]] = []
    for each in cast("list[Any]", value):
        objects = objects_in(each) if isinstance(each, dict | str) else None
        if objects is None:
            return None
        found += objects
    return found


def text_in(text: str) -> dict[str, Any] | list[Any] | None:
    """Return the object or array that a text holds as JSON, in base64 or as it is; None if it doesn't."""
    stripped = text.strip()
    if stripped[:1] not in {"{", "["}:
        if not _BASE64.fullmatch(stripped):
            return None
        try:
            stripped = base64.b64decode(stripped, validate=False).decode("utf-8-sig").strip()
        except (binascii.Error, UnicodeDecodeError):
            return None
    try:
        value = json.loads(stripped, parse_float=str, parse_constant=_no_number) if stripped[:1] in {"{", "["} else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} isn't JSON")
