"""The demo's lists."""

import io

import phonenumbers
import polars as pl
import pytest
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from globe_sms.deployments.sandbox.demo_lists import DemoLists, demo_lists

RECEIVING = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


@pytest.fixture(scope="module")
def lists() -> DemoLists:
    """The lists as the demo makes them."""
    return demo_lists()


def read(recipient: str) -> PhoneNumber:
    """Read a recipient by the design's rules, in the simplest way."""
    text = recipient.removesuffix(".0") if recipient.removesuffix(".0").isdigit() else recipient
    try:
        return phonenumbers.parse(text)
    except NumberParseException:
        digits = phonenumbers.normalize_digits_only(text)
        return phonenumbers.parse(f"+{digits.removeprefix('00')}")


def test_the_same_seed_gives_the_same_bytes(lists: DemoLists) -> None:
    """Another seed gives other lists."""
    again = demo_lists()
    assert (again.csv, again.parquet) == (lists.csv, lists.parquet)
    assert demo_lists(seed=1).csv != lists.csv


def test_the_two_files_contain_the_listed_rows(lists: DemoLists) -> None:
    """Every row is in one of them, in order."""
    csv = pl.read_csv(lists.csv, infer_schema=False)["Phone Number"].fill_null("")
    parquet = pl.read_parquet(io.BytesIO(lists.parquet))["mobile"].fill_null("")
    assert [*csv, *parquet] == lists.rows["recipient"].fill_null("").to_list()
    assert len(lists.rows) == 5000


def test_the_csv_is_as_messy_as_a_spreadsheet_makes_it(lists: DemoLists) -> None:
    """A BOM, CRLF, quoted commas, quotes and newlines, emoji."""
    assert lists.csv.startswith(b"\xef\xbb\xbfName,Phone Number,City\r\n")
    for mess in (b'"London, UK"', b'"The ""Hague"""', b'"Ho Chi Minh City\nDistrict 1"', "🌍".encode()):
        assert mess in lists.csv


def test_mobiles_receive_texts_however_they_are_written(lists: DemoLists) -> None:
    """From 25 regions or more, none of them China or the United States."""
    numbers = [read(each) for each in lists.rows.filter(pl.col("kind").is_in(["mobile", "duplicate"]))["recipient"]]
    regions = {phonenumbers.region_code_for_number(number) for number in numbers}
    assert all(phonenumbers.number_type(number) in RECEIVING for number in numbers)
    assert len(regions) >= 25
    assert {"HK", "TW", "MO", "CA", "JM"} <= regions
    assert not {"CN", "US"} & regions


def test_only_duplicates_repeat_a_mobile(lists: DemoLists) -> None:
    """Each duplicate is an earlier number in some spelling."""
    seen = set[str]()
    for kind, recipient in lists.rows.filter(pl.col("kind").is_in(["mobile", "duplicate"]))["kind", "recipient"].rows():
        number = phonenumbers.format_number(read(recipient), phonenumbers.PhoneNumberFormat.E164)
        assert (number in seen) is (kind == "duplicate")
        seen.add(number)


@pytest.mark.parametrize(("kind", "regions"), [("china", {"CN"}), ("united_states", {"US"})])
def test_the_unserved_are_real_numbers(lists: DemoLists, kind: str, regions: set[str]) -> None:
    """Mainland China and the United States, by their numbers."""
    numbers = [read(each) for each in lists.rows.filter(pl.col("kind") == kind)["recipient"]]
    assert {phonenumbers.region_code_for_number(number) for number in numbers} == regions


@pytest.mark.parametrize("kind", ["fixed_line", "premium", "toll_free", "too_short", "too_long", "unknown_country"])
def test_the_other_rows_cannot_receive_texts(lists: DemoLists, kind: str) -> None:
    """Fixed lines, premium, toll-free, wrong lengths and unknown countries."""
    for recipient in lists.rows.filter(pl.col("kind") == kind)["recipient"]:
        try:
            assert phonenumbers.number_type(read(recipient)) not in RECEIVING
        except NumberParseException:
            continue


def test_most_rows_look_like_the_documented_examples(lists: DemoLists) -> None:
    """Digits only, country code first, no plus."""
    plain = [each for each in lists.rows["recipient"] if each and each.isascii() and each.isdigit()]
    assert len(plain) > len(lists.rows) / 2
