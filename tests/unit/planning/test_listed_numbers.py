"""What a list says of its rows decides before libphonenumber does: countries, several numbers, hidden rows."""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.numbers import NO_OVERRIDES, validate
from globe_sms.tasks.planning.listed_numbers import judge_numbers
from globe_sms.tasks.recipients import COUNTRY, HIDDEN

Row = tuple[str | None, str | None, bool]


def judged(
    rows: Sequence[Row], *, region: str | None = None, first_number: bool = False, by_country: bool = True
) -> pl.DataFrame:
    """Judge rows of recipient, country and whether they are hidden."""
    schema = {"recipient": pl.String, COUNTRY: pl.String, HIDDEN: pl.Boolean}
    frame = pl.LazyFrame(rows, schema=schema, orient="row")
    return judge_numbers(
        frame, default_region=region, overrides=NO_OVERRIDES, first_number=first_number, by_country=by_country
    ).collect()


@pytest.mark.parametrize(
    ("recipient", "country", "number", "reason"),
    [
        ("91234567", "Singapore", "+6591234567", None),
        ("81234567890", "Indonesia", "+6281234567890", None),
        ("081234567890", "62", "+6281234567890", None),
        ("6281234567890", "ID", "+6281234567890", None),
        ("+4915112345678", "Singapore", "+4915112345678", None),
        ("+4915112345678", None, "+4915112345678", None),
        ("004915112345678", "", "+4915112345678", None),
        ("8123456789", None, None, "unknown_country"),
        ("8123456789", "Atlantis", None, "unknown_country"),
        (None, "Atlantis", None, "empty"),
    ],
)
def test_a_national_number_is_read_with_its_country(
    recipient: str | None, country: str | None, number: str | None, reason: str | None
) -> None:
    """Without one it isn't guessed: an Indonesian number without its zero looks Japanese."""
    row = judged([(recipient, country, False), ("+6581234567", "SG", False)]).row(0, named=True)
    assert (row["phone_number"], row["reason"]) == (number, reason)


def test_a_blank_country_has_the_default_region() -> None:
    """But a country that doesn't exist has none."""
    found = judged([("91234567", " ", False), ("91234567", "Atlantis", False)], region="SG")
    assert found["phone_number"].to_list() == ["+6591234567", None]


def test_several_numbers_are_refused_or_the_first_is_taken() -> None:
    """The results keep the cell as it was written."""
    rows: list[Row] = [("+6591234567;91234568", None, False), ("+6591234567", None, False)]
    refused = judged(rows, by_country=False)
    assert refused["reason"].to_list() == ["several_numbers", None]
    assert refused["phone_number"].to_list() == [None, "+6591234567"]
    first = judged(rows, by_country=False, first_number=True)
    assert first["phone_number"].to_list() == ["+6591234567", "+6591234567"]
    assert first["recipient"].to_list() == [row[0] for row in rows]


def test_a_hidden_row_has_no_number() -> None:
    """So it is no duplicate of a visible one."""
    found = judged([("+6591234567", None, True), ("+6591234567", None, False)], by_country=False)
    assert found.select("status", "reason", "phone_number").rows() == [
        ("invalid", "hidden_row", None),
        (None, None, "+6591234567"),
    ]


TEXTS = st.one_of(st.from_regex(r"\+?(65|62|49)?[ 0-9().-]{6,12}", fullmatch=True), st.text(max_size=12), st.none())


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXTS, max_size=20), st.sampled_from([None, "SG"]))
def test_other_rows_are_judged_as_without(texts: list[str | None], region: str | None) -> None:
    """A list without such marks has the verdicts of `validate`, also where every row names the default region."""
    plain = validate(pl.DataFrame({"recipient": texts}, schema={"recipient": pl.String}), default_region=region)
    marked = judged([(text, region, False) for text in texts], region=region, by_country=region is not None)
    assert marked.equals(plain.select(marked.columns))
