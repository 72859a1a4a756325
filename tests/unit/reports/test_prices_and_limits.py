"""Prices, what a campaign costs, and the limits that it must not exceed."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.cost import cost_of, costs_by
from globe_sms.tasks.reports.prices import read_prices
from globe_sms.tasks.reports.spending_limits import exceeded_limits
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.planned_csv import no_s3, planned, written

PHONES = "phone\n+6581234567\n+6581234568\n+447400123456\n"


@pytest.mark.parametrize(
    "table",
    ["country,price,currency\nSG,0.04,usd\nGB,0.05,USD\n", "prefix,price,currency\n+65,0.04,USD\n447,0.05,USD\n"],
)
def test_a_campaign_costs_its_parts_by_country(tmp_path: Path, table: str) -> None:
    """By two letters, or by the longest prefix."""
    prices = read_prices(written(tmp_path / "prices.csv", table), no_s3)
    assert prices is not None
    plan = planned(tmp_path, "phone,n\n+6581234567,a\n+6581234568,b\n+447400123456,c\n", message="{n}" + "x" * 160)
    cost = cost_of(plan.scan(), prices)
    assert [(entry.region, entry.rows, entry.parts, entry.amount) for entry in cost.countries] == [
        ("SG", 2, 4, Decimal("0.16")),
        ("GB", 1, 2, Decimal("0.10")),
    ]
    assert (cost.amount, cost.currency, cost.unpriced) == (Decimal("0.26"), "USD", ())


def test_a_country_without_a_price_makes_the_cost_a_minimum(tmp_path: Path) -> None:
    """And a limit on the cost (--max-cost) stops the campaign."""
    prices = read_prices(written(tmp_path / "prices.csv", "country,price,currency\nSG,0.04,USD\n"), no_s3)
    assert prices is not None
    cost = cost_of(planned(tmp_path, PHONES).scan(), prices, segments=1)
    assert str(cost) == "at least 0.08 USD"
    config = CampaignConfig.checked(recipients="a", message="Hi", type="OTP", results="o", prices="p", max_cost=100)
    assert exceeded_limits(config, numbers=3, cost=cost) == (
        "its cost isn't known: the prices (--prices) have none for GB.",
    )


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("country,price,currency\n", "no rows|no prices|empty"),
        ("country,price,currency\nSG,0.04,USD\nGB,0.04,EUR\n", "the same currency"),
        ("country,price,currency\nSG,cheap,USD\n", "row 0 has a price"),
        ("country,price,currency\nSG,-1,USD\n", "row 0 has a price"),
        ("country,price,currency\nSG,nan,USD\n", "row 0 has a price"),
        ("country,price,currency\nSingapore,1,USD\n", "row 0 has a country"),
        ("prefix,price,currency\n+65,1,USD\n65,2,USD\n", "row 1 has a different price"),
        ("prefix,price,currency\nx,1,USD\n", "row 0 has a prefix"),
        ("place,price,currency\nSG,1,USD\n", "no column 'country'"),
        ("country,price\nSG,1\n", "no column 'currency'"),
    ],
)
def test_a_bad_table_of_prices_is_refused(tmp_path: Path, table: str, fault: str) -> None:
    """The message names the row and says what to write."""
    with pytest.raises(InputError, match=fault):
        read_prices(written(tmp_path / "prices.csv", table), no_s3)


def test_an_exceeded_limit_is_named_with_both_figures(tmp_path: Path) -> None:
    """A campaign exactly at the limit passes."""
    prices = read_prices(written(tmp_path / "prices.csv", "country,price,currency\nSG,0.04,USD\nGB,0.05,USD\n"), no_s3)
    assert prices is not None
    cost = cost_of(planned(tmp_path, PHONES).scan(), prices, segments=1)
    assert cost.amount == Decimal("0.13")
    config = CampaignConfig.checked(
        recipients="a", message="Hi", type="OTP", results="o", prices="p", max_recipients=10, max_cost=0.13
    )
    assert exceeded_limits(config, numbers=10, cost=cost) == ()
    dearer = cost_of(planned(tmp_path, PHONES).scan(), prices, segments=2)
    assert exceeded_limits(config, numbers=1_011, cost=dearer) == (
        "it has 1,011 numbers, but the limit (--max-recipients) is 10.",
        "it costs 0.26 USD, but the limit (--max-cost) is 0.13 USD.",
    )


def test_the_cost_by_a_column_is_that_of_the_rows_with_each_value(tmp_path: Path) -> None:
    prices = read_prices(written(tmp_path / "prices.csv", "country,price,currency\nSG,0.04,USD\n"), no_s3)
    assert prices is not None
    plan = planned(tmp_path, "phone,n\n+6581234567,a\n+6581234568,b\n+447400123456,c\n", message="{n}" + "x" * 160)
    rows = plan.scan().with_columns(half=pl.col("row") < 1)
    assert costs_by("half", rows, prices) == {half: cost_of(rows.filter(half=half), prices) for half in (True, False)}
