"""What texts cost, by country."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl

from globe_sms.tasks.reports.prices import LONGEST_PREFIX, Prices

_PARTS: Final = pl.col("segments").cast(pl.UInt64).sum()


@dataclass(frozen=True, slots=True)
class CountryCost:
    """The rows and parts to a region, and what they cost; `amount` is None if some of them have no price."""

    region: str | None
    rows: int
    parts: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What texts cost by country, the most expensive first."""

    currency: str
    countries: tuple[CountryCost, ...]

    @property
    def amount(self) -> Decimal:
        """The total of the countries that have a price."""
        return sum((country.amount for country in self.countries if country.amount is not None), Decimal(0))

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The regions where some rows have no price."""
        return tuple(country.region or "no country" for country in self.countries if country.amount is None)

    def __str__(self) -> str:
        least = "at least " if self.unpriced else ""
        return f"{least}{money(self.amount)} {self.currency}"


def money(amount: Decimal) -> str:
    """Return an amount with two decimals."""
    return f"{amount:,.2f}"


def cost_of(rows: pl.LazyFrame, prices: Prices, *, segments: int | None = None) -> Cost:
    """Return what rows cost, counted in polars' streaming engine.

    `rows` has the columns phone_number, region and segments; give `segments` instead of the column if all rows have the
    same number of parts.
    """
    counted = _counted(rows, prices, _PARTS if segments is None else pl.len() * segments)
    return Cost(prices.currency, tuple(_by_country(counted, prices)))


def costs_by(column: str, rows: pl.LazyFrame, prices: Prices) -> Mapping[str, Cost]:
    """Return what the rows with each value of a column cost, as `cost_of` does; `rows` is read once."""
    counted = _counted(rows, prices, _PARTS, column)
    return {
        name: Cost(prices.currency, tuple(_by_country(part, prices)))
        for (name,), part in counted.partition_by(column, as_dict=True).items()
    }


def _counted(rows: pl.LazyFrame, prices: Prices, parts: pl.Expr, *by: str) -> pl.DataFrame:
    digits = pl.col("phone_number").str.slice(1, LONGEST_PREFIX if prices.by_prefix else 0)
    grouped = rows.group_by(*by, "region", digits=digits)
    return grouped.agg(rows=pl.len(), parts=parts).collect(engine="streaming")


def _by_country(counted: pl.DataFrame, prices: Prices) -> Iterable[CountryCost]:
    found: dict[str | None, list[tuple[int, int, Decimal | None]]] = defaultdict(list)
    for region, digits, rows, parts in counted.select("region", "digits", "rows", "parts").iter_rows():
        price = prices.price(region, digits)
        found[region].append((rows, parts, None if price is None else price * parts))
    costs = [
        CountryCost(
            region,
            sum(rows for rows, _, _ in entries),
            sum(parts for _, parts, _ in entries),
            _sum([amount for _, _, amount in entries]),
        )
        for region, entries in found.items()
    ]
    return sorted(costs, key=lambda cost: (-(cost.amount or Decimal(0)), -cost.parts, cost.region or ""))


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None
