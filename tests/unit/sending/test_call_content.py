"""What a call says, and the fingerprint by which its claim tells that later."""

from dataclasses import replace

import pytest

from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.planning.chunk_layout import SendingGroup
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.call_content import CallContent

NUMBERS = ("+6581234567", "+6581234568")
CONTENT = CallContent("Hello", MessageType.NOTIFY, "Acme")
CHUNK = Chunk(0, NUMBERS)


@pytest.mark.parametrize(
    ("content", "chunk"),
    [
        (replace(CONTENT, message="Hullo"), CHUNK),
        (replace(CONTENT, type=MessageType.MKT), CHUNK),
        (replace(CONTENT, sender_id="Other"), CHUNK),
        (CONTENT, replace(CHUNK, phone_numbers=NUMBERS[::-1])),
        (CONTENT, replace(CHUNK, phone_numbers=NUMBERS[:1])),
        (CONTENT, replace(CHUNK, messages=("Hi Ann", "Hi Bo"))),
        (CONTENT, replace(CHUNK, group=SendingGroup("Other"))),
    ],
    ids=["text", "type", "sender", "order", "numbers", "texts", "group"],
)
def test_a_fingerprint_tells_another_text_sender_or_recipient(content: CallContent, chunk: Chunk) -> None:
    assert content.fingerprint(chunk) != CONTENT.fingerprint(CHUNK)


def test_a_fingerprint_tells_who_gets_which_text() -> None:
    texts = ("Hi Ann", "Hi Bo")
    turned = CONTENT.fingerprint(replace(CHUNK, messages=texts[::-1]))
    assert CONTENT.fingerprint(replace(CHUNK, messages=texts)) != turned


def test_the_same_call_has_the_same_fingerprint() -> None:
    """Whatever the chunk's place in the plan."""
    assert CONTENT.fingerprint(replace(CHUNK, index=7)) == CONTENT.fingerprint(CHUNK)
