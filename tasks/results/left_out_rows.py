"""How many rows the results leave out that the plan has: people who opted out after it was made."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.vocabulary.statuses import Status

_LEFT_OUT: Final = (Status.SUPPRESSED.value, Status.UNSUPPORTED.value)


def left_out_since(
    plan: FrozenPlan, results: Path, counts: Mapping[str, int], planned: Mapping[str, int]
) -> Mapping[str, int]:
    """Return how many rows were left out since the plan was made, by reason, most first.

    `counts` are the results' rows by status, `planned` the plan's: if as many are left out, no row is read.
    """
    if all(counts.get(status, 0) == planned.get(status, 0) for status in _LEFT_OUT):
        return {}
    since = _by_reason(pl.scan_parquet(results, glob=False))
    since.subtract(_by_reason(plan.scan()))
    return {reason: rows for reason, rows in since.most_common() if rows > 0}


def _by_reason(rows: pl.LazyFrame) -> Counter[str]:
    status = pl.col("status").cast(pl.String)
    counted = rows.filter(status.is_in(_LEFT_OUT)).group_by("reason").len().collect(engine="streaming")
    return Counter(dict(counted.iter_rows()))
