"""The request of one call: BatchSendMessageToGlobe, version 2018-05-01, typed and validated.

Source: https://www.alibabacloud.com/help/en/sms/developer-reference/api-dysmsapi-2018-05-01-batchsendmessagetoglobe
"""

import json
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from urllib.parse import quote_plus

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from globe_sms.tasks.vocabulary.masking import mask, mask_typed

ACTION: Final = "BatchSendMessageToGlobe"
VERSION: Final = "2018-05-01"

MOST_NUMBERS_IN_A_CALL: Final = 1000
"""The API's limit; an account that isn't upgraded may send to 250."""

MOST_CHARACTERS_IN_A_MESSAGE: Final = 1500

SHORTEST_VALIDITY: Final = 1
LONGEST_VALIDITY: Final = 14_400
"""Seconds that a message may wait at Alibaba for its carrier; later it's dropped, unsent and free.

Source: https://alibabacloud.com/help/en/sms/user-guide/set-validity-period
"""

_E164_DIGITS: Final = re.compile(r"[1-9][0-9]{0,14}")  # E.164: at most 15 digits; country codes never start with 0
_LETTERS_AND_DIGITS: Final = re.compile(r"[A-Za-z0-9]+")
_MOST_DIGITS_IN_A_SENDER_ID: Final = 15
_MOST_CHARACTERS_IN_A_SENDER_ID: Final = 11


class MessageType(StrEnum):
    """The `Type` of a message. Alibaba's current pages list only NOTIFY and MKT; the older page has all four."""

    OTP = "OTP"
    NOTIFY = "NOTIFY"
    MKT = "MKT"
    GENERAL = "GENERAL"


def check_sender_id(value: str) -> str:
    """Return a sender ID unchanged if the API accepts its form; only the gateway knows whether it's approved.

    Raises:
        ValueError: the sender ID is empty, has characters other than ASCII letters and digits, or is too long (more
            than 11 characters; 15 if all are digits).
    """
    if not value:
        raise ValueError("a sender ID can't be empty: leave it out to send without one")
    if not _LETTERS_AND_DIGITS.fullmatch(value):
        raise ValueError(f"sender ID {mask_typed(value)!r}: only letters A to Z and digits are allowed")
    if value.isdigit():
        if len(value) > _MOST_DIGITS_IN_A_SENDER_ID:
            raise ValueError(f"a sender ID of digits may have at most 15; this one has {len(value)}")
    elif len(value) > _MOST_CHARACTERS_IN_A_SENDER_ID:
        raise ValueError(f"sender ID {mask_typed(value)!r}: at most 11 characters are allowed if it has letters")
    return value


class BatchSend(BaseModel):
    """One call: each number gets the message at the same position. Immutable, with a deterministic form.

    The lists always have equal lengths: the API's behavior with one message for many numbers isn't documented. Each
    number may appear only once, because the gateway lists failures by number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    numbers: tuple[str, ...] = Field(description="E.164 digits, country code first, without the plus sign")
    messages: tuple[str, ...] = Field(description="one text per number, in the same order")
    type: MessageType
    sender_id: Annotated[str, AfterValidator(check_sender_id)] | None = None
    task_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-]{1,255}$",
        description="a label that delivery receipts repeat; it doesn't prevent a message from being sent twice",
    )
    validity_period: int | None = Field(
        default=None,
        ge=SHORTEST_VALIDITY,
        le=LONGEST_VALIDITY,
        strict=True,
        description="seconds in which Alibaba may hand the messages to the carriers",
    )
    channel_id: str | None = Field(default=None, pattern=r"^[!-~]{1,255}$", description="assigned by Alibaba")
    cap: int = Field(
        default=MOST_NUMBERS_IN_A_CALL,
        ge=1,
        le=MOST_NUMBERS_IN_A_CALL,
        description="the most numbers that the account may put in a call; not sent",
    )

    @model_validator(mode="after")
    def _check_lists(self) -> Self:
        """Check both lists together; error messages name positions and masked numbers only."""
        if not 1 <= len(self.numbers) <= self.cap:
            raise ValueError(f"a call has 1 to {self.cap} numbers, not {len(self.numbers)}")
        if len(self.messages) != len(self.numbers):
            raise ValueError(f"{len(self.numbers)} numbers, but {len(self.messages)} messages: give one per number")
        if not all(map(_E164_DIGITS.fullmatch, self.numbers)) or len(set(self.numbers)) < len(self.numbers):
            raise ValueError(_number_fault(self.numbers))
        for message in dict.fromkeys(self.messages):  # usually all numbers get the same text
            fault = _message_fault(message)
            if fault is not None:
                raise ValueError(f"the message at position {self.messages.index(message)} {fault}")
        return self

    def form(self) -> bytes:
        """Encode the parameters as application/x-www-form-urlencoded, exactly as signed and sent.

        They're sorted by name and encoded like the official SDK's forms; lists are compact JSON in UTF-8. Action and
        version are left out: signature V3 has them in headers.
        """
        encoded = {
            message: quote_plus(json.dumps(message, ensure_ascii=False)) for message in dict.fromkeys(self.messages)
        }
        parameters: dict[str, str | None] = {
            "ChannelId": self.channel_id and quote_plus(self.channel_id),
            "From": self.sender_id,
            "Message": f"%5B{'%2C'.join(map(encoded.__getitem__, self.messages))}%5D",
            "TaskId": self.task_id,
            "To": f"%5B%22{'%22%2C%22'.join(self.numbers)}%22%5D",
            "Type": self.type.value,
            "ValidityPeriod": None if self.validity_period is None else str(self.validity_period),
        }
        return "&".join(f"{name}={value}" for name, value in parameters.items() if value is not None).encode("ascii")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Show counts and a masked first number; numbers and texts are personal data."""
        yield "numbers", f"<{len(self.numbers)}, first {mask('+' + self.numbers[0])}>"
        yield "messages", f"<{len(self.messages)}>"
        yield "type", self.type.value
        yield "sender_id", self.sender_id
        yield "task_id", self.task_id
        yield "validity_period", self.validity_period
        yield "channel_id", self.channel_id


def _number_fault(numbers: Sequence[str]) -> str:
    """Say what is wrong with the first number that isn't a number; if all are, with the first that is there already."""
    for position, number in enumerate(numbers):
        if not _E164_DIGITS.fullmatch(number):
            return (
                f"the number at position {position} isn't 1 to 15 digits with the country code first, "
                "without a plus sign or leading zeros"
            )
    position = next(position for position, number in enumerate(numbers) if number in numbers[:position])
    return f"{mask(f'+{numbers[position]}')} at position {position} is in the call twice"


def _message_fault(message: str) -> str | None:
    if not message.strip():
        return "is blank"
    if len(message) > MOST_CHARACTERS_IN_A_MESSAGE:
        return f"has {len(message)} characters; at most {MOST_CHARACTERS_IN_A_MESSAGE} are allowed"
    if any("\ud800" <= character <= "\udfff" for character in message):
        return "contains a lone surrogate, which can't be encoded"
    return None
