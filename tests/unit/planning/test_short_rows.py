"""Rows of CSV lists with too few fields are named as such, and a list of nothing else is refused."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.recipients import count_fields, find_lists, open_lists
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.planned_csv import NOW, no_s3, planned


def reasons(folder: Path, rows: str, **options: object) -> list[str | None]:
    return planned(folder, rows, **options).scan().collect()["reason"].to_list()


def test_a_row_without_the_field_of_the_number_has_too_few_fields(tmp_path: Path) -> None:
    """One whose field is there and empty is `empty`, and so is a blank line."""
    rows = 'name,phone,town\nAnna,+6581234567\nBert\nCid,\nDan,,\n\n \n"Eve, of\nold"\n"Flo, of\nnew",+6581234568,\n'
    short = "too_few_fields"
    assert reasons(tmp_path, rows) == [None, short, "empty", "empty", "empty", "empty", short, None]


def test_a_row_that_lacks_a_later_field_is_sent_or_misses_its_value(tmp_path: Path) -> None:
    rows = "name,phone,town\nAnna,+6581234567\n,,\n"
    assert reasons(tmp_path, rows) == [None, "empty"]
    assert reasons(tmp_path, rows, message="To {town}") == ["missing_town", "empty"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "name,phone\nAnna;+6581234567\n",
            "row 0 .*has 1 field, the header has 2.*split by ';', but.* by ','",
        ),
        (
            "phone;name;town\n\n+6581234567|A|B\n",
            r"row 1 .*1 field, the header has 3.*split by '\\|', but.* by ';'",
        ),
        ("name,town,phone\nAnna,Bedok\nBert,Yishun\n\n", "row 0 .*has 2 fields, the header has 3.*another table"),
    ],
    ids=["number last", "number first", "no other delimiter"],
)
def test_a_list_of_nothing_else_is_refused(rows: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"list\.csv: none of its rows has a phone number.*{said}"):
        planned(tmp_path, rows)


def test_a_list_of_blank_lines_or_of_empty_numbers_is_not_refused(tmp_path: Path) -> None:
    assert reasons(tmp_path, "name,phone\n\n\n") == ["empty", "empty"]
    assert reasons(tmp_path, "name,phone\nAnna,\nBert\n") == ["empty", "too_few_fields"]


def test_lists_of_another_shape_keep_all_their_rows(tmp_path: Path) -> None:
    """They aren't read again, and each of their rows still has its place beside the marks."""
    (tmp_path / "a.csv").write_text("name,phone\nAnna,+6581234567\nBert\n")
    pl.DataFrame({"phone": ["+6581234568", "+6581234569", "+6581234570"]}).write_parquet(tmp_path / "b.parquet")
    config = CampaignConfig.checked(
        recipients=[str(tmp_path / "a.csv"), str(tmp_path / "b.parquet")],
        message="Hi",
        type="OTP",
        results=str(tmp_path / "out"),
    )
    plan, _ = make_plan(config, LocalStore(tmp_path / "out"), no_s3, tmp_path, now=NOW)
    assert plan.scan().collect()["reason"].to_list() == [None, "too_few_fields", None, None, None]


def test_of_several_lists_each_row_keeps_its_own_reason(tmp_path: Path) -> None:
    """Lists of other shapes stand between; a list of short rows is refused by its own name."""
    lists = {
        "1.csv": "name,phone\nAnna,+6581234561\n",
        "2.csv": "phone,name\n+6581234562,Bert\n,\n",
        "3.csv": "name,phone\nCid\nDan,\n",
        "4.csv": "name,phone\n\nEve\nFlo,+6581234563\n",
    }
    for name, content in lists.items():
        (tmp_path / name).write_text(content)
    config = CampaignConfig.checked(
        recipients=tuple(str(tmp_path / name) for name in lists), message="Hi", type="NOTIFY", results=str(tmp_path)
    )
    plan, _ = make_plan(config, LocalStore(tmp_path / "store"), no_s3, tmp_path, now=NOW)
    short = "too_few_fields"
    assert plan.scan().collect()["reason"].to_list() == [None, None, "empty", short, "empty", "empty", short, None]
    (tmp_path / "3.csv").write_text("name,phone\nCid\nDan\n")
    with pytest.raises(InputError, match=r"3\.csv: none of its rows has a phone number"):
        make_plan(config, LocalStore(tmp_path / "store"), no_s3, tmp_path, now=NOW)


CELLS = st.one_of(st.sampled_from(["", "+6581234567", 'a "b" c']), st.text(alphabet='x,;"\n', max_size=5))


@settings(max_examples=50)
@given(
    rows=st.lists(st.lists(CELLS, max_size=3), min_size=1, max_size=8),
    quotes_all=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_fields_are_counted_as_the_csv_module_does(
    rows: list[list[str]], *, quotes_all: bool, end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Also where fields hold delimiters, line breaks and quotation marks; twice, as lists of one scan."""
    file = io.StringIO()
    quoting = csv.QUOTE_ALL if quotes_all else csv.QUOTE_MINIMAL
    csv.writer(file, quoting=quoting, lineterminator=end).writerows([["name", "phone", "a\nb"], *rows])
    folder = tmp_path_factory.mktemp("lists")
    for name in ("1.csv", "2.csv"):
        (folder / name).write_text(file.getvalue(), newline="")
    opened = open_lists(find_lists([str(folder)], no_s3), number_column="phone", s3=no_s3)
    counts = count_fields(opened, opened[0].shape, no_s3).collect()["fields"].to_list()
    read = [len(row) for row in csv.reader(io.StringIO(file.getvalue(), newline=""))][1:]
    assert counts == 2 * read
