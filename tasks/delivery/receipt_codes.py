"""What the code of a delivery receipt means, as far as it is documented.

Source: the examples in https://help.aliyun.com/zh/sms/smsreport-http-intl (`success`) and of QueryMessage
(`DELIVERED`). Those pages don't include the table of receipt codes, and carriers have their own: a code that isn't
here is shown as it came.
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
    Delivery.UNDELIVERED: "The carrier refused the text or couldn't deliver it.",
    Delivery.EXPIRED: "The text expired before it could be delivered: the phone was off or out of reach.",
    Delivery.PENDING: "The final state isn't known yet.",
}
_OF_THE_API: Final = {row.code: row.advice for row in TABLE}
_UNDOCUMENTED: Final = "The code isn't documented: ask Alibaba, and give a MessageId."


def meaning(delivery: Delivery, code: str | None) -> str:
    """Return what a delivery and its code mean, in one or two sentences."""
    said = _BY_DELIVERY[delivery]
    if code is None:
        return said
    if code.upper() in _DOCUMENTED:
        return _DOCUMENTED[code.upper()] if delivery is Delivery.DELIVERED else said
    if code in _OF_THE_API:
        return f"{said} The sending API has a code with this name: {_OF_THE_API[code]}"
    return said if delivery is Delivery.DELIVERED else f"{said} {_UNDOCUMENTED}"
