"""A cell that holds several numbers is found, and one number in pieces isn't taken for several."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.recipients import first_numbers, holds_several
from globe_sms.tasks.recipients.several_numbers import split_numbers

SEVERAL = {
    "+6591234567 / +6591234568": "+6591234567",
    "91234567/98765432": "91234567",
    "+6591234567, 91234568": "+6591234567",
    "+6591234567;91234568": "+6591234567",
    "+6591234567\n+6591234568": "+6591234567",
    "91234567 or 98765432": "91234567",
    "91234567 & 98765432 & 81234567": "91234567",
    "+6591234567 +6591234568": "+6591234567",
    "+6591234567+6591234568": "+6591234567",
    "6591234567 6591234568": "6591234567",
    "081234567890-081234567891": "081234567890",
    "(65) 9123-4567 / 9123-4568": "(65) 9123-4567",
    "+65 9123 4567 (Anna), +65 8123 4567 (Bert)": "+65 9123 4567 (Anna)",
    "+49 (171) 1234567 / +49 (172) 7654321": "+49 (171) 1234567",
    "0912345/0912346": "0912345",
    "9123 4567、8123 4567": "9123 4567",
}
ONE = (
    *("+6591234567", "+65 9123 4567", "+65-9123-4567", "(+65) 9123 4567", "0065 9123 4567", "6591234567.0"),
    *("+49 171 / 1234567", "0171/1234567", "0049171/1234567", "+49 30 123456/78", "+682.7162.0", "+65,9123,4567"),
    *(
        "+6591234567,123",
        "+6591234567 ext. 1234",
        "tel:+65-9123-4567;ext=123",
        "+6591234567 , ",
        "a/b",
        "",
        "x" * 9_000,
    ),
)


@pytest.mark.parametrize("text", SEVERAL, ids=ascii)
def test_several_numbers_are_found_and_the_first_is_first(text: str) -> None:
    """Whatever is between them."""
    assert holds_several(pl.Series([text])).to_list() == [True]
    assert first_numbers(pl.Series([text])).to_list() == [SEVERAL[text]]


def test_one_number_is_one() -> None:
    """With extensions, area codes and punctuation; such a text stays as it is."""
    texts = pl.Series([*ONE, None])
    assert not holds_several(texts).any()
    assert first_numbers(texts).to_list() == [*ONE, None]


NUMBERS = st.sampled_from(
    ["+6591234567", "91234567", "9123 4567", "\uff0b65 (9123) 4567", "\u0661\u0662" * 4, "0171", "Anna"]
)
BETWEEN = st.one_of(
    st.sampled_from(
        [*",;|&/\\\n\t \u3001\uff0f", " or ", "\x1cUND\x1f", " - ", "\u00a0\u2013\u2003", "-", "+", "  ", ""]
    ),
    st.text(alphabet=" \x1c\u2003-/+oyr1,", max_size=4),
)


@given(st.lists(st.tuples(NUMBERS, BETWEEN), max_size=5))
def test_no_cell_is_passed_over_for_speed(pieces: list[tuple[str, str]]) -> None:
    """Millions of cells are sorted out before each of the others is split: that finds the same."""
    text = "".join(number + between for number, between in pieces)
    assert holds_several(pl.Series([text])).to_list() == [len(split_numbers(text)) > 1]
