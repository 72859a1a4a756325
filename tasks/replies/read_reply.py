"""Reads one reply (a mobile-originated message) as Alibaba writes it.

Source: SmsUp, https://help.aliyun.com/zh/sms/developer-reference/smsup-http: `phone_number`, `content`, `send_time`
(`2017-09-01 00:00:00`, in Beijing's time), `dest_code`, `sequence_id`, and on older pages `sign_name`. These are the
fields of replies from mainland China. For other countries the documents promise replies, but give no fields, so these
are taken; `phone_number` is then read like the `To` of an international receipt: the country code and the number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from globe_sms.tasks.delivery.delivery_states import instant_in
from globe_sms.tasks.delivery.receipt_shapes import digits_of
from globe_sms.tasks.numbers import validate_text
from globe_sms.tasks.replies.opt_out_words import Meaning, meaning_of

_E164: Final = re.compile(r"[1-9][0-9]{4,14}")
_TOO_LATE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply.

    Attributes:
        e164: the number of who wrote it, without the plus sign; None if it can't be one.
        is_known: whether it's a number that can receive texts: one without its country code seldom is.
        at: when, by the reply's own time; None if that can't be read or hasn't come yet.
        meaning: what it says about texts.
        text: what was written.
    """

    e164: int | None
    is_known: bool
    at: datetime | None
    meaning: Meaning
    text: str

    @property
    def is_understood(self) -> bool:
        """Whether its number and its time could be read."""
        return self.is_known and self.at is not None


NOT_UNDERSTOOD: Final = Reply(None, is_known=False, at=None, meaning=Meaning.OTHER, text="")
"""What isn't a reply at all."""


def read_reply(fields: Mapping[str, Any], *, now: datetime | None = None) -> Reply:
    """Read a reply; any field may be missing or wrong."""
    number = _E164.fullmatch(digits_of(_text(fields, "phone_number")))
    at = instant_in(_text(fields, "send_time"))
    if at is not None and at > (now or datetime.now(UTC)) + _TOO_LATE:
        at = None
    text = _text(fields, "content")
    if number is None:
        return Reply(None, is_known=False, at=at, meaning=meaning_of(text), text=text)
    is_known = validate_text(f"+{number[0]}", None).phone_number is not None
    return Reply(int(number[0]), is_known=is_known, at=at, meaning=meaning_of(text), text=text)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
