"""The state of a message after the gateway accepted it, from QueryMessage or a delivery receipt.

Source: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2018-05-01-querymessage and
https://help.aliyun.com/zh/sms/smsreport-http-intl: all fields are strings; `Status` is 1 (delivered), 2 (failed), 3
(sending, queries only) or 6 (expired, receipts only); dates are RFC 2822 with an offset. GlobeSmsReport's dates are
`2017-06-01 10:00:00`, without one: they are Beijing's.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import MARK
from globe_sms.tasks.delivery.receipt_codes import look_up
from globe_sms.tasks.vocabulary.statuses import DELIVERIES, FINAL_DELIVERIES, Delivery


class Origin(StrEnum):
    """Where a state comes from."""

    QUERY = "query"
    RECEIPT = "receipt"


_INSTANT: Final = pl.Datetime("us", "UTC")
STATE_SCHEMA: Final = pl.Schema(
    {
        "message_id": pl.String(),
        "phone_number": pl.String(),  # E.164 with its plus sign, or its hash
        "task_id": pl.String(),  # of the call, if known
        "delivery": pl.Enum(DELIVERIES),
        "delivery_code": pl.String(),
        "delivered_at": _INSTANT,  # when the state became final, even if the message wasn't delivered
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
_BEIJING: Final = timezone(timedelta(hours=8))


def state_of(fields: Mapping[str, Any], origin: Origin, seen_at: datetime) -> dict[str, Any]:
    """Read one QueryMessage answer or one delivery receipt: a row of `STATE_SCHEMA`.

    A code that isn't final leaves the message pending, whatever its status. Fields may be strings or numbers. A date or
    a number of parts that can't be read is null: only the number, the message id and the status are required.

    Raises:
        ValueError: `To`, `MessageId` or `Status` is missing or can't be read; it names the field, never its value.
    """
    number = _text(fields, "To").lstrip("+")
    if not (number.isascii() and (number.isdigit() or number.startswith(MARK))):
        raise ValueError("To is not a phone number")
    message_id = _text(fields, "MessageId")
    if not message_id:
        raise ValueError("MessageId is missing")
    delivery = _OF_STATUS.get(_text(fields, "Status"))
    if delivery is None:
        raise ValueError("Status is not 1, 2, 3 or 6")
    code = _text(fields, "ErrorCode") or None
    known = look_up(code)
    if known is not None and not known.final:
        delivery = Delivery.PENDING
    is_final = delivery in FINAL_DELIVERIES
    detail = fields.get("NumberDetail")
    return {
        "message_id": message_id,
        "phone_number": number if number.startswith(MARK) else f"+{number}",
        "task_id": _text(fields, "TaskId") or None,
        "delivery": delivery.value,
        "delivery_code": code if is_final else None,
        "delivered_at": instant_in(_text(fields, "ReceiveDate")) if is_final else None,
        "submitted_at": instant_in(_text(fields, "SendDate")),
        "parts": _parts(_text(fields, "SmsSize")),
        "carrier": (_text(detail, "Carrier") or None) if isinstance(detail, Mapping) else None,
        "origin": origin.value,
        "seen_at": seen_at,
    }


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def instant_in(text: str) -> datetime | None:
    """Return the time that a date of Alibaba's says: RFC 2822, or ISO and Beijing's; None if it can't be read."""
    try:
        found = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        return (found.replace(tzinfo=_BEIJING) if found.tzinfo is None else found).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _parts(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MOST_PARTS else None
