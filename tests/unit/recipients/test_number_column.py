"""The number column is found by its name, in any spelling."""

import json
from pathlib import Path
from typing import Any

import pytest
from list_files import read, recipients

from globe_sms.tasks.recipients.number_column import is_usual_name, named_column, normalize_name
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
