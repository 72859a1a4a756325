"""What the code of a delivery receipt means: one table, a line each.

A code that isn't here is a carrier's own, or Alibaba's without a public description: it's shown as it came and never
counts as permanent, so nobody is left out for a code that nobody has explained.

Sources: SMPP is "Short Message Peer-to-Peer Protocol Specification", v3.4, 5.2.28 and v5.0, 4.7.15 (message_state);
https://help.aliyun.com/en/sms/developer-reference/error-codes says that receipts use its states. The others are named
beside their code. Alibaba's own table of receipt codes wasn't available in full, and neither were more codes with SP_.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from globe_sms.tasks.gateway.response_codes import TABLE as API_TABLE
from globe_sms.tasks.vocabulary.statuses import Delivery


class Fault(StrEnum):
    """Whose fault it is that a message wasn't delivered."""

    NOBODY = "nobody's"
    NUMBER = "the number's"
    PHONE = "the phone's"
    CARRIER = "the carrier's"
    SENDER = "the sender's"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class ReceiptCode:
    """One code.

    Attributes:
        code: as Alibaba writes it; capitals don't matter, and a trailing `*` matches any ending.
        final: whether the message's state can't change any more.
        permanent: whether the number can't get any text: another one is most likely wasted.
        fault: whose fault it is.
        advice: what it means and what to do.
        source: where its meaning is described.
    """

    code: str
    final: bool
    permanent: bool
    fault: Fault
    advice: str
    source: str


_SMPP: Final = "SMPP"
_REPORT: Final = "https://help.aliyun.com/zh/sms/globesmsreport"
_HTTP: Final = "https://help.aliyun.com/zh/sms/smsreport-http-intl"
_QUERY: Final = "https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2018-05-01-querymessage"
_MNS: Final = "https://www.alibabacloud.com/help/doc-detail/162962.htm"
_API: Final = "https://help.aliyun.com/zh/sms/error-code-intl"
_REACHED: Final = "The text reached the phone."
_ON_ITS_WAY: Final = "The carrier is still trying."

TABLE: Final[tuple[ReceiptCode, ...]] = (
    ReceiptCode("DELIVERED", True, False, Fault.NOBODY, _REACHED, _QUERY),
    ReceiptCode("DELIVRD", True, False, Fault.NOBODY, _REACHED, _SMPP),
    ReceiptCode("success", True, False, Fault.NOBODY, _REACHED, _HTTP),
    ReceiptCode("ENROUTE", False, False, Fault.NOBODY, _ON_ITS_WAY, _SMPP),
    ReceiptCode("SCHEDULED", False, False, Fault.NOBODY, _ON_ITS_WAY, _SMPP),
    ReceiptCode(
        "UNDELIV",
        True,
        True,
        Fault.NUMBER,
        "The carrier can't deliver to this number: it isn't in use, or takes no texts. Leave it out "
        "(--exclude-undelivered).",
        _SMPP,
    ),
    ReceiptCode(
        "EXPIRED",
        True,
        False,
        Fault.PHONE,
        "The phone was off or out of reach for as long as the text was valid. Try at another time of day.",
        _SMPP,
    ),
    ReceiptCode(
        "REJECTD",
        True,
        False,
        Fault.SENDER,
        "The carrier rejected the text, for its sender ID or its content. Register the sender ID for this country, and "
        "ask Alibaba about the content.",
        _SMPP,
    ),
    ReceiptCode(
        "DELETED",
        True,
        False,
        Fault.CARRIER,
        "The carrier deleted the text before it was delivered. If it's many, ask Alibaba.",
        _SMPP,
    ),
    ReceiptCode(
        "ACCEPTD",
        True,
        False,
        Fault.CARRIER,
        "The carrier took the text without delivering it to the phone. If it's many, ask Alibaba.",
        _SMPP,
    ),
    ReceiptCode("SKIPPED", True, False, Fault.CARRIER, "The carrier took the text and skipped it: ask Alibaba.", _SMPP),
    ReceiptCode(
        "UNKNOWN",
        True,
        False,
        Fault.UNKNOWN,
        "The carrier doesn't know what happened to the text. Try again another day.",
        _SMPP,
    ),
    ReceiptCode("UNKNOW", True, False, Fault.UNKNOWN, "An unknown error: ask Alibaba, and give a MessageId.", _MNS),
    ReceiptCode(
        "SP_UNKNOW_ERROR",
        True,
        False,
        Fault.CARRIER,
        "The carrier had an unknown error. Try again later; if it's many, ask Alibaba.",
        _REPORT,
    ),
    ReceiptCode(
        "SP_*",
        True,
        False,
        Fault.CARRIER,
        "Alibaba's code for an answer of the carrier: ask Alibaba, and give a MessageId.",
        _REPORT,
    ),
    ReceiptCode(
        "MOBILE_NUMBER_ILLEGAL",
        True,
        True,
        Fault.NUMBER,
        "The number's format is wrong, so no text reaches it. Correct or remove it.",
        _API,
    ),
)
_BY_CODE: Final = {row.code.upper(): row for row in TABLE}
_BY_START: Final = tuple((row.code.upper()[:-1], row) for row in TABLE if row.code.endswith("*"))
_PERMANENT: Final = tuple(code for code, row in _BY_CODE.items() if row.permanent)
_BY_DELIVERY: Final = {
    Delivery.DELIVERED: _REACHED,
    Delivery.UNDELIVERED: "The carrier refused the text or couldn't deliver it.",
    Delivery.EXPIRED: "The text expired before it could be delivered: the phone was off or out of reach.",
    Delivery.PENDING: "The final state isn't known yet.",
}
_OF_THE_API: Final = {row.code: row.advice for row in API_TABLE}
_UNDOCUMENTED: Final = "The code isn't documented: ask Alibaba, and give a MessageId."


def look_up(code: str | None) -> ReceiptCode | None:
    """Return the table's line for a code; None if it isn't there."""
    if code is None:
        return None
    upper = code.strip().upper()
    return _BY_CODE.get(upper) or next((row for start, row in _BY_START if upper.startswith(start)), None)


def is_permanent_failure() -> pl.Expr:
    """Return whether the columns `delivery` and `delivery_code` say that the number can't get any text."""
    undelivered = pl.col("delivery").cast(pl.String) == Delivery.UNDELIVERED
    return undelivered & pl.col("delivery_code").str.strip_chars().str.to_uppercase().is_in(_PERMANENT)


def meaning(delivery: Delivery, code: str | None) -> str:
    """Return what a delivery and its code mean, in one or two sentences."""
    said = _BY_DELIVERY[delivery]
    found = look_up(code)
    if code is None or (found is not None and found.fault is Fault.NOBODY):
        return said
    if found is not None:
        return found.advice
    if code in _OF_THE_API:
        return f"{said} The sending API has a code with this name: {_OF_THE_API[code]}"
    return said if delivery is Delivery.DELIVERED else f"{said} {_UNDOCUMENTED}"
