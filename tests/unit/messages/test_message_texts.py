"""Templates and the texts rendered from them: neither template nor values are ever executed."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.messages import PREFIX, Placeholder, Wording, add_texts, parse_template, parts_of
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.statuses import STATUSES

NASTY = st.one_of(st.text(), st.text(st.sampled_from("{}|$0.a[]\\ %\n\x00")))


def texts_of(message: str | None, rows: Mapping[str, Sequence[str | None]], **changes: Any) -> pl.DataFrame:
    """Render a message, or a column, over sendable rows."""
    options: dict[str, Any] = {"column": None, "downgrade": False, "max_characters": 1_500} | changes
    wording = Wording.of(message, **options)
    height = len(next(iter(rows.values())))
    frame = pl.LazyFrame(
        {
            **{f"{PREFIX}{name}": values for name, values in rows.items()},
            "status": [None] * height,
            "reason": [None] * height,
        },
        schema={
            **{f"{PREFIX}{name}": pl.String for name in rows},
            "status": pl.Enum(STATUSES),
            "reason": pl.String,
        },
    )
    return add_texts(frame, wording).collect(engine="streaming")


def test_columns_are_found_by_name_and_defaults_fill_empty_cells() -> None:
    """Doubled braces are braces; different spellings of a name are one column."""
    found = texts_of(
        "{{Hi}} {First Name}, {first_name} owes {sum|nothing}",
        {"First Name": ["Ann", " Bo\t", "C"], "sum": ["5", None, " "]},
    )
    assert found["message"].to_list() == ["{Hi} Ann, Ann owes 5", "{Hi} Bo, Bo owes nothing", "{Hi} C, C owes nothing"]
    assert found["segments"].to_list() == [1, 1, 1]


def test_a_missing_value_is_an_invalid_row_that_names_the_column() -> None:
    """Null, empty, blank, or only invisible characters."""
    found = texts_of("Hi {name}", {"name": [None, "", " \u00a0\u200b", "\x00", "Ann"]})
    assert found["status"].to_list() == ["invalid"] * 4 + [None]
    assert found["reason"].to_list() == ["missing_name"] * 4 + [None]
    assert found["message"].to_list() == [None] * 4 + ["Hi Ann"]


@pytest.mark.parametrize("marker", ["NULL", "null", r"\N", "nan", " NaN ", "None", "#N/A", "NaT", "<NA>"])
def test_a_marker_of_a_missing_value_is_a_missing_value(marker: str) -> None:
    """As databases, pandas and spreadsheets write it; nobody reads "Hi NULL", unless it's wanted."""
    rows = {"name": [marker, "Ann"]}
    assert texts_of("Hi {name}", rows)["reason"].to_list() == ["missing_name", None]
    assert texts_of("Hi {name|there}", rows)["message"].to_list() == ["Hi there", "Hi Ann"]
    assert texts_of(None, rows, column="name")["reason"].to_list() == ["message_empty", None]
    kept = texts_of("Hi {name}", rows, keep_null_markers=True)
    assert kept["message"].to_list() == [f"Hi {marker.strip()}", "Hi Ann"]


@pytest.mark.parametrize("name", ["Null", "Nan", "Nonett", "NULL AND VOID"])
def test_a_name_that_only_looks_like_a_marker_is_a_name(name: str) -> None:
    assert texts_of("Hi {name}", {"name": [name]})["message"].to_list() == [f"Hi {name}"]


def test_texts_are_composed_before_they_are_counted() -> None:
    """Decomposed letters (as macOS writes them) are none of GSM-7, and cost three times as many parts."""
    spread = unicodedata.normalize("NFD", "Réservé à Zoë")
    word = unicodedata.normalize("NFC", spread)
    assert Wording.of(spread, None, downgrade=True, max_characters=1_500).text == word
    found = texts_of("{name} à" + unicodedata.normalize("NFD", "é"), {"name": ["plain", spread * 9]})
    assert found["message"].to_list() == ["plain àé", f"{word * 9} àé"]
    assert found["segments"][1] == parts_of(f"{word * 9} àé") < parts_of(spread * 9)
    assert texts_of(None, {"text": [spread]}, column="text")["message"].to_list() == [word]


def test_rows_rejected_earlier_keep_their_reason_and_have_no_text() -> None:
    wording = Wording.of("Hi {name}", None, downgrade=False, max_characters=1_500)
    frame = pl.LazyFrame(
        {f"{PREFIX}name": [None, "Ann"], "status": ["invalid"] * 2, "reason": ["empty"] * 2},
        schema_overrides={"status": pl.Enum(STATUSES)},
    )
    found = add_texts(frame, wording).collect()
    assert found["reason"].to_list() == ["empty", "empty"]
    assert found["message"].to_list() == [None, None]


def test_values_are_cleaned_of_characters_that_break_a_text() -> None:
    """Control characters, line ends and direction marks become one blank; joiners and template line ends stay."""
    found = texts_of("A\n{x}", {"x": ["b\r\n\x00c", "\u202ed\u202c", "👨\u200d👩"]})
    assert found["message"].to_list() == ["A\nb c", "A\nd", "A\n👨\u200d👩"]


def test_a_column_of_messages_keeps_its_line_breaks() -> None:
    """Blank and too long texts are rejected, each with its reason."""
    found = texts_of(None, {"text": [" a\nb\x07 ", " ", None, "c" * 11]}, column="text", max_characters=10)
    assert found["message"].to_list() == ["a\nb", None, None, None]
    assert found["reason"].to_list() == [None, "message_empty", "message_empty", "message_too_long"]


def test_a_rendered_text_that_is_too_long_is_an_invalid_row() -> None:
    """Even if the template alone is short enough."""
    found = texts_of("{x}", {"x": ["a" * 1_501, "a" * 1_500]})
    assert found["reason"].to_list() == ["message_too_long", None]


def test_downgrading_applies_to_template_and_values() -> None:
    found = texts_of("\u201c{x}\u201d", {"x": ["it\u2019s\u2026"]}, downgrade=True)
    assert found["message"].to_list() == ['"it\'s..."']
    assert found["replaced"].to_list() == ["\u201cit\u2019s\u2026\u201d".replace("it", "").replace("s", "")]


def test_only_sent_texts_say_what_was_replaced() -> None:
    """Null where nothing was, and where there is no text."""
    rows = {"x": ["plain", "a\u2013b", "", "\u2026" * 501]}
    found = texts_of("{x}", rows, downgrade=True)
    assert found["replaced"].to_list() == [None, "\u2013", None, None]
    assert texts_of("{x}", rows)["replaced"].to_list() == [None] * 4


@pytest.mark.parametrize("message", ["{", "}", "Hi {name", "Hi name}", "{}", "{ }", "{|x}", "{a{b}", "{{{", "{a}}"])
def test_a_broken_template_is_refused(message: str) -> None:
    """The message names the position and what to write instead."""
    with pytest.raises(InputError, match=r"character|name"):
        parse_template(message)


@pytest.mark.parametrize("inner", ["0", "a.b", "a[0]", "a!r", "a:>10", "a.__class__", "%s", "$a", "a b"])
def test_a_placeholder_is_a_column_name_and_nothing_else(inner: str) -> None:
    """No attributes, indexes or formats."""
    assert parse_template(f"{{{inner}}}").pieces == (Placeholder(inner),)


@given(NASTY)
def test_any_text_is_read_or_refused_with_an_input_error(message: str) -> None:
    try:
        template = parse_template(message)
    except InputError:
        return
    assert template.text is None or "{" in message or "}" in message or template.text == message


@given(st.lists(st.tuples(NASTY, NASTY), min_size=1, max_size=8))
def test_no_value_is_interpreted(values: list[tuple[str, str]]) -> None:
    """The values appear cleaned and otherwise unchanged between the template's own texts."""
    rows = {"a": [first for first, _ in values], "b": [second for _, second in values]}
    cleaned = texts_of("{a|}", {"a": rows["a"]}), texts_of("{b|}", {"b": rows["b"]})
    found = texts_of("<{a|}|{b|}>", {name: list(column) for name, column in rows.items()})
    for place in range(len(values)):
        first, second = (frame["message"][place] or "" for frame in cleaned)
        assert found["message"][place] == f"<{first}|{second}>"
        assert found["segments"][place] == parts_of(f"<{first}|{second}>")
