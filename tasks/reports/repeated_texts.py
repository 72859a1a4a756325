"""Who is left out because another campaign sent them the same text, in preview and report."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

_PREFIX: Final = f"{RowReason.REPEAT}:"
_MOST_CAMPAIGNS: Final = 5


def count_repeats(rows: pl.LazyFrame) -> Mapping[str, int]:
    """Return how many rows of a plan or of results are repeats, by the campaign that sent the text, most first."""
    counts = (
        rows.filter(pl.col("status").cast(pl.String) == Status.SUPPRESSED, pl.col("reason").str.starts_with(_PREFIX))
        .group_by(pl.col("reason").str.strip_prefix(_PREFIX))
        .len()
        .sort("len", "reason", descending=[True, False])
        .collect(engine="streaming")
    )
    return dict(counts.iter_rows())


def repeats_sentence(repeats: Mapping[str, int]) -> str | None:
    """Say how many people already have the text, and from which campaigns; None if nobody has."""
    if not repeats:
        return None
    rows = sum(repeats.values())
    named = [f"{number:,} from {campaign}" for campaign, number in list(repeats.items())[:_MOST_CAMPAIGNS]]
    more = len(repeats) - _MOST_CAMPAIGNS
    others = f" and {counted(more, 'more campaign')}" if more > 0 else ""
    have = "has" if rows == 1 else "have"
    return (
        f"{counted(rows, 'number')} already {have} this text from another campaign and won't get it again: "
        f"{', '.join(named)}{others}."
    )
