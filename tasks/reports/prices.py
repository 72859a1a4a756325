"""What texts cost: a table of prices for a part, by country or by prefix, and the cost of rows by country."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

import polars as pl

from globe_sms.tasks.numbers import checked_region
from globe_sms.tasks.recipients import fault_in, read_small_table, refusal
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

MOST_PRICES: Final = 10_000
_LONGEST_PREFIX: Final = 7
_COLUMNS: Final = ("price", "currency")
_KEYS: Final = ("prefix", "country")
_SEPARATORS: Final = str.maketrans("", "", " -()\u00a0+")


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of a part, in one currency, by region (ISO 3166 alpha-2) or by the first digits of E.164."""

    currency: str
    by_region: Mapping[str, Decimal]
    by_prefix: Mapping[str, Decimal]

    def price(self, region: str | None, digits: str) -> Decimal | None:
        """Return the price of a part to a number: that of its longest prefix, else its country's; None if neither."""
        for length in range(min(_LONGEST_PREFIX, len(digits)), 0, -1):
            if digits[:length] in self.by_prefix:
                return self.by_prefix[digits[:length]]
        return None if region is None else self.by_region.get(region)


@dataclass(frozen=True, slots=True)
class CountryCost:
    """Rows and parts to a region, and what they cost; `amount` is None where a price is missing for some of them."""

    region: str | None
    rows: int
    parts: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What texts cost by country, the dearest first."""

    currency: str
    countries: tuple[CountryCost, ...]

    @property
    def amount(self) -> Decimal:
        """The sum of what has a price."""
        return sum((country.amount for country in self.countries if country.amount is not None), Decimal(0))

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The regions without a price for all of their rows."""
        return tuple(country.region or "no country" for country in self.countries if country.amount is None)

    def __str__(self) -> str:
        least = "at least " if self.unpriced else ""
        return f"{least}{money(self.amount)} {self.currency}"


def money(amount: Decimal) -> str:
    """Write an amount with two decimals."""
    return f"{amount:,.2f}"


def read_prices(uri: str | None, s3: Callable[[], S3Access]) -> Prices | None:
    """Read a table of the columns `country` or `prefix`, `price` and `currency`, in any format that a list may have.

    A country is two letters (SG), a prefix the first digits of international numbers (+65 or 658). The price is for one
    part. All rows have one currency.

    Raises:
        InputError: the table cannot be read, is empty, or a row is wrong; one line that names it.
    """
    if uri is None:
        return None
    by_key: dict[str, dict[str, Decimal]] = {key: {} for key in _KEYS}
    currencies: set[str] = set()
    table = read_small_table(uri, s3, keys=_KEYS, columns=_COLUMNS, most_rows=MOST_PRICES, meant_for="countries")
    for row in table.rows:
        named, price, currency = row.cells
        try:
            place, amount = _place(table.key, named), _price(price)
        except ValueError as error:
            raise fault_in(row.source, row.row, str(error)) from None
        if by_key[table.key].setdefault(place, amount) != amount:
            raise fault_in(row.source, row.row, "has another price than an earlier row for the same place")
        currencies.add(currency.upper())
    if not currencies:
        raise refusal(uri, "holds no prices: give a table with the columns country or prefix, price and currency")
    if len(currencies) > 1 or "" in currencies:
        raise refusal(uri, "must have one currency, the same in every row")
    return Prices(currencies.pop(), by_key["country"], by_key["prefix"])


def cost_of(rows: pl.LazyFrame, prices: Prices, *, segments: int | None = None) -> Cost:
    """Return what rows cost, counted in polars' streaming engine.

    `rows` has the columns phone_number, region and segments; `segments` stands for the latter where all rows have as
    many parts.
    """
    parts = pl.len() * segments if segments is not None else pl.col("segments").cast(pl.UInt64).sum()
    counted = (
        rows.group_by("region", digits=pl.col("phone_number").str.slice(1, _LONGEST_PREFIX if prices.by_prefix else 0))
        .agg(rows=pl.len(), parts=parts)
        .collect(engine="streaming")
    )
    return Cost(prices.currency, tuple(_by_country(counted.select("region", "digits", "rows", "parts").rows(), prices)))


def _by_country(counted: Iterable[tuple[str | None, str, int, int]], prices: Prices) -> Iterable[CountryCost]:
    found: dict[str | None, list[tuple[int, int, Decimal | None]]] = defaultdict(list)
    for region, digits, rows, parts in counted:
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


def _place(key: str, named: str) -> str:
    text = named.strip()
    if key == "country":
        try:
            return checked_region(text) or text
        except InputError:
            raise ValueError("holds a country that is not two letters of ISO 3166: write it like SG") from None
    digits = text.removesuffix(".0").translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > _LONGEST_PREFIX or digits.startswith("0"):
        raise ValueError(f"holds a prefix that is not 1 to {_LONGEST_PREFIX} digits, country code first, like +65")
    return digits


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text.strip())
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or price < 0:
        raise ValueError("holds a price that is not a number such as 0.0325")
    return price
