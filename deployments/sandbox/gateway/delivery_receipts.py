"""Delivery receipts as Alibaba writes them (GlobeSmsReport), and their delays, duplicates and losses.

Source: https://help.aliyun.com/zh/sms/smsreport-http-intl
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from globe_sms.deployments.sandbox.gateway.deliveries import Message
from globe_sms.deployments.sandbox.gateway.delivery_fates import FateKind, draws
from globe_sms.deployments.sandbox.gateway.query_message import EXPIRED_CODE, rfc_2822

_STATUS = {FateKind.DELIVERED: "1", FateKind.UNDELIVERED: "2", FateKind.EXPIRED: "6"}
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_OF_TWO = frozenset("^{}\\[~]|€\f")


class Way(BaseModel):
    """How receipts arrive: some late, some twice, some never."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    late: Annotated[float, Field(ge=0, le=1, description="share that arrives up to late_seconds later")] = 0.0
    late_seconds: Annotated[float, Field(ge=0, le=604_800)] = 60.0
    doubled: Annotated[float, Field(ge=0, le=1, description="share that arrives twice")] = 0.0
    lost: Annotated[float, Field(ge=0, le=1, description="share that never arrives")] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 0

    def arrivals(self, message: Message) -> tuple[float, ...]:
        """Return when a message's receipt arrives (seconds since the epoch): never, once or twice; pure."""
        if message.fate.kind is FateKind.NEVER_REPORTED:
            return ()
        which, when, doubled = draws(self.seed, f"way:{message.message_id}")
        if which < self.lost:
            return ()
        late = which < self.lost + self.late
        first = message.fate.ends_at + (when * self.late_seconds if late else 0.0)
        return (first, first + when * self.late_seconds) if doubled < self.doubled else (first,)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.lost + self.late > 1:
            msg = "the shares of lost and late receipts add up to more than 1"
            raise ValueError(msg)
        return self


def receipt_of(message: Message) -> dict[str, str]:
    """Return the receipt of a message that has ended."""
    fate = message.fate
    delivered = fate.kind is FateKind.DELIVERED
    code = "success" if delivered else fate.code or EXPIRED_CODE
    return {
        "To": message.number,
        "SendDate": rfc_2822(message.accepted_at),
        "ReceiveDate": rfc_2822(fate.ends_at),
        "Status": _STATUS[fate.kind],
        "ErrorCode": code,
        "ErrorDescription": "success" if delivered else f"not delivered: {code}",
        "TaskId": message.task_id,
        "SmsSize": str(_parts(message.text)),
        "MessageId": message.message_id,
    }


def receipts(messages: Iterable[Message], *, now: float, way: Way | None = None) -> Iterator[dict[str, str]]:
    """Yield the receipts that arrived by `now`, in order, including duplicates."""
    for message in messages:
        for at in (way or Way()).arrivals(message):
            if at <= now:
                yield receipt_of(message)


def _parts(text: str) -> int:
    if all(character in _GSM or character in _GSM_OF_TWO for character in text):
        units, single, several = len(text) + sum(character in _GSM_OF_TWO for character in text), 160, 153
    else:
        units, single, several = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if units <= single else -(-units // several)
