"""What is known about a message after its acceptance, from QueryMessage or from a delivery receipt.

Source: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2018-05-01-querymessage and
https://help.aliyun.com/zh/sms/smsreport-http-intl: all fields are strings; `Status` is 1 (delivered), 2 (failed), 3
(sending, queries only) or 6 (expired, receipts only); dates are RFC 2822 with an offset.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import polars as pl

from globe_sms.tasks.vocabulary.statuses import DELIVERIES, FINAL_DELIVERIES, Delivery


class Origin(StrEnum):
    """Who said so."""

    QUERY = "query"
    RECEIPT = "receipt"


_INSTANT: Final = pl.Datetime("us", "UTC")
STATE_SCHEMA: Final = pl.Schema(
    {
        "message_id": pl.String(),
        "phone_number": pl.String(),  # E.164 with its plus sign
        "task_id": pl.String(),  # of the call, where it is known
        "delivery": pl.Enum(DELIVERIES),
        "delivery_code": pl.String(),
        "delivered_at": _INSTANT,  # when the end came, also of what was not delivered
        "submitted_at": _INSTANT,
        "parts": pl.UInt16(),
        "carrier": pl.String(),
        "origin": pl.Enum([origin.value for origin in Origin]),
        "seen_at": _INSTANT,
    }
)
_OF_STATUS: Final = {
    "1": Delivery.DELIVERED,
    "2": Delivery.UNDELIVERED,
    "3": Delivery.PENDING,
    "6": Delivery.EXPIRED,
}
_MOST_PARTS: Final = 65_535


def state_of(fields: Mapping[str, Any], origin: Origin, seen_at: datetime) -> dict[str, Any]:
    """Read one QueryMessage answer or one delivery receipt: a row of `STATE_SCHEMA`.

    Fields may be strings or numbers. A date or a number of parts that cannot be read is null: what counts is whose
    message it is and what became of it.

    Raises:
        ValueError: `To`, `MessageId` or `Status` is missing or unreadable; it names the field, never its value.
    """
    number = _text(fields, "To").lstrip("+")
    if not (number.isascii() and number.isdigit()):
        raise ValueError("To is no phone number")
    message_id = _text(fields, "MessageId")
    if not message_id:
        raise ValueError("MessageId is missing")
    delivery = _OF_STATUS.get(_text(fields, "Status"))
    if delivery is None:
        raise ValueError("Status is none of 1, 2, 3 and 6")
    is_final = delivery in FINAL_DELIVERIES
    detail = fields.get("NumberDetail")
    return {
        "message_id": message_id,
        "phone_number": f"+{number}",
        "task_id": _text(fields, "TaskId") or None,
        "delivery": delivery.value,
        "delivery_code": (_text(fields, "ErrorCode") or None) if is_final else None,
        "delivered_at": _instant(_text(fields, "ReceiveDate")) if is_final else None,
        "submitted_at": _instant(_text(fields, "SendDate")),
        "parts": _parts(_text(fields, "SmsSize")),
        "carrier": (_text(detail, "Carrier") or None) if isinstance(detail, Mapping) else None,
        "origin": origin.value,
        "seen_at": seen_at,
    }


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _instant(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _parts(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MOST_PARTS else None
