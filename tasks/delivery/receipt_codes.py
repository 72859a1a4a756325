"""What the code of a delivery receipt means, as far as it is documented.

Source: the examples of https://help.aliyun.com/zh/sms/smsreport-http-intl (`success`) and of QueryMessage
(`DELIVERED`). The table of receipt codes itself is not among the pages that this was written from, and carriers have
codes of their own: what is not here is shown as it came.
"""

from typing import Final

from globe_sms.tasks.gateway.response_codes import TABLE
from globe_sms.tasks.vocabulary.statuses import Delivery

_DOCUMENTED: Final = {
    "DELIVERED": "The text reached the phone.",
    "SUCCESS": "The text reached the phone.",
}
_BY_DELIVERY: Final = {
    Delivery.DELIVERED: "The text reached the phone.",
    Delivery.UNDELIVERED: "The carrier refused the text or could not deliver it.",
    Delivery.EXPIRED: "The text was not delivered before its time was up: the phone was off or out of reach.",
    Delivery.PENDING: "Nothing final is known yet.",
}
_OF_THE_API: Final = {row.code: row.advice for row in TABLE}
_UNDOCUMENTED: Final = "Alibaba's documents that this was written from do not explain the code: ask with a MessageId."


def meaning(delivery: Delivery, code: str | None) -> str:
    """Say what a delivery and its code mean, in one sentence or two."""
    said = _BY_DELIVERY[delivery]
    if code is None:
        return said
    if code.upper() in _DOCUMENTED:
        return _DOCUMENTED[code.upper()] if delivery is Delivery.DELIVERED else said
    if code in _OF_THE_API:
        return f"{said} The sending API has a code of this name: {_OF_THE_API[code]}"
    return said if delivery is Delivery.DELIVERED else f"{said} {_UNDOCUMENTED}"
