"""An account's current schedule, for people: who sends, at what rate, how far apart, and what was throttled."""

import json
import math
from dataclasses import dataclass
from typing import Any, Final

from globe_sms.tasks.pacing.account_schedule import ACTIVE_SECONDS, SLOWEST_RATE, learned_slack, schedule_key
from globe_sms.tasks.pacing.learned_slack import widest_slack
from globe_sms.tasks.pacing.throttling import LastHour, Slowness, Throttled
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreError
from globe_sms.tasks.vocabulary.plurals import counted

_HOUR: Final = 60
_JUDGED_MINUTES: Final = 5
_FEWEST_CALLS: Final = 20
_FEWEST_THROTTLED: Final = 5
_TOLERATED: Final = 0.95  # of what the widest slack leaves: what delays cost now and then


@dataclass(frozen=True, slots=True)
class ActiveSender:
    """A run that reserves turns: what it sends and where, and its own limit in calls a second."""

    name: str
    rate: float


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A schedule at one moment.

    Attributes:
        senders: the runs that reserved turns in the last 20 seconds.
        rate: the limit that applied to the last turns, in calls a second.
        slack: the share by which calls are spaced beyond that limit; a run that is alone does so only where calls may
            have arrived late.
        slowed: the factor by which throttling lengthens the interval for the moment; 1 if it doesn't.
        last_hour: calls of the last hour, and how many were throttled.
        last_minutes: the same for the last five minutes.
        place: the URI of the folder that the schedule is kept in.
    """

    senders: tuple[ActiveSender, ...]
    rate: float
    slack: float
    slowed: float
    last_hour: Throttled
    last_minutes: Throttled
    place: str = ""

    @property
    def admitted(self) -> float | None:
        """About how many calls a second the gateway admits, if it's clearly less than the limit; None otherwise.

        Slack can't explain that: the limit is set too high, or somebody calls without this schedule.
        """
        judged = self.last_minutes
        if judged.calls < _FEWEST_CALLS or judged.throttled < _FEWEST_THROTTLED or judged.admitted_rate is None:
            return None
        if judged.admitted_rate >= _TOLERATED * self.rate / (1.0 + widest_slack(self.rate)):
            return None
        return _two_digits(judged.admitted_rate)

    def advice(self) -> str | None:
        """Say that the limit is set too high, and what to set instead; None if it isn't."""
        admitted = self.admitted
        if admitted is None:
            return None
        return (
            f"The gateway admits about {admitted:g} calls a second, not {self.rate:g}: it throttled "
            f"{self.last_minutes.share:.0%} of the calls of the last {_JUDGED_MINUTES} minutes, though they were "
            f"slowed down. Set calls a second (--calls-per-second) to {admitted:g}, or find out who else calls with "
            "this account."
        )

    def sentence(self) -> str:
        """Say it in one sentence."""
        hour, calls = self.last_hour, "call" if self.rate == 1 else "calls"
        others = counted(len(self.senders), "other run") if self.senders else "no other run"
        return (
            f"The account's schedule: {others} sending now; the limit is {self.rate:g} {calls} a second, and up to "
            f"{self.slack:.1%} of it is left unused because of calls that arrive late; {hour.throttled:,} of "
            f"{counted(hour.calls, 'call')} were throttled in the last hour."
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        hour = self.last_hour
        return {
            "senders": [{"name": sender.name, "calls_per_second": sender.rate} for sender in self.senders],
            "calls_per_second": self.rate,
            "slack": round(self.slack, 4),
            "slowed": round(self.slowed, 3),
            "last_hour": {"calls": hour.calls, "throttled": hour.throttled},
            "admitted_per_second": self.admitted,
            "advice": self.advice(),
        }


def read_schedule(store: Store, account: str, now: float) -> ScheduleState | None:
    """Return an account's schedule; None if no turn was ever reserved.

    Raises:
        StoreError: it can't be read.
    """
    key = schedule_key(account)
    stored = store.get(key)
    if stored is None:
        return None
    try:
        document: dict[str, Any] = json.loads(stored.body)
        runs = [run for run in document.get("runs", {}).values() if now - run["seen"] < ACTIVE_SECONDS]
        limits = document["limits"]
        rate, hour = float(limits["rate"]), LastHour(document.get("hour"))
        return ScheduleState(
            senders=tuple(ActiveSender(str(run["sender"]), float(run["rate"])) for run in runs),
            rate=rate,
            slack=learned_slack(document).in_force(float(limits["floor"]), rate),
            slowed=Slowness(**document.get("slow", {})).factor(now),
            last_hour=hour.last(_HOUR, now),
            last_minutes=hour.last(_JUDGED_MINUTES, now),
            place=store.uri,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise StoreError(f"{store.uri}/{key} isn't a valid schedule of turns.") from None


def _two_digits(rate: float) -> float:
    """Round down to two digits: a limit must not be too high."""
    for digits in (0, 1):
        if rate >= 10.0 ** (1 - digits):
            return math.floor(rate * 10**digits) / 10**digits
    return max(SLOWEST_RATE, math.floor(rate * 100) / 100)
