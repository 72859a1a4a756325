"""The backend's checks of a batch, in the strictest reading of the documentation.

Stricter than documented: Type is required; the limit of 11 characters applies to mixed sender IDs too; TaskId allows
letters, digits, `-` and `_`; no number may appear twice in To; as many texts as numbers; no blank text; 1,500 UTF-16
units per text (an emoji counts as two); a ValidityPeriod has the range of the console's default, 1 to 14,400 seconds;
unknown and empty parameters are refused; one number in mainland China or the United States refuses the whole call.
Laxer: a number only needs a possible length for its country.
Source: Alibaba Cloud, BatchSendMessageToGlobe of version 2018-05-01 (doc-detail/160520 and its current form).
"""

import json
import re
from dataclasses import dataclass
from typing import NoReturn, cast

from globe_sms.deployments.sandbox.gateway.refusals import RefusedError, business_refusal, gateway_refusal, missing
from globe_sms.deployments.sandbox.gateway.settings import Account
from globe_sms.deployments.sandbox.gateway.unsupported_countries import Destination, all_served, destination

MESSAGE_UNITS = 1_500
_TYPES = {"NOTIFY", "MKT", "OTP", "GENERAL"}
_OPTIONAL = {"From", "TaskId", "ValidityPeriod", "ChannelId"}
_REQUIRED = ("To", "Message", "Type")
_SENDER_ID = re.compile(r"[A-Za-z0-9]{1,11}|[0-9]{1,15}", re.ASCII)
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_VALIDITY = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_VALIDITY_MAX = 14_400
_NUMBER = re.compile(r"[1-9][0-9]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Batch:
    """A call's valid content; `impossible` has the `numbers` that can't exist. `validity` is in seconds."""

    numbers: list[str]
    messages: list[str]
    sender: str
    task_id: str
    impossible: frozenset[str]
    validity: int | None = None


def check(parameters: dict[str, str], account: Account) -> Batch:
    """Check a call's parameters against the documentation and the account's limits.

    Raises:
        RefusedError: with the code of the first broken rule.
    """
    _check_names(parameters)
    _check_labels(parameters, account)
    numbers, messages = _strings(parameters["To"], "To"), _strings(parameters["Message"], "Message")
    if len(numbers) > account.numbers_per_call:
        _refuse("MOBILE_COUNT_OVER_LIMIT", f"{len(numbers)} numbers, {account.numbers_per_call} are allowed")
    if len(messages) != len(numbers):
        _refuse("INVALID_PARAMETERS", f"{len(numbers)} numbers, {len(messages)} messages")
    _check_messages(messages)
    return Batch(
        numbers,
        messages,
        sender=parameters.get("From", ""),
        task_id=parameters.get("TaskId", ""),
        impossible=_check_numbers(numbers),
        validity=int(parameters["ValidityPeriod"]) if "ValidityPeriod" in parameters else None,
    )


def _check_names(parameters: dict[str, str]) -> None:
    for name in _REQUIRED:
        if name not in parameters:
            raise RefusedError(missing(name))
    for name, value in parameters.items():
        if name not in _OPTIONAL and name not in _REQUIRED:
            raise RefusedError(gateway_refusal("InvalidParameter", f"{name[:40]!r} is not known."))
        if not value and name not in {"To", "Message"}:
            _refuse("INVALID_PARAMETERS", f"{name} is empty")
    if parameters["Type"] not in _TYPES:
        _refuse("INVALID_PARAMETERS", "Type is none of OTP, NOTIFY, MKT, GENERAL")


def _check_labels(parameters: dict[str, str], account: Account) -> None:
    sender, task_id = parameters.get("From", ""), parameters.get("TaskId", "")
    if sender and (
        not _SENDER_ID.fullmatch(sender) or (account.sender_ids is not None and sender not in account.sender_ids)
    ):
        _refuse("INVALID_SENDERID")
    if task_id and not _TASK_ID.fullmatch(task_id):
        _refuse("INVALID_PARAMETERS", "TaskId must be 1 to 255 of A-Z a-z 0-9 _ -")
    validity = parameters.get("ValidityPeriod", "600")
    if not _VALIDITY.fullmatch(validity) or int(validity) > _VALIDITY_MAX:
        _refuse("INVALID_PARAMETERS", f"ValidityPeriod must be 1 to {_VALIDITY_MAX} seconds")


def _strings(text: str, name: str) -> list[str]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or not value:
        _refuse("INVALID_JSON_PARAM", f"{name} is not a JSON array or is empty")
    entries = cast("list[object]", value)
    if set(map(type, entries)) != {str}:
        _refuse("INVALID_PARAMETERS", f"{name} contains something other than strings")
    return cast("list[str]", entries)


def _check_messages(messages: list[str]) -> None:
    for text in set(messages):
        if not text.strip():
            _refuse("INVALID_PARAMETERS", "a message is blank")
        try:
            units = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
        except UnicodeEncodeError:
            _refuse("INVALID_PARAMETERS", "a message is not Unicode text")
        if units > MESSAGE_UNITS:
            _refuse("PARAM_LENGTH_LIMIT", f"a message has {units} characters, {MESSAGE_UNITS} are allowed")


def _check_numbers(numbers: list[str]) -> frozenset[str]:
    if not all(map(_NUMBER.fullmatch, numbers)):
        malformed = sum(1 for number in numbers if not _NUMBER.fullmatch(number))
        _refuse("MOBILE_NUMBER_ILLEGAL", f"{malformed} numbers are not digits that begin with a country code")
    if len(set(numbers)) != len(numbers):
        _refuse("INVALID_PARAMETERS", "a number stands twice in To")
    if all_served(numbers):
        return frozenset()
    places = {number: place for number in numbers if (place := destination(number)) is not Destination.SERVED}
    unserved = sum(1 for place in places.values() if place is not Destination.IMPOSSIBLE)
    if unserved:
        _refuse("NOT_SUPPORTED_COUNTRY", f"{unserved} numbers in China mainland or the United States")
    return frozenset(places)


def _refuse(code: str, detail: str = "") -> NoReturn:
    raise RefusedError(business_refusal(code, detail))
