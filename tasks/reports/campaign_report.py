"""What became of a campaign: the figures of a run's end, for people and for programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.reports.page_markup import as_html, as_markdown
from globe_sms.tasks.reports.prices import Cost
from globe_sms.tasks.results.canary import Canary
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop

_OPEN = (Status.UNKNOWN, Status.NOT_SENT)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows have a status for a reason (the sources of duplicates and opt-outs are summed up)."""

    status: str
    reason: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class CountryCount:
    """What became of the sendable rows of a region (ISO 3166 alpha-2)."""

    region: str | None
    accepted: int
    failed: int
    unknown: int
    not_sent: int

    @property
    def rows(self) -> tuple[int, int, int, int]:
        """The counts, in the order of the fields."""
        return self.accepted, self.failed, self.unknown, self.not_sent


@dataclass(frozen=True, slots=True)
class FailedRow:
    """One of the first rows of a failure; recipient and description are masked, `row` counts from 0."""

    status: str
    reason: str | None
    source: str
    row: int
    recipient: str
    description: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The results, counted: by status and reason, by country, and the first rows of each failure."""

    reasons: tuple[ReasonCount, ...]
    countries: tuple[CountryCount, ...]
    failures: tuple[FailedRow, ...]


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """A finished or stopped run of a campaign.

    `counts` has every status, also those without rows; `calls` and `seconds` are this run's; `rate` is the calls
    a second from its first call to its last, None below two calls. `costs` is what all rows cost that were presented,
    failed and unknown ones too; None without prices. `canary` is what became of it; None without one.
    """

    campaign: str
    uri: str
    counts: Mapping[str, int]
    figures: Figures
    calls: int
    throttled: int
    resent: int
    seconds: float
    rate: float | None
    dry_run: bool
    stop: Stop | None
    s3: Callable[[], S3Access] = field(repr=False, compare=False)
    costs: Cost | None = None
    senders: Senders = field(default_factory=Senders)
    canary: Canary | None = None

    @property
    def reasons(self) -> tuple[ReasonCount, ...]:
        """The rows by status and reason."""
        return self.figures.reasons

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
        return f"{self.campaign}: {found}; {counted(self.calls, 'call')} in {self.seconds:,.0f} s"

    def _repr_markdown_(self) -> str:
        from globe_sms.tasks.reports.campaign_page import report_page  # the page is made of the report

        return as_markdown(report_page(self))

    def _repr_html_(self) -> str:
        from globe_sms.tasks.reports.campaign_page import report_page

        return as_html(report_page(self))
