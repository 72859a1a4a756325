"""The canary: the first numbers of a campaign, whose outcome decides whether the others are texted.

The ledger and the delivery receipts decide, whichever run sent it. So a run that resumes a campaign whose canary has
failed finds the same and texts nobody: going on is a person's decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.results.results_of_chunks import account_for_chunks
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.statuses import PRESENTED, Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


@dataclass(frozen=True, slots=True)
class Canary:
    """How many of a canary's numbers have which status."""

    counts: Mapping[str, int]

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return sum(self.counts.values())

    @property
    def presented(self) -> int:
        """How many of them the gateway has been given, or may have been."""
        return sum(self.counts.get(status, 0) for status in PRESENTED)

    @property
    def bad(self) -> int:
        """How many failed or are unknown."""
        return self.counts.get(Status.FAILED, 0) + self.counts.get(Status.UNKNOWN, 0)

    def sentence(self) -> str:
        """Say how it went."""
        found = ", ".join(f"{self.counts[status]:,} {status}" for status in Status if self.counts.get(status))
        return f"The canary's {counted(self.numbers, 'number')}: {found}."


def read_canary(plan: FrozenPlan, ledger: Ledger, store: Store, scratch: Path, *, campaign: str, chunks: int) -> Canary:
    """Count the outcomes of the plan's first `chunks` chunks.

    Raises:
        StoreError: the store did not answer, or refused.
    """
    found = account_for_chunks(plan, ledger, store, scratch, campaign=campaign, chunks=range(chunks))
    return count_canary(found, chunks)


def count_canary(results: pl.LazyFrame, chunks: int) -> Canary:
    """Count the rows of the first `chunks` chunks in results."""
    counted = (
        results.filter(pl.col("chunk") < chunks)
        .group_by(pl.col("status").cast(pl.String))
        .len()
        .collect(engine="streaming")
    )
    return Canary(dict(counted.iter_rows()))


def stop_for(canary: Canary, max_failure_rate: float) -> Stop | None:
    """Return why nobody else is texted; None if the canary lets the campaign go on."""
    if not canary.presented:
        return Stop(
            StopCause.STOPPED,
            f"None of the canary's {counted(canary.numbers, 'number')} could be texted, so nobody else was texted "
            "either. Run the same command again: it starts with the canary.",
        )
    if canary.bad <= max_failure_rate * canary.presented:
        return None
    return Stop(
        StopCause.STOPPED,
        f"{canary.sentence()} That's more failed or unknown numbers than --max-failure-rate {max_failure_rate:g} "
        "allows, so nobody else was texted. See the reasons in the results. If the text or the sender is at fault, "
        "start another campaign; otherwise fix the cause and run the same command again with a higher "
        "--max-failure-rate: it texts the others, and nobody twice.",
        for_failures=True,
    )
