"""Requests: what a call may contain, and that its repr and errors hold no personal data."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import ValidationError

from globe_sms.tasks.gateway import BatchSend, MessageType, check_sender_id

GOOD: dict[str, Any] = {
    "numbers": ("6581234567", "85261234567"),
    "messages": ("Hi", "Bye"),
    "type": MessageType.MKT,
    "sender_id": "Alicloud",
    "task_id": "spring-0-1",
    "validity_period": 600,
    "channel_id": "sms-djnfjn344",
}


def test_a_call_with_everything_becomes_the_form_of_the_api() -> None:
    """Lists become compact JSON, other values stay unchanged; Action and Version are left out."""
    assert dict(parse_qsl(BatchSend(**GOOD).form().decode())) == {
        "To": '["6581234567","85261234567"]',
        "Message": '["Hi","Bye"]',
        "Type": "MKT",
        "From": "Alicloud",
        "TaskId": "spring-0-1",
        "ValidityPeriod": "600",
        "ChannelId": "sms-djnfjn344",
    }


def test_missing_parameters_are_not_sent() -> None:
    """The gateway might misread an empty From or TaskId."""
    form = BatchSend(numbers=("6581234567",), messages=("Hi",), type=MessageType.OTP).form().decode()
    assert [name for name, _ in parse_qsl(form)] == ["Message", "To", "Type"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"numbers": (), "messages": ()}, "1 to 1000 numbers, not 0"),
        ({"numbers": ("6581234567",)}, "1 numbers, but 2 messages"),
        ({"messages": ("Hi", " \n\t")}, "position 1 is blank"),
        ({"messages": ("Hi", "x" * 1501)}, "position 1 has 1501 characters"),
        ({"numbers": ("6581234567", "6581234567")}, "is in the call twice"),
        ({"numbers": ("6581234567", "+85261234567")}, "position 1 isn't"),
        ({"numbers": ("6581234567", "0085261234567")}, "position 1 isn't"),
        ({"numbers": ("6581234567", "")}, "position 1 isn't"),
        ({"numbers": ("6581234567", "8526123 4567")}, "position 1 isn't"),
        ({"numbers": ("6581234567", "\N{ARABIC-INDIC DIGIT EIGHT}5261234567")}, "position 1 isn't"),
        ({"numbers": ("6581234567", "1234567890123456")}, "position 1 isn't"),
        ({"numbers": ("6581234567", "85261234567\n")}, "position 1 isn't"),
        ({"cap": 1}, "1 to 1 numbers, not 2"),
        ({"cap": 1001}, "cap"),
        ({"type": "SPAM"}, "type"),
        ({"sender_id": "Ali cloud"}, "only letters A to Z"),
        ({"task_id": ""}, "task_id"),
        ({"task_id": "a" * 256}, "task_id"),
        ({"task_id": "a/b"}, "task_id"),
        ({"task_id": "ab\n"}, "task_id"),
        ({"validity_period": 0}, "validity_period"),
        ({"validity_period": 14_401}, "validity_period"),
        ({"validity_period": True}, "validity_period"),
        ({"channel_id": ""}, "channel_id"),
        ({"messages": ("Hi", "\ud800")}, "lone surrogate"),
        ({"owner_id": "1"}, "owner_id"),
    ],
)
def test_a_call_that_the_api_would_reject_is_refused(change: dict[str, Any], words: str) -> None:
    """The error says what is wrong and where, without showing numbers or texts."""
    with pytest.raises(ValidationError, match=words) as caught:
        BatchSend(**(GOOD | change))
    assert "6581234567" not in str(caught.value)
    assert "85261234567" not in str(caught.value)


@pytest.mark.parametrize("count", [1, 250, 1000])
def test_a_call_holds_as_many_numbers_as_the_cap(count: int) -> None:
    """Up to the API's limit of 1,000."""
    numbers = tuple(str(6580000000 + index) for index in range(count))
    assert len(BatchSend(numbers=numbers, messages=("Hi",) * count, type=MessageType.MKT, cap=count).numbers) == count


def test_a_message_of_1500_characters_is_allowed() -> None:
    """Exactly the documented length."""
    assert BatchSend(numbers=("6581234567",), messages=("é" * 1500,), type=MessageType.MKT).form()


@pytest.mark.parametrize("sender_id", ["A", "Alicloud321", "123456789012345", "abcdefghijk", "1"])
def test_a_valid_sender_id_passes_unchanged(sender_id: str) -> None:
    """Its case is kept, because the gateway compares it."""
    assert check_sender_id(sender_id) == sender_id


@pytest.mark.parametrize(
    ("sender_id", "words"),
    [
        ("", "empty"),
        ("abcdefghijkl", "at most 11"),
        ("Alicloud3214", "at most 11"),
        ("1234567890123456", "at most 15"),
        ("Ali-cloud", "only letters A to Z"),
        ("Ali cloud", "only letters A to Z"),
        ("Café", "only letters A to Z"),
        ("١٢٣", "only letters A to Z"),
        ("Ali\n", "only letters A to Z"),
    ],
)
def test_an_invalid_sender_id_is_refused(sender_id: str, words: str) -> None:
    """At most 11 ASCII letters and digits, or at most 15 digits."""
    with pytest.raises(ValueError, match=words):
        check_sender_id(sender_id)


def test_the_repr_of_a_call_shows_no_number_and_no_text() -> None:
    """Reprs end up in logs."""
    call = BatchSend(**(GOOD | {"messages": ("Dear Ms Lim", "Dear Mr Tan")}))
    for text in (repr(call), str(call)):
        assert "+65••••4567" in text
        assert "6581234567" not in text
        assert "85261234567" not in text
        assert "Dear" not in text


def test_a_call_cannot_be_changed() -> None:
    """The call that was validated is the one that is sent."""
    with pytest.raises(ValidationError):
        BatchSend(**GOOD).numbers = ("6599999999",)
