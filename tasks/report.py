"""What became of a campaign: the figures of a run's end, for people and for programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tasks.s3 import S3Access
from tasks.statuses import Status
from tasks.stopping import Stop

_OPEN = (Status.UNKNOWN, Status.NOT_SENT)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows have a status for a reason (the sources of duplicates and opt-outs are summed up)."""

    status: str
    reason: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """A finished or stopped run of a campaign.

    `counts` has every status, also those without rows; `calls` and `seconds` are this run's; `rate` is the calls
    a second from its first call to its last, None below two calls.
    """

    campaign: str
    uri: str
    counts: Mapping[str, int]
    reasons: tuple[ReasonCount, ...]
    calls: int
    throttled: int
    resent: int
    seconds: float
    rate: float | None
    dry_run: bool
    stop: Stop | None
    s3: Callable[[], S3Access] = field(repr=False, compare=False)

    @property
    def settled(self) -> bool:
        """Whether every row's fate is known and nothing is left to send (a dry run leaves nothing to settle)."""
        return self.stop is None and (self.dry_run or not any(self.counts[status] for status in _OPEN))

    @property
    def rows(self) -> int:
        """How many input rows the results account for."""
        return sum(self.counts.values())

    def results(self) -> pl.DataFrame:
        """Read the results parquet: one row an input row, with whole phone numbers."""
        if self.uri.startswith("s3://"):
            return pl.read_parquet(self.uri, glob=False, **self.s3().polars_options())
        return pl.read_parquet(Path(self.uri).expanduser(), glob=False)

    def summary(self) -> dict[str, Any]:
        """The machine-readable form that `--json` prints and campaign.json keeps."""
        return {
            "campaign": self.campaign,
            "results": self.uri,
            "counts": dict(self.counts),
            "calls": self.calls,
            "seconds": round(self.seconds, 3),
        }

    def sentence(self) -> str:
        """The counts in one line, for a state's message or a log."""
        found = ", ".join(f"{rows:,} {status}" for status, rows in self.counts.items() if rows) or "no rows"
        return f"{self.campaign}: {found}; {self.calls:,} calls in {self.seconds:,.0f} s"
