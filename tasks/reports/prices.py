"""The price of a message part, by country or by prefix, read from a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from globe_sms.tasks.numbers import checked_region
from globe_sms.tasks.recipients import fault_in, read_small_table, refusal
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

MOST_PRICES: Final = 10_000
LONGEST_PREFIX: Final = 7
_COLUMNS: Final = ("price", "currency")
_KEYS: Final = ("prefix", "country")
_SEPARATORS: Final = str.maketrans("", "", " -()\u00a0+")


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of a message part in one currency, by region (ISO 3166 alpha-2) or by the first digits of E.164."""

    currency: str
    by_region: Mapping[str, Decimal]
    by_prefix: Mapping[str, Decimal]

    def price(self, region: str | None, digits: str) -> Decimal | None:
        """Return the price of a part: that of the longest prefix, else the country's; None without either."""
        for length in range(min(LONGEST_PREFIX, len(digits)), 0, -1):
            if digits[:length] in self.by_prefix:
                return self.by_prefix[digits[:length]]
        return None if region is None else self.by_region.get(region)


def read_prices(uri: str | None, s3: Callable[[], S3Access]) -> Prices | None:
    """Read a table with the columns `country` or `prefix`, `price` and `currency`, in any format a list may have.

    A country is two letters (SG), a prefix the first digits of international numbers (+65 or 658). The price is for one
    part. All rows have the same currency.

    Raises:
        InputError: the table can't be read, is empty, or a row is wrong; the message names it.
    """
    if uri is None:
        return None
    by_key: dict[str, dict[str, Decimal]] = {key: {} for key in _KEYS}
    currencies: set[str] = set()
    table = read_small_table(
        uri, s3, keys=_KEYS, columns=_COLUMNS, most_rows=MOST_PRICES, meant_for="countries", option="--prices"
    )
    for row in table.rows:
        named, price, currency = row.cells
        try:
            place, amount = _place(table.key, named), _price(price)
        except ValueError as error:
            raise fault_in(row.source, row.row, str(error)) from None
        if by_key[table.key].setdefault(place, amount) != amount:
            raise fault_in(row.source, row.row, "has a different price from an earlier row for the same place")
        currencies.add(currency.upper())
    if not currencies:
        raise refusal(uri, "has no prices: it needs the columns country or prefix, price and currency")
    if len(currencies) > 1 or "" in currencies:
        raise refusal(uri, "must have the same currency in every row")
    return Prices(currencies.pop(), by_key["country"], by_key["prefix"])


def _place(key: str, named: str) -> str:
    text = named.strip()
    if key == "country":
        try:
            return checked_region(text) or text
        except InputError:
            raise ValueError("has a country that isn't a two-letter code (ISO 3166): write it like SG") from None
    digits = text.removesuffix(".0").translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > LONGEST_PREFIX or digits.startswith("0"):
        raise ValueError(f"has a prefix that isn't 1 to {LONGEST_PREFIX} digits, country code first, like +65")
    return digits


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text.strip())
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or price < 0:
        raise ValueError("has a price that isn't a number like 0.0325")
    return price
