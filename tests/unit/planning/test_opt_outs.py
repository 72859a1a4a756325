"""Opt-out lists as people have them: damaged rows, other encodings, no header; and when they are read again."""

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.options.left_out import OnDamaged
from globe_sms.tasks.numbers import Overrides
from globe_sms.tasks.planning.campaign_lists import check_campaign_lists
from globe_sms.tasks.planning.opt_outs import OptOutLists
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.planned_csv import no_s3, planned, written

DAMAGED = "phone,date\n+6591234567,2026-11-01\n6.59123E+09,2026-11-02\n\n6.59123E+09,2026-11-03\n"


def opt_outs(folder: Path, *places: str, **options: Any) -> OptOutLists:
    """The lists of a run."""
    return OptOutLists(places, no_s3, folder, **options)


def numbers(lists: OptOutLists) -> list[list[int]]:
    """The numbers of each list, sorted."""
    return [sorted(pl.read_parquet(file)["e164"]) for file in lists.files()]


def test_a_damaged_row_stops_the_campaign_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    """The line is that of the file, the way people count it."""
    place = written(tmp_path / "out.csv", DAMAGED)
    with pytest.raises(InputError) as caught:
        opt_outs(tmp_path, place).files()
    said = str(caught.value)
    assert said.startswith(
        f"{place}: line 3 isn't a phone number (spreadsheet_damage). In all, 2 of its 4 rows aren't."
    )
    assert said.endswith("add --suppress-damaged skip")
    assert not list(tmp_path.glob("opt-outs-*"))


def test_damaged_rows_can_be_passed_over_and_are_counted(tmp_path: Path) -> None:
    """Blank rows are neither damaged nor counted."""
    place = written(tmp_path / "out.csv", DAMAGED)
    lists = opt_outs(
        tmp_path, place, written(tmp_path / "fine.csv", "phone\n\n6581234567\n"), on_damaged=OnDamaged.SKIP
    )
    assert numbers(lists) == [[6591234567], [6581234567]]
    assert lists.passed_over == {place: 2}


@pytest.mark.parametrize(
    ("name", "data", "place", "words"),
    [
        ("a.txt", b"+6591234568\n+6591234569\n", "#no-header", "#no-header"),
        ("b.csv", "phone,reason\n+6591234568,désabonné\n".encode("latin-1"), "#encoding=latin-1", "#encoding=windows"),
        ("c.csv", b"when,phone,mobile\n1,,6591234568\n", "#number-column=mobile", "#number-column=2"),
        ("d.txt", b"left;+6591234568\n", "#no-header,number-column=2", "#no-header,number-column=2"),
        ("e.csv", b"phone\n91234568\n", "#default-region=SG", "#default-region=SG"),
    ],
)
def test_what_a_message_advises_works_for_the_list(
    name: str, data: bytes, place: str, words: str, tmp_path: Path
) -> None:
    """The advice names what may follow the list's URI, and never an option of the recipient lists."""
    path = tmp_path / name
    path.write_bytes(data)
    begun = f"{path}#no-header" if name == "d.txt" else str(path)
    with pytest.raises(InputError) as caught:
        opt_outs(tmp_path, begun).files()
    assert f"--suppress '{path}{words}" in str(caught.value)
    assert "--no-header" not in str(caught.value)
    assert 6591234568 in numbers(opt_outs(tmp_path, f"{path}{place}"))[0]


def test_a_local_number_in_an_international_looking_list_is_damage(tmp_path: Path) -> None:
    """Read as a number of another country, it isn't one: whom it means is unknown."""
    place = written(tmp_path / "out.csv", "phone\n+6591234567\n91234568\n")
    with pytest.raises(InputError, match=r"line 3 isn't a phone number .*like --suppress '.*#default-region=SG'"):
        opt_outs(tmp_path, place).files()
    assert numbers(opt_outs(tmp_path, f"{place}#default-region=SG")) == [[6591234567, 6591234568]]


def test_a_cell_with_several_numbers_is_damage(tmp_path: Path) -> None:
    """All of them opted out, and one would be read."""
    place = written(tmp_path / "out.csv", "phone\n+6591234567 / +6591234568\n+6591234569\n")
    with pytest.raises(InputError, match=r"line 2 isn't a phone number \(several_numbers\)"):
        opt_outs(tmp_path, place).files()


def test_a_number_that_an_override_makes_sendable_can_opt_out(tmp_path: Path) -> None:
    """Libphonenumber doesn't know it, but the campaign would text it."""
    found = numbers(
        opt_outs(tmp_path, written(tmp_path / "o.csv", "phone\n+6571234567\n"), overrides=Overrides({"657": True}))
    )
    assert found == [[6571234567]]


def test_only_a_list_that_has_changed_is_read_again(tmp_path: Path) -> None:
    """Its file is another one then, by which others know."""
    first, second = written(tmp_path / "a.csv", "phone\n6581234567\n"), written(tmp_path / "b.csv", "phone\n")
    lists = opt_outs(tmp_path, first, second)
    before = lists.files()
    assert lists.files() == before
    written(tmp_path / "b.csv", "phone\n6581234568\n")
    after = lists.files()
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)
    assert numbers(lists) == [[6581234567], [6581234568]]
    os.unlink(first)  # noqa: PTH108
    with pytest.raises(InputError, match=r"a\.csv"):
        lists.files()


def test_a_list_is_the_reason_without_how_it_is_read(tmp_path: Path) -> None:
    """The results name the list."""
    place = written(tmp_path / "out.txt", "+6581234568\n")
    plan = planned(tmp_path, "phone\n+6581234567\n+6581234568\n", suppress=[f"{place}#no-header"])
    assert plan.scan().select("reason").collect()["reason"].to_list() == [None, place]


def test_a_missing_list_with_a_format_is_found_before_a_run(tmp_path: Path) -> None:
    """By the check that reads first bytes only."""
    from globe_sms.tasks.campaign.config import CampaignConfig

    config = CampaignConfig.checked(
        recipients=written(tmp_path / "list.csv", "phone\n+6581234567\n"),
        message="Hi",
        type="NOTIFY",
        results="out",
        suppress=f"{tmp_path}/gone.csv#no-header",
    )
    with pytest.raises(InputError, match=r"gone\.csv: the file doesn't exist"):
        check_campaign_lists(config, no_s3)
