"""What is left of a day's and a month's budget, and what the campaigns of a results folder have used of it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from globe_sms.tasks.campaign.campaign_json import Usage
from globe_sms.tasks.policy.amounts import Amounts, Period
from globe_sms.tasks.policy.budgets import budget_periods, refusals
from globe_sms.tasks.policy.count_usage import count_usage
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.place_usage import PlaceUsage
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.policy.rules import PolicyRules
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from tests.unit.inquiry.kept_campaigns import BEGAN, KeptCampaign

NUMBERS = ["+6581234567", "+6581234568", "+6581234569", "+6581234570", "+447400123456"]
PRICES = Prices("USD", {"SG": Decimal("0.03")}, {"447": Decimal("0.05")})
NOW = datetime.fromtimestamp(BEGAN, UTC)


def no_s3() -> S3Access:
    raise AssertionError


def policy(zone: str = "UTC", **budget: Any) -> Policy:
    rules = PolicyRules.model_validate({"time-zone": zone, "prices": "p.csv", "budget": budget})
    return Policy("policy.toml", None, "digest", rules)


def used(at: str, numbers: int = 1, cost: str | None = "0") -> Usage:
    return Usage(currency="USD", quarters={f"{at}+00:00": (numbers, numbers, cost)})


def usage_since(
    start: datetime, store: LocalStore, tmp_path: Path, prices: Prices | None = None
) -> Mapping[str, Usage]:
    scratch = tmp_path / "counting"
    scratch.mkdir(exist_ok=True)
    return PlaceUsage(PlaceResults(store, no_s3, scratch, {}), prices).since(start)


@pytest.mark.parametrize(
    ("zone", "now", "day", "month"),
    [
        ("UTC", "2026-11-30T23:59", ("2026-11-30T00:00", "2026-12-01T00:00"), ("2026-11-01T00:00", "2026-12-01T00:00")),
        # Half an hour's offset, and another day than in UTC.
        (
            "Asia/Kolkata",
            "2026-11-30T18:30",
            ("2026-11-30T18:30", "2026-12-01T18:30"),
            ("2026-11-30T18:30", "2026-12-31T18:30"),
        ),
        # A day of 25 hours.
        (
            "Europe/London",
            "2026-10-25T12:00",
            ("2026-10-24T23:00", "2026-10-26T00:00"),
            ("2026-09-30T23:00", "2026-11-01T00:00"),
        ),
        (
            "Asia/Singapore",
            "2026-01-31T15:59",
            ("2026-01-30T16:00", "2026-01-31T16:00"),
            ("2025-12-31T16:00", "2026-01-31T16:00"),
        ),
    ],
)
def test_days_and_months_begin_by_the_policys_clock(
    zone: str, now: str, day: tuple[str, str], month: tuple[str, str]
) -> None:
    budgets = budget_periods(
        policy(zone, day={"numbers": 1}, month={"numbers": 1}),
        datetime.fromisoformat(now).replace(tzinfo=UTC),
        {},
        None,
    )
    bounds = [
        tuple(f"{edge.astimezone(UTC):%Y-%m-%dT%H:%M}" for edge in (each.period.starts, each.period.ends))
        for each in budgets
    ]
    assert bounds == [day, month]


def test_what_was_used_counts_from_the_first_quarter_of_the_day() -> None:
    """In Kathmandu a day begins at a quarter past."""
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    usage = {"a": used("2026-11-29T18:00", 1), "b": used("2026-11-29T18:15", 10), "c": used("2026-11-30T18:15", 100)}
    (today,) = budget_periods(policy("Asia/Kathmandu", day={"numbers": 50}), now, usage, None)
    assert today.used.numbers == 10
    assert today.left() == "Of today's budget, 40 of 50 numbers are left; it resets at 2026-12-01 00:00 +0545."


@pytest.mark.parametrize(
    ("budget", "wanted", "words"),
    [
        ({"numbers": 15}, Amounts(5, 5), None),
        ({"numbers": 15}, Amounts(6, 6), "it would use 6 numbers, but of today's budget .* only 5 of 15 numbers"),
        ({"parts": 15}, Amounts(3, 6), "it would use 6 message parts, .* only 5 of 15 message parts are left"),
        ({"cost": 1.5}, Amounts(1, 1, Decimal("0.5")), None),
        ({"cost": 1.5}, Amounts(1, 1, Decimal("0.51")), r"it would use 0\.51 USD, .* only 0\.50 of 1\.50 USD are left"),
        ({"cost": 1.5}, Amounts(1, 1, None), "it would use an unknown cost"),
        ({"numbers": 3}, Amounts(1, 1), "only 0 of 3 numbers are left. It resets at 2026-12-01 00:00 UTC"),
        ({"numbers": 3}, Amounts(), None),
    ],
)
def test_a_campaign_that_would_exceed_a_budget_is_told_what_is_left_and_when_it_resets(
    budget: dict[str, Any], wanted: Amounts, words: str | None
) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    found = refusals(budget_periods(policy(day=budget), now, {"a": used("2026-11-30T10:00", 10, "1")}, "USD"), wanted)
    if words is None:
        assert found == ()
    else:
        assert len(found) == 1
        assert re.search(words, found[0])


def test_a_cost_that_is_not_known_is_no_budget_left() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    budgets = budget_periods(policy(day={"cost": 5}), now, {"a": used("2026-11-30T10:00", 1, None)}, "USD")
    assert "an unknown part of 5.00 USD" in refusals(budgets, Amounts(1, 1, Decimal(0)))[0]


def test_a_campaign_that_was_killed_is_counted_from_its_ledger(tmp_path: Path, local_store: LocalStore) -> None:
    """Accepted, failed and unanswered rows count, each at its time; what was never sent doesn't."""
    kept = KeptCampaign(local_store, "killed", NUMBERS, tmp_path)
    kept.accept(0)
    kept.claim(1)
    kept.crash(until=BEGAN + 60)
    usage = usage_since(NOW, local_store, tmp_path, PRICES)["killed"]
    day = Period.day(NOW, ZoneInfo("UTC"))
    assert day.used(usage) == Amounts(4, 4, Decimal("0.12"))
    assert usage_since(NOW + timedelta(days=40), local_store, tmp_path, PRICES) == {}


def test_what_is_summed_up_is_not_counted_again(tmp_path: Path, local_store: LocalStore) -> None:
    """So that 300 campaigns cost 300 small reads. It's counted once more where the prices were others."""
    kept = KeptCampaign(local_store, "done", NUMBERS, tmp_path)
    kept.accept(0)
    kept.write_results()
    path = tmp_path / "done" / "results.parquet"
    usage = count_usage(pl.scan_parquet(path), kept.store, None)
    kept.campaign.update(usage=usage)
    kept.end()
    assert sum(numbers for numbers, _, _ in usage.quarters.values()) == 2
    local_store.delete(f"done/plans/{kept.plan.id}.parquet")
    assert usage_since(NOW - timedelta(days=1), local_store, tmp_path)["done"] == usage
    priced = usage_since(NOW - timedelta(days=1), local_store, tmp_path, PRICES)["done"]
    assert [cost for _, _, cost in priced.quarters.values()] == ["0.06"]
    assert usage_since(NOW + timedelta(days=1), local_store, tmp_path) == {}


def test_a_campaign_that_sends_again_is_not_summed_up(tmp_path: Path, local_store: LocalStore) -> None:
    """From before its first claim on; a kill leaves it so."""
    kept = KeptCampaign(local_store, "again", NUMBERS, tmp_path)
    kept.accept(0)
    kept.campaign.update(usage=Usage(quarters={}))
    kept.accept(1)
    kept.crash(until=BEGAN + 60)
    usage = usage_since(NOW, local_store, tmp_path)["again"]
    assert sum(numbers for numbers, _, _ in usage.quarters.values()) == 4
