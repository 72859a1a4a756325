"""What it saves that undeliverable numbers get no text, in texts and in money; for the preview."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from globe_sms.tasks.reports.cost import Cost, cost_of
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

_PREFIX: Final = f"{RowReason.UNDELIVERABLE}:"


@dataclass(frozen=True, slots=True)
class SavedTexts:
    """The texts of undeliverable numbers.

    `parts` is how many each has; `is_mean`: on average, rounded, because the texts are personal. `cost` is None without
    prices.
    """

    numbers: int
    parts: int
    is_mean: bool
    cost: Cost | None = None

    def sentence(self) -> str:
        """Say what isn't sent, and what that saves."""
        they = "it" if self.numbers == 1 else "them"
        about = "about " if self.is_mean else ""
        texts = f"{about}{counted(self.numbers * self.parts, 'message part')}"
        money = "" if self.cost is None else f", {about}{self.cost}"
        return (
            f"{counted(self.numbers, 'number')} left out, because earlier texts to {they} failed for good "
            f"(undeliverable): this saves {counted(self.numbers, 'text')} ({texts}{money})."
        )


def count_saved(plan: pl.LazyFrame, prices: Prices | None, segments: int | None) -> SavedTexts | None:
    """Count the undeliverable rows of a plan in polars' streaming engine; None if there are none.

    `segments` is how many parts the text has that all numbers get; None where the plan has a column of them.
    """
    rows = plan.filter(pl.col("status").cast(pl.String) == Status.SUPPRESSED, pl.col("reason").str.starts_with(_PREFIX))
    numbers = rows.select(pl.len()).collect(engine="streaming").item()
    if not numbers:
        return None
    parts = segments
    if parts is None:
        mean = plan.select(pl.col("segments").mean()).collect(engine="streaming").item()
        parts = max(1, round(mean or 1))
    cost = None if prices is None else cost_of(rows, prices, segments=parts)
    return SavedTexts(numbers, parts, segments is None, cost)
