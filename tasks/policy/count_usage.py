"""What a campaign has used of a budget: the rows that were presented to the gateway, by the quarter of an hour.

In every time zone days begin on a quarter of an hour, so the same figures serve every policy.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.campaign_json import Usage
from globe_sms.tasks.campaign.ledger import entries_of
from globe_sms.tasks.reports.prices import LONGEST_PREFIX, Prices
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.statuses import PRESENTED

QUARTER: Final = timedelta(minutes=15)
_AT: Final = pl.Datetime("us", "UTC")


def count_usage(results: pl.LazyFrame, folder: Store, prices: Prices | None) -> Usage:
    """Count the presented rows of results, in polars' streaming engine.

    A failed or unknown row counts like an accepted one: Alibaba may charge for it. A row without a send record counts
    from its claim, which is read from the campaign's folder.

    Args:
        results: Rows of `RESULTS_SCHEMA`.
        folder: The campaign's folder.
        prices: Of a part; None if the cost isn't needed.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    presented = results.filter(pl.col("status").cast(pl.String).is_in(PRESENTED))
    at = presented_at(results, folder)
    digits = pl.col("phone_number").str.slice(1, LONGEST_PREFIX if prices is not None and prices.by_prefix else 0)
    counted = (
        presented.group_by(quarter=at.dt.truncate(QUARTER), region="region", digits=digits)
        .agg(numbers=pl.len(), parts=pl.col("segments").cast(pl.UInt64).sum())
        .collect(engine="streaming")
    )
    found: dict[datetime, list[tuple[int, int, Decimal | None]]] = defaultdict(list)
    for quarter, region, number_digits, numbers, parts in counted.iter_rows():
        price = None if prices is None else prices.price(region, number_digits)
        found[quarter].append((numbers, parts, None if price is None else price * parts))
    return Usage(
        currency=None if prices is None else prices.currency,
        quarters={quarter.isoformat(): _sum(found[quarter]) for quarter in sorted(found)},
    )


def presented_at(results: pl.LazyFrame, folder: Store) -> pl.Expr:
    """Return when a presented row's call left: by its send record or, without one, by its chunk's claim.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    presented = results.filter(pl.col("status").cast(pl.String).is_in(PRESENTED))
    claimed_at = _claims_of(presented, folder)
    claimed = pl.col("chunk").replace_strict(claimed_at, default=None, return_dtype=_AT)
    return pl.coalesce("sent_at", claimed) if claimed_at else pl.col("sent_at")


def _claims_of(presented: pl.LazyFrame, folder: Store) -> Mapping[int, datetime]:
    """Return when chunks were claimed, for those with rows without the time of a call."""
    chunks = presented.filter(pl.col("sent_at").is_null()).select(pl.col("chunk").unique()).collect(engine="streaming")
    found: dict[int, datetime] = {}
    for chunk in chunks["chunk"]:
        times = [entry.claim.claimed_at for entry in entries_of(folder, chunk)]
        found[chunk] = datetime.fromtimestamp(max(times, default=0.0), UTC)
    return found


def _sum(amounts: list[tuple[int, int, Decimal | None]]) -> tuple[int, int, str | None]:
    costs = [cost for _, _, cost in amounts if cost is not None]
    cost = str(sum(costs, Decimal(0))) if len(costs) == len(amounts) else None
    return sum(numbers for numbers, _, _ in amounts), sum(parts for _, parts, _ in amounts), cost
