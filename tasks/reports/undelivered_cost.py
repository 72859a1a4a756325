"""What wasn't delivered and what that cost, by country, code and sender: where to change something first.

Alibaba charges for a text when it's submitted, whatever the receipt says (https://alibabacloud.com/help/sms/product-overview/pricing),
but not for one that exceeds its validity before a carrier has it (/help/en/sms/user-guide/set-validity-period).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.delivery.receipt_codes import meaning
from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.cost import money
from globe_sms.tasks.reports.page_blocks import Table
from globe_sms.tasks.reports.prices import LONGEST_PREFIX, Prices
from globe_sms.tasks.vocabulary.statuses import Delivery, Status

_MOST_ROWS: Final = 12


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Messages of one country, code and sender that weren't delivered; `amount` is None without a price."""

    region: str | None
    delivery: Delivery
    code: str | None
    sender: str | None
    messages: int
    parts: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class UndeliveredCost:
    """All of them, the most expensive first; `currency` is None without prices."""

    entries: Sequence[Undelivered]
    currency: str | None = None

    def sentence(self) -> str | None:
        """Say how much was paid for nothing; None if everything arrived, or without prices."""
        amounts = [entry.amount for entry in self.entries if entry.amount is not None]
        if not amounts or self.currency is None:
            return None
        said = f"What wasn't delivered cost {money(sum(amounts, Decimal(0)))} {self.currency}"
        if any(entry.delivery is Delivery.EXPIRED for entry in self.entries):
            return f"{said}, or less: what expired before Alibaba handed it to a carrier is free."
        return f"{said}."

    def table(self) -> Table | None:
        """Return the table of the report; None if everything arrived."""
        if not self.entries:
            return None
        priced = self.currency is not None
        rows = [
            (
                f"{entry.messages:,}",
                f"{entry.parts:,}",
                *([money(entry.amount) if entry.amount is not None else "-"] if priced else []),
                country(entry.region).name,
                entry.code or str(entry.delivery),
                entry.sender or "-",
                meaning(entry.delivery, entry.code),
            )
            for entry in self.entries[:_MOST_ROWS]
        ]
        if rest := self.entries[_MOST_ROWS:]:
            amount = _sum([entry.amount for entry in rest])
            rows.append(
                (
                    f"{sum(entry.messages for entry in rest):,}",
                    f"{sum(entry.parts for entry in rest):,}",
                    *(["-" if amount is None else money(amount)] if priced else []),
                    f"{len(rest):,} more",
                    "",
                    "",
                    "",
                )
            )
        columns = ("messages", "parts", *([self.currency or ""] if priced else []), "country", "code", "sender")
        return Table(
            "Not delivered, by what it cost",
            (*columns, "what to do"),
            tuple(rows),
            numeric=frozenset(range(3 if priced else 2)),
        )

    def as_json(self) -> list[dict[str, Any]]:
        """Return the entries for `--json`."""
        return [
            {
                "region": entry.region,
                "delivery": entry.delivery.value,
                "code": entry.code,
                "sender": entry.sender,
                "messages": entry.messages,
                "parts": entry.parts,
                "cost": None if entry.amount is None else str(entry.amount),
                "currency": self.currency,
            }
            for entry in self.entries
        ]


NOTHING_UNDELIVERED: Final = UndeliveredCost(())


def count_undelivered(results: pl.LazyFrame, prices: Prices | None, senders: Senders) -> UndeliveredCost:
    """Count the accepted messages of results that weren't delivered, in polars' streaming engine."""
    delivery = pl.col("delivery").cast(pl.String)
    digits = pl.col("phone_number").str.slice(1, LONGEST_PREFIX if prices is not None and prices.by_prefix else 0)
    counted = (
        results.filter(
            pl.col("status").cast(pl.String) == Status.ACCEPTED,
            delivery.is_in([Delivery.UNDELIVERED, Delivery.EXPIRED]),
        )
        .group_by("region", delivery, "delivery_code", digits=digits)
        .agg(messages=pl.len(), parts=pl.col("segments").fill_null(1).cast(pl.UInt64).sum())
        .collect(engine="streaming")
    )
    found: dict[tuple[Any, ...], list[tuple[int, int, Decimal | None]]] = defaultdict(list)
    for region, state, code, number_digits, messages, parts in counted.iter_rows():
        price = None if prices is None else prices.price(region, number_digits or "")
        amount = None if price is None else price * parts
        found[region, state, code, senders.of(region)].append((messages, parts, amount))
    entries = [
        Undelivered(
            region,
            Delivery(state),
            code,
            sender,
            sum(messages for messages, _, _ in amounts),
            sum(parts for _, parts, _ in amounts),
            _sum([amount for _, _, amount in amounts]),
        )
        for (region, state, code, sender), amounts in found.items()
    ]
    entries.sort(key=lambda each: (-(each.amount or Decimal(0)), -each.parts, each.region or "", each.code or ""))
    return UndeliveredCost(tuple(entries), None if prices is None else prices.currency)


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None
