"""Whether two campaigns could send the same text, judged without their lists."""

import pytest

from globe_sms.tasks.messages import Wording
from globe_sms.tasks.messages.text_pattern import TextPattern

COLUMN = None


def pattern(message: str | None, *, downgrade: bool = True) -> TextPattern:
    column = "text" if message is None else None
    return TextPattern.of(Wording.of(message, column, downgrade=downgrade, max_characters=1_000))


@pytest.mark.parametrize(
    ("ours", "theirs", "may_equal"),
    [
        ("Hello", "Hello", True),
        ("Hello", "Hello!", False),
        ("It\u2019s open", "It's open", True),
        ("Hi {name}", "Hi Ann", True),
        ("Hi {name}", "Hi", False),
        ("Hi {name}, bye", "Hi Ann, see you", False),
        ("Hi {name}", "Hi {first} {last}", True),
        ("Hi {name}", "Dear {name}", False),
        ("{name}, we open at 9", "{name}, we open at 8", False),
        ("{a}9", "{b}19", True),
        ("ab{x}bc", "abc", False),
        ("\u201cHi\u201d {name}", '"Hi" {name}', True),
        (COLUMN, "Hello", True),
        (COLUMN, "Hi {name}", True),
        (COLUMN, COLUMN, True),
    ],
)
def test_texts_may_be_equal_only_if_what_stands_in_both_fits(
    ours: str | None, theirs: str | None, *, may_equal: bool
) -> None:
    """In both directions; characters are compared as they leave."""
    assert pattern(ours).may_equal(pattern(theirs)) is may_equal
    assert pattern(theirs).may_equal(pattern(ours)) is may_equal


def test_characters_that_are_not_replaced_are_another_text() -> None:
    """Without downgrading, a curly quote leaves as it is."""
    assert not pattern("It\u2019s", downgrade=False).may_equal(pattern("It\u2019s"))
