"""What one call presents to the gateway: BatchSendMessageToGlobe of version 2018-05-01, typed and checked.

Source: https://www.alibabacloud.com/help/en/sms/developer-reference/api-dysmsapi-2018-05-01-batchsendmessagetoglobe
"""

import json
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from urllib.parse import quote_plus

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from globe_sms.tasks.vocabulary.masking import mask, mask_typed

ACTION: Final = "BatchSendMessageToGlobe"
VERSION: Final = "2018-05-01"

MOST_NUMBERS_IN_A_CALL: Final = 1000
"""The API's own limit; an account that was not upgraded may send to 250."""

MOST_CHARACTERS_IN_A_MESSAGE: Final = 1500

_E164_DIGITS: Final = re.compile(r"[1-9][0-9]{0,14}")  # E.164: at most 15 digits, country codes never begin with 0
_LETTERS_AND_DIGITS: Final = re.compile(r"[A-Za-z0-9]+")
_MOST_DIGITS_IN_A_SENDER_ID: Final = 15
_MOST_CHARACTERS_IN_A_SENDER_ID: Final = 11


class MessageType(StrEnum):
    """The `Type` of a message. Current pages list NOTIFY and MKT only; the older page has all four."""

    OTP = "OTP"
    NOTIFY = "NOTIFY"
    MKT = "MKT"
    GENERAL = "GENERAL"


def check_sender_id(value: str) -> str:
    """Return a sender ID as it is if the API takes its form; whether it is approved only the gateway knows.

    Raises:
        ValueError: it is empty, has other characters than ASCII letters and digits, or is too long (11 characters;
            15 if all are digits).
    """
    if not value:
        raise ValueError("a sender ID cannot be empty: leave it out to send without one")
    if not _LETTERS_AND_DIGITS.fullmatch(value):
        raise ValueError(f"sender ID {mask_typed(value)!r}: only the letters A to Z and digits are allowed")
    if value.isdigit():
        if len(value) > _MOST_DIGITS_IN_A_SENDER_ID:
            raise ValueError(f"a sender ID of digits has at most 15 of them; this one has {len(value)}")
    elif len(value) > _MOST_CHARACTERS_IN_A_SENDER_ID:
        raise ValueError(f"sender ID {mask_typed(value)!r}: at most 11 characters are allowed when it has letters")
    return value


class BatchSend(BaseModel):
    """One call: for each number the message at the same position. Immutable; the form's bytes never vary.

    The lists always have equal lengths: what the API does with one message for many numbers is not documented. No
    number may stand in it twice, because the gateway names those that failed by number only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    numbers: tuple[str, ...] = Field(description="E.164 digits, country code first, without the plus sign")
    messages: tuple[str, ...] = Field(description="one text per number, in the same order")
    type: MessageType
    sender_id: Annotated[str, AfterValidator(check_sender_id)] | None = None
    task_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-]{1,255}$",
        description="a label that delivery receipts repeat; it does not protect against a second sending",
    )
    validity_period: int | None = Field(default=None, gt=0, strict=True, description="seconds")
    channel_id: str | None = Field(default=None, pattern=r"^[!-~]{1,255}$", description="given out by Alibaba")
    cap: int = Field(
        default=MOST_NUMBERS_IN_A_CALL,
        ge=1,
        le=MOST_NUMBERS_IN_A_CALL,
        description="how many numbers the account may present in a call; not sent",
    )

    @model_validator(mode="after")
    def _check_lists(self) -> Self:
        """Check what concerns both lists; a message of an error names positions, and numbers only masked."""
        if not 1 <= len(self.numbers) <= self.cap:
            raise ValueError(f"a call has 1 to {self.cap} numbers, not {len(self.numbers)}")
        if len(self.messages) != len(self.numbers):
            raise ValueError(f"{len(self.numbers)} numbers, but {len(self.messages)} messages: give one to each")
        seen: set[str] = set()
        for position, number in enumerate(self.numbers):
            if not _E164_DIGITS.fullmatch(number):
                raise ValueError(
                    f"the number at position {position} is not 1 to 15 digits with the country code first, "
                    f"without a plus sign or zeros before it"
                )
            if number in seen:
                raise ValueError(f"{mask(f'+{number}')} at position {position} stands in the call twice")
            seen.add(number)
        for message in dict.fromkeys(self.messages):  # mostly all numbers get one text
            fault = _fault_of(message)
            if fault is not None:
                raise ValueError(f"the message at position {self.messages.index(message)} {fault}")
        return self

    def form(self) -> bytes:
        """Encode the parameters as application/x-www-form-urlencoded, exactly as they are signed and sent.

        Sorted by name and encoded as the official SDK encodes forms; the lists are compact JSON in UTF-8. Action and
        version are not in it: signature V3 has them in headers.
        """
        encoded = {
            message: quote_plus(json.dumps(message, ensure_ascii=False)) for message in dict.fromkeys(self.messages)
        }
        parameters: dict[str, str | None] = {
            "ChannelId": self.channel_id and quote_plus(self.channel_id),
            "From": self.sender_id,
            "Message": _encoded_array(encoded[message] for message in self.messages),
            "TaskId": self.task_id,
            "To": _encoded_array(f"%22{number}%22" for number in self.numbers),
            "Type": self.type.value,
            "ValidityPeriod": None if self.validity_period is None else str(self.validity_period),
        }
        return "&".join(f"{name}={value}" for name, value in parameters.items() if value is not None).encode("ascii")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Show how many numbers there are, and none of them; texts may hold personal data and stay out too."""
        yield "numbers", f"<{len(self.numbers)}, first {mask('+' + self.numbers[0])}>"
        yield "messages", f"<{len(self.messages)}>"
        yield "type", self.type.value
        yield "sender_id", self.sender_id
        yield "task_id", self.task_id
        yield "validity_period", self.validity_period
        yield "channel_id", self.channel_id


def _fault_of(message: str) -> str | None:
    if not message.strip():
        return "is blank"
    if len(message) > MOST_CHARACTERS_IN_A_MESSAGE:
        return f"has {len(message)} characters; at most {MOST_CHARACTERS_IN_A_MESSAGE} are allowed"
    if any("\ud800" <= character <= "\udfff" for character in message):
        return "holds half a character and cannot be encoded"
    return None


def _encoded_array(items: Iterable[str]) -> str:
    """Put encoded items into a compact JSON array, encoded as a form's value."""
    return f"%5B{'%2C'.join(items)}%5D"
