"""How a run of a campaign ended, in figures: what the report's page is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.pacing.schedule_state import ScheduleState
from globe_sms.tasks.planning.left_out import NOBODY_LEFT_OUT, LeftOutFigures
from globe_sms.tasks.recipients import ListReading
from globe_sms.tasks.reports.campaign_figures import Figures, ReasonCount
from globe_sms.tasks.reports.cost import Cost
from globe_sms.tasks.reports.policy_shown import PolicyShown
from globe_sms.tasks.results.canary import Canary
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import PRESENTED, Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


class Ending(StrEnum):
    """How a run that has written results ended; Prefect's states, the events and the exit codes follow from it."""

    FINISHED = "finished"
    NOTHING_TO_SEND = "nothing_to_send"  # the lists have rows, but none can be sent
    ALL_FAILED = "all_failed"  # finished, but the gateway refused every number that it was given
    STOPPED = "stopped"
    DECLINED = "declined"
    CANCELLED = "cancelled"


_STOPPED_BY: Final = {StopCause.DECLINED: Ending.DECLINED, StopCause.CANCELLED: Ending.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOutcome:
    """A finished or stopped run of a campaign.

    `uri` is that of its results. `counts` has every status, including those without rows. `calls` and `seconds` are
    this run's; `rate` is its calls per second from the first call to the last, None with fewer than two calls.
    `schedule` is the account's at the end of the run; None if it made no call, or if the schedule couldn't be read.
    `call_size` is the most numbers that the gateway took in a call, if it refused a larger one; None if it never did.
    `costs` covers every row that was presented, including failed and unknown ones; None without prices. `canary` is
    None for a campaign without one, `policy` without a policy. `left_out` is about opt-outs, `readings` is what was
    read of each list, by its URI. `published` are the URIs of its partitions in tables that campaigns share.
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
    costs: Cost | None = None
    senders: Senders = field(default_factory=Senders)
    canary: Canary | None = None
    policy: PolicyShown | None = None
    left_out: LeftOutFigures = NOBODY_LEFT_OUT
    call_size: int | None = None
    schedule: ScheduleState | None = None
    readings: tuple[tuple[str, ListReading], ...] = ()
    published: tuple[str, ...] = ()

    @property
    def rate_advice(self) -> str | None:
        """What rate to set, if the gateway admits much less than the limit."""
        return None if self.schedule is None or not self.throttled else self.schedule.advice()

    @property
    def reasons(self) -> tuple[ReasonCount, ...]:
        """The rows by status and reason."""
        return self.figures.reasons

    @property
    def settled(self) -> bool:
        """Whether nothing is left to send and no row is unknown; a dry run leaves nothing to settle."""
        return self.stop is None and (self.dry_run or not (self.counts[Status.UNKNOWN] or self.left))

    @property
    def left(self) -> int:
        """How many rows a later run would send: those that weren't, without the holdout."""
        return self.counts[Status.NOT_SENT] - self.held_out

    @property
    def held_out(self) -> int:
        """How many rows get no text, to compare with."""
        return sum(each.rows for each in self.reasons if each.reason == RowReason.HOLDOUT)

    @property
    def ending(self) -> Ending:
        """How the run ended."""
        if self.stop is not None:
            return _STOPPED_BY.get(self.stop.cause, Ending.STOPPED)
        presented = sum(self.counts[status] for status in PRESENTED)
        if not presented and not self.left:
            return Ending.NOTHING_TO_SEND
        all_failed = presented == self.counts[Status.FAILED] > 0 and not self.dry_run
        return Ending.ALL_FAILED if all_failed else Ending.FINISHED

    @property
    def rows(self) -> int:
        """How many input rows the results account for."""
        return sum(self.counts.values())

    def summary(self) -> dict[str, Any]:
        """Return what `--json` prints and campaign.json keeps."""
        return {
            "campaign": self.campaign,
            "results": self.uri,
            "counts": dict(self.counts),
            "calls": self.calls,
            "seconds": round(self.seconds, 3),
        }

    def sentence(self) -> str:
        """Return the counts in one line, for a state's message or a log."""
        found = ", ".join(f"{rows:,} {status}" for status, rows in self.counts.items() if rows) or "no rows"
        return f"{self.campaign}: {found}; {counted(self.calls, 'call')} in {self.seconds:,.0f} s"
