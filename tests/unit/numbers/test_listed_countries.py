"""A cell of a country column names a region in any of the usual ways, or none."""

import pytest

from globe_sms.tasks.numbers.listed_countries import region_of

NAMED = {
    "SG": "SG",
    "sg ": "SG",
    "SGP": "SG",
    "Singapore": "SG",
    "singapour": "SG",
    "Singapur": "SG",
    "新加坡": "SG",
    "65": "SG",
    "+65": "SG",
    "0065": "SG",
    "65.0": "SG",
    "+1": "US",
    "44": "GB",
    "UK": "GB",
    "United Kingdom": "GB",
    "Deutschland": "DE",
    "Alemania": "DE",
    "Viet Nam": "VN",
    "USA": "US",
    "Türkei": "TR",
}


@pytest.mark.parametrize("text", NAMED, ids=ascii)
def test_a_country_is_read(text: str) -> None:
    """By letters, name or calling code."""
    assert region_of(text) == NAMED[text]


@pytest.mark.parametrize("text", ["", " ", "Atlantis", "XX", "999", "0", "North", "+6591234567", "800", "12345678"])
def test_what_names_no_country_is_none(text: str) -> None:
    """A guess could text a stranger."""
    assert region_of(text) is None
