"""The number column is found by its name, in any spelling."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from list_files import no_s3, read, recipients, workbook

from globe_sms.tasks.recipients import ReadOptions, find_lists, open_lists
from globe_sms.tasks.recipients.column_names import is_usual_name, normalize_name
from globe_sms.tasks.recipients.number_column import named_column
from globe_sms.tasks.vocabulary.errors import InputError

SHARED = next((found for up in Path(__file__).parents if (found := up / "shared" / "data").is_dir()), Path("none"))
USUAL = (
    *("phone", "Phone", "PHONE", "phone_number", "Phone Number", "phone-number", "phoneNumber", "p h o n e"),
    *("phone no", "Phone No.", "phone#", "Phone Nr.", " phone number ", "phone\u200bnumber", "\ufeffphone"),
    *("mobile", "Mobile Number", "mobile_no", "mobile phone", "cell", "Cell Phone", "cellphone_number"),
    *("MSISDN", "to", "To", "recipient", "number", "Numbers", "tel", "Tel.", "tel_no", "telephone"),
    *("Telephone Number", "contact number", "Contact No.", "whatsapp", "WhatsApp Number", "handphone", "HP No."),
    *("téléphone", "Teléfono", "celular", "手机号码", "電話番号", "\uff50\uff48\uff4f\uff4e\uff45"),
)


@pytest.mark.parametrize("name", USUAL)
def test_usual_names_are_recognized(name: str) -> None:
    """With any case, spaces, dashes, dots, accents and invisible characters."""
    assert is_usual_name(name)


@pytest.mark.parametrize(
    "name", ["", "name", "email", "phone type", "mobile operator", "total", "house number", "id", "#"]
)
def test_other_names_are_not_recognized(name: str) -> None:
    """A column about phones isn't a column of phone numbers."""
    assert not is_usual_name(name)


def _cases(file: str, *kinds: str) -> list[dict[str, Any]]:
    path = SHARED / file
    if not path.exists():
        return []
    cases: list[dict[str, Any]] = json.loads(path.read_text())
    return [case for case in cases if not kinds or case.get("case", case.get("table")) in kinds]


@pytest.mark.parametrize("case", _cases("notify_column_names.json"), ids=str)
def test_names_compare_like_notifys(case: dict[str, Any]) -> None:
    """Case, spaces and underscores don't matter."""
    known = {normalize_name(name) for name in case["in_dictionary"]}
    assert (normalize_name(case["key"]) in known) == case["expected_present"]


@pytest.mark.parametrize("case", _cases("notify_whitespace.json", "test_strip_all_whitespace"), ids=str)
def test_invisible_white_space_around_a_name_is_ignored(case: dict[str, Any]) -> None:
    """Even the Mongolian vowel separator."""
    assert named_column("list", [case["value"]], "bar") == 0


def _csv(case: dict[str, Any]) -> str:
    # The cases keep an indentation that Notify strips around each cell; here it's removed line by line.
    return "\n".join(line.strip(" ") for line in case["csv"].split("\n")).strip("\n")


@pytest.mark.parametrize("case", _cases("notify_csv_cases.json", "has_recipient_column", "headers"), ids=str)
def test_number_columns_are_found_like_notifys(case: dict[str, Any], tmp_path: Path) -> None:
    """Lists with one are read, lists without one are refused."""
    (tmp_path / "list").write_text(_csv(case))
    if "phone" in _csv(case).partition("\n")[0].casefold():
        assert read(tmp_path / "list").columns == ["source", "row", "recipient"]
    else:
        with pytest.raises(InputError, match=r"no column has a usual name for phone numbers|it is empty"):
            read(tmp_path / "list")


@pytest.mark.parametrize(
    "case", _cases("notify_csv_cases.json", "duplicate_recipient_column", "two_phone_columns"), ids=str
)
def test_two_possible_number_columns_are_refused(case: dict[str, Any], tmp_path: Path) -> None:
    """A guess could text a stranger."""
    (tmp_path / "list").write_text(_csv(case))
    with pytest.raises(InputError, match="several columns may hold the phone numbers"):
        read(tmp_path / "list")


@pytest.mark.parametrize(
    "case",
    [case for case in _cases("notify_csv_cases.json", "recipient_and_values") if "phone" in case["csv"]],
    ids=str,
)
def test_recipients_match_notifys(case: dict[str, Any], tmp_path: Path) -> None:
    """Empty rows stay rows, without a recipient."""
    (tmp_path / "list").write_text(_csv(case))
    assert [text for text in recipients(tmp_path / "list") if text] == case["expected_recipients"]


TWO = {
    "a customer's number": ("Number,Customer,Phone/WhatsApp\n91110001,Anna,+6591234567\n", "Number, Phone/WhatsApp"),
    "the end of a journey": ("name,from,to,Contact\nAnna,SIN,KUL,+6591234567\n", "to, Contact"),
    "a phone's model": ("Phone,Hotline of\niPhone,+6591234567\nGalaxy,+6591234568\n", "Phone, Hotline of"),
    "two people": ("phone,Emergency phone\n+6591234567,+6591234568\n", "phone, Emergency phone"),
    "another word": ("recipient,Mobile of guardian\n91234567,91234568\n", "recipient, Mobile of guardian"),
}


@pytest.mark.parametrize("case", TWO)
def test_two_columns_that_could_hold_the_numbers_are_both_named(case: str, tmp_path: Path) -> None:
    """By their names and their values."""
    text, both = TWO[case]
    (tmp_path / "list").write_text(text)
    with pytest.raises(InputError, match=rf"several columns may hold the phone numbers \({both}\).*--number-column"):
        recipients(tmp_path / "list")
    names = text.partition("\n")[0].split(",")
    first = both.partition(",")[0]
    expected = text.split("\n")[1].split(",")[names.index(first)]
    assert recipients(tmp_path / "list", number=first)[0] == expected


@pytest.mark.parametrize(
    "text",
    [
        "phone,phone type\n+6591234567,mobile\n",
        "phone,phone verified on\n+6591234567,2026-11-30\n",
        "phone,order\n+6591234567,1000001\n",
        "number,order\n+6591234567,1000001\n",
        "phone,phone 2\n+6591234567,\n",
    ],
)
def test_a_column_about_phones_is_no_second_candidate(text: str, tmp_path: Path) -> None:
    """Nor is one of other numbers, beside a column of phone numbers."""
    (tmp_path / "list").write_text(text)
    assert recipients(tmp_path / "list") == ["+6591234567"]


MOSTLY_OTHER = {
    "csv": b"to,x\nKUL,1\nBKK,2\n",
    "ndjson": b'{"to": "KUL"}\n{"to": "BKK"}\n',
    "phone": b"phone\n" + b"iPhone\n" * 3 + b"Galaxy\n" * 2 + b"+6591234567\n",
    "no numbers at all": b"Mobile,x\n" + b"yes,1\n" * 9,
}


@pytest.mark.parametrize("case", MOSTLY_OTHER)
def test_a_column_of_other_values_is_questioned_with_the_figure(case: str, tmp_path: Path) -> None:
    """Unless it is named."""
    (tmp_path / "list").write_bytes(MOSTLY_OTHER[case])
    with pytest.raises(InputError, match=r"may not hold the phone numbers: only \d of its first \d values"):
        recipients(tmp_path / "list")
    name = re.findall(r"\w+", MOSTLY_OTHER[case].decode())[0]
    assert recipients(tmp_path / "list", number=name)


def test_the_values_of_parquet_and_workbooks_are_looked_at_too(tmp_path: Path) -> None:
    """A column is more than its name in any format."""
    pl.DataFrame({"Number": [91110001], "Phone/WhatsApp": ["+6591234567"]}).write_parquet(tmp_path / "a")
    (tmp_path / "b").write_bytes(workbook([["Number", "Phone/WhatsApp"], [91110001, "+6591234567"]]))
    pl.DataFrame({"to": ["KUL", "BKK"]}).write_parquet(tmp_path / "c")
    for name, said in (("a", "several columns"), ("b", "several columns"), ("c", "only 0 of its first 2 values")):
        with pytest.raises(InputError, match=said):
            recipients(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("phone,country\n91234567,Singapore\n", "country"),
        ("phone,Country Code\n91234567,65\n", "Country Code"),
        ("phone,iso\n91234567,SG\n91234568,\n", "iso"),
        ("phone,country\n91234567,North\n91234568,South\n", None),
        ("phone,town\n91234567,Singapore\n", None),
    ],
)
def test_a_column_of_countries_is_found_by_name_and_values(text: str, found: str | None, tmp_path: Path) -> None:
    """A column called country may hold something else."""
    (tmp_path / "list").write_text(text)
    sources = find_lists([str(tmp_path / "list")], no_s3, options=ReadOptions(finds_region=True))
    assert open_lists(sources, number_column=None, s3=no_s3)[0].reading.region_column == found


def test_a_column_of_countries_may_be_named(tmp_path: Path) -> None:
    """And must be, of two; a wrong name is refused."""
    (tmp_path / "list").write_text("phone,country,iso,Where\n91234567,Singapore,SG,SG\n")

    def read_with(options: ReadOptions) -> str | None:
        sources = find_lists([str(tmp_path / "list")], no_s3, options=options)
        return open_lists(sources, number_column=None, s3=no_s3)[0].reading.region_column

    assert read_with(ReadOptions(region_column="where")) == "Where"
    with pytest.raises(InputError, match=r"several columns may hold the countries .*\(country, iso\).*--region-column"):
        read_with(ReadOptions(finds_region=True))
    with pytest.raises(InputError, match="no column 'nowhere'"):
        read_with(ReadOptions(region_column="nowhere"))
