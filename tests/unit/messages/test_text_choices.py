"""Which of several texts a row gets by its language, and what rows without one get."""

from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.messages import PREFIX, Wording, add_texts
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.vocabulary.statuses import STATUSES

GERMAN = {"de": "Hallo {name}", "de-CH": "Grüezi {name}", "pt-BR": "Oi"}


def worded(message: str | None = None, **options: Any) -> Wording:
    given = {"downgrade": False, "max_characters": 50, "by_language": GERMAN, "tag_column": "language"} | options
    return Wording.of(message, None, **given)


def texts(tags: list[str | None], wording: Wording) -> pl.DataFrame:
    rows = pl.LazyFrame(
        {
            f"{PREFIX}language": tags,
            f"{PREFIX}name": ["Ann"] * len(tags),
            f"{PREFIX}city": [None] * len(tags),
            "status": [None] * len(tags),
            "reason": [None] * len(tags),
        },
        schema_overrides={f"{PREFIX}city": pl.String, "status": pl.Enum(STATUSES), "reason": pl.String},
    )
    return add_texts(rows, wording).select("message", "language", "reason", "segments").collect(engine="streaming")


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *(("de", "de"), ("DE", "de"), ("de-AT", "de"), ("de_AT.UTF-8", "de"), ("de-ch", "de-CH"), (" de ", "de")),
        *(("de-CH-1901", "de-CH"), ("pt-BR", "pt-BR"), ("deu", None), ("d", None), ("pt", None), ("pt-PT", None)),
        *(("", None), (None, None), ("NULL", None)),
    ],
)
def test_a_tag_has_its_own_text_or_that_of_its_language(tag: str | None, language: str | None) -> None:
    """A shorter tag never gets a longer one's text; without a text for it, the default is taken or the row refused."""
    found = texts([tag], worded()).row(0)
    if language is None:
        assert found == (None, None, "missing_language", None)
    else:
        assert found == (GERMAN[language].replace("{name}", "Ann"), language, None, 1)
    default = texts([tag], worded("Hello {name}"))
    assert default["language"].item() == (language or "*")
    assert default["message"].item() == (GERMAN[language] if language else "Hello {name}").replace("{name}", "Ann")


def test_a_text_needs_its_own_placeholders_only() -> None:
    """The row that lacks a value of another text isn't refused for it."""
    wording = worded("From {city}")
    assert wording.columns == ("language", "name", "city")
    assert texts(["de", "en"], wording)["reason"].to_list() == [None, "missing_city"]


@pytest.mark.parametrize(
    ("variants", "other", "may_equal"),
    [
        ({"A": "Hi", "B": "Hi there"}, "Hi there", True),
        ({"A": "a", "B": "aba"}, "a", True),
        ({"A": "Hello", "B": "Hello"}, "Hello", True),
        ({"A": "Hi {name}", "B": "Hello {name}"}, "Hello Ann", True),
        ({"A": "Hi {name}!", "B": "Hi you!"}, "Hi you?", True),
        ({"A": "Hi {name}", "B": "Hi there"}, "Bye", False),
    ],
)
def test_a_campaign_of_several_texts_may_repeat_any_of_them(
    variants: dict[str, str], other: str, *, may_equal: bool
) -> None:
    """One that couldn't is passed over, so nothing that could may be."""
    pattern = TextPattern.of(worded(by_language=None, tag_column=None, variants=variants))
    plain = TextPattern.of(Wording.of(other, None, downgrade=False, max_characters=50))
    assert pattern.may_equal(plain) is plain.may_equal(pattern) is may_equal
    assert pattern.text is None
