"""Which variant a number gets, and whether it's held out: by chance, and the same each time."""

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.campaign.experiment import read_variants
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.random_split import HELD_OUT, place_of_number, with_holdout, with_variants
from tests.unit.planned_csv import planned

NUMBERS = [f"+65{81_000_000 + number}" for number in range(200)]
TEXTS = {"variant": ["A:3=Hi {name}", "B:1=Dear {name|you}"], "message": ""}


def drawn(key: str, count: int = 20_000) -> pl.DataFrame:
    """Draw both for consecutive numbers."""
    rows = pl.LazyFrame({"e164": range(6_581_000_000, 6_581_000_000 + count)})
    rows = with_holdout(with_variants(rows, read_variants(["A:70=a", "B:30=b"]), key), 0.05, key)
    return rows.collect(engine="streaming")


def rows_of(plan: FrozenPlan) -> pl.DataFrame:
    return plan.scan().select("recipient", "phone_number", "status", "reason", "variant", "message").collect()


def test_the_draw_is_the_same_in_every_version_and_process() -> None:
    """These are the places of a few numbers, for ever: a change would move people to other variants."""
    rows = pl.DataFrame({"e164": [6581234567, 6581234568, None]})
    assert rows.select(place_of_number("spring", "variant")).to_series().to_list() == [
        0.5862214921546853,
        0.31664150129572644,
        None,
    ]


def test_shares_are_kept_and_draws_do_not_depend_on_each_other() -> None:
    """Within four standard deviations, of 20,000 numbers that follow each other."""
    found = drawn("spring")
    held = found.filter(HELD_OUT)
    assert abs(found["variant"].eq("A").mean() - 0.7) < 0.013  # type: ignore[operator]
    assert abs(held.height - 1_000) < 125
    assert abs(held["variant"].eq("A").mean() - 0.7) < 0.06  # type: ignore[operator]
    other = drawn("autumn")
    assert abs((found["variant"] == other["variant"]).mean() - 0.58) < 0.015  # type: ignore[operator]


@settings(max_examples=25)
@given(st.lists(st.integers(10**6, 10**15), unique=True, max_size=30), st.randoms(use_true_random=False))
def test_a_number_s_draw_does_not_depend_on_its_row(numbers: list[int], dice: random.Random) -> None:
    shuffled = dice.sample(numbers, len(numbers))
    variants = read_variants(["A=a", "B=b", "C=c"])
    both = [
        with_variants(pl.LazyFrame({"e164": each}, schema={"e164": pl.Int64}), variants, "k").collect()
        for each in (numbers, shuffled)
    ]
    assert both[0].sort("e164").equals(both[1].sort("e164"))
    assert both[0]["variant"].null_count() == 0


def listed(numbers: list[str]) -> str:
    return "phone,name\n" + "".join(f"{number},N{number[-3:]}\n" for number in numbers)


@pytest.mark.parametrize("campaign", ["spring", None])
def test_a_list_in_another_order_has_the_same_split(campaign: str | None, tmp_path: Path) -> None:
    """With a campaign id, and without one."""
    options: dict[str, Any] = {**TEXTS, "holdout": "10%", "campaign": campaign}
    one, other = (
        rows_of(planned(tmp_path, listed(numbers), **options)).sort("recipient") for numbers in (NUMBERS, NUMBERS[::-1])
    )
    assert one.equals(other)
    assert one["variant"].n_unique() == 3  # A, B, and none for the holdout


def test_the_plan_says_who_gets_which_text_and_holds_the_others_out(tmp_path: Path) -> None:
    """A duplicate of somebody held out is a duplicate; who can't get a text isn't held out."""
    plan = planned(tmp_path, listed([*NUMBERS, *NUMBERS[:50], "landline"]), **TEXTS, holdout="20%", campaign="c")
    rows = rows_of(plan)
    first, again = rows.head(200), rows.slice(200, 50)
    held = first.filter(pl.col("reason") == "holdout")
    assert 15 < held.height < 65
    assert held["status"].unique().to_list() == ["not_sent"]
    assert held["variant"].null_count() == held["message"].null_count() == held.height
    assert again["status"].unique().to_list() == ["duplicate"]
    assert rows["reason"][-1] == "not_a_number"
    sent = first.filter(pl.col("status").is_null())
    for name, text in (("A", "Hi N"), ("B", "Dear N")):
        assert sent.filter(variant=name)["message"].str.starts_with(text).all()
        assert sent.filter(variant=name).height > 20
    assert plan.counts() == {"sendable": sent.height, "not_sent": held.height, "duplicate": 50, "invalid": 1}
    assert sum(len(chunk.phone_numbers) for chunk in plan.chunks(0, plan.chunk_count() - 1)) == sent.height


def test_opt_outs_and_rows_without_a_text_are_not_held_out(tmp_path: Path) -> None:
    """They would be left out anyway, so they say nothing about the text."""
    (tmp_path / "stop.csv").write_text("phone\n" + "".join(f"{number}\n" for number in NUMBERS[:50]))
    texts = {"variant": ["A=Hi {name}", "B=Dear {name}"], "message": "", "holdout": "50%", "campaign": "c"}
    rows = [f"{number},{'' if place < 100 else 'N'}\n" for place, number in enumerate(NUMBERS)]
    plan = planned(tmp_path, "phone,name\n" + "".join(rows), **texts, suppress=str(tmp_path / "stop.csv"))
    found = rows_of(plan)
    assert found.head(50)["status"].unique().to_list() == ["suppressed"]
    assert found.slice(50, 50)["reason"].unique().to_list() == ["missing_name"]
    assert found.slice(50, 50)["variant"].null_count() == 0  # whose text is at fault
    assert set(found.slice(100, 100)["reason"]) == {None, "holdout"}


def test_a_canary_is_of_people_who_get_a_text(tmp_path: Path) -> None:
    plan = planned(tmp_path, listed(NUMBERS), message="Hi", holdout="50%", campaign="c", canary=5)
    assert plan.canary_chunks(5) == 3
    assert [len(chunk.phone_numbers) for chunk in plan.chunks(0, 3)] == [2, 2, 1, 2]
