"""The account's schedule of turns, kept in a store and shared by all runs on all machines.

One document per account holds the last turn given out. A reservation moves it forward with a compare-and-swap:
`turn = max(last + interval, earliest)`. No reservation, no call.
"""

import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError

_T = TypeVar("_T")

_ACTIVE_SECONDS = 20.0
_LEAST_EXCESS = 0.04
_MOST_EXCESS = 63.0
_RECOVERY_SECONDS = 4.0
_INCIDENT_SECONDS = 1.0
_SWAP_TRIES = 200
SLOWEST_RATE: Final = 0.01  # calls a second
# A turn further ahead comes from a wrong clock or answer, and must not keep the account from sending for days. A dozen
# runs can still wait for their turns at the slowest rate when throttled to the maximum: each is 1.8 h after the last.
_FARTHEST_TURN: Final = 24 * 3_600.0
_LONGEST_PAUSE: Final = 2 * 3_600.0


@dataclass(frozen=True, slots=True)
class Turns:
    """Consecutive turns: Unix times in seconds, `interval` apart."""

    first: float
    interval: float
    count: int

    def times(self) -> tuple[float, ...]:
        """The turns, earliest first."""
        return tuple(self.first + index * self.interval for index in range(self.count))


class Schedule:
    """One account's schedule. Thread-safe as long as one thread reserves at a time, as the pacer ensures.

    `rate` is the account's limit in calls a second; `margin` is the share of it left unused, so that a call that
    leaves a little late doesn't collide with the next one. If active runs name different rates, the lowest applies to
    all of them: the limit belongs to the account.
    """

    def __init__(
        self, store: Store, account: str, rate: float, *, clock: Callable[[], float] = time.time, margin: float = 0.01
    ) -> None:
        self._store = store
        self._key = f"{account}.json"
        self._rate = rate
        self._clock = clock
        self._interval = 1.0 / (rate * (1.0 - margin))
        self._run = uuid.uuid4().hex

    @property
    def rate(self) -> float:
        """This run's limit, in calls a second."""
        return self._rate

    def reserve(self, count: int, earliest: float) -> Turns:
        """Take the next `count` free turns, none before `earliest` (Unix time).

        Raises:
            StoreError: no turn could be reserved, so no call may be made.
        """

        def take(document: dict[str, Any], now: float) -> Turns:
            interval = self._agreed_interval(document, now) * _slowness(document, now)
            last = _time_of(document, "last", now + _FARTHEST_TURN)
            first = max(last + interval, earliest, _time_of(document, "hold", now + _LONGEST_PAUSE))
            document["last"] = first + (count - 1) * interval
            return Turns(first, interval, count)

        return self._change(take)

    def slow_down(self, retry_after: float) -> None:
        """Lengthen the intervals of all the account's runs for a while, because the gateway throttled a call.

        Throttled calls within one second count once: they left before a run could slow down for the first.

        `retry_after`: seconds in which the gateway wants no call; 0 if it didn't say.
        """

        def note(document: dict[str, Any], now: float) -> None:
            slow = document.get("slow")
            if slow is None or not 0.0 <= now - slow["at"] < _INCIDENT_SECONDS:
                excess = min(_MOST_EXCESS, max(_LEAST_EXCESS, 2.0 * (_slowness(document, now) - 1.0)))
                document["slow"] = {"excess": excess, "at": now}
            hold = _time_of(document, "hold", now + _LONGEST_PAUSE)
            document["hold"] = max(hold, now + min(retry_after, _LONGEST_PAUSE))

        self._change(note)

    def leave(self) -> None:
        """Remove this run's rate from the schedule, so that it doesn't slow the runs that continue."""

        def forget(document: dict[str, Any], _now: float) -> None:
            document.get("runs", {}).pop(self._run, None)

        self._change(forget)

    def _agreed_interval(self, document: dict[str, Any], now: float) -> float:
        runs: dict[str, Any] = {
            run: entry for run, entry in document.get("runs", {}).items() if now - entry["seen"] < _ACTIVE_SECONDS
        }
        runs[self._run] = {"interval": self._interval, "seen": now}
        document["runs"] = runs
        return max(float(entry["interval"]) for entry in runs.values())

    def _change(self, change: Callable[[dict[str, Any], float], _T]) -> _T:
        for _ in range(_SWAP_TRIES):
            current = self._store.get(self._key)
            try:
                document: dict[str, Any] = {} if current is None else json.loads(current.body)
                result = change(document, self._clock())
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise StoreError(
                    f"{self._store.uri}/{self._key} isn't a valid schedule of turns ({type(error).__name__}). "
                    "Remove it while no campaign of this account is running; the next run creates a new one."
                ) from None
            # A unique mark in each body: the writer recognizes a swap whose reply was lost.
            document["mark"] = f"{self._run}-{random.getrandbits(64):x}"
            body = json.dumps(document).encode()
            if current is None:
                written = self._store.put_if_absent(self._key, body)
            else:
                written = self._store.compare_and_swap(self._key, body, current.version)
            if written is not None:
                return result
        raise StoreUnavailableError(f"{self._store.uri}: no turn could be reserved in {_SWAP_TRIES} tries.")


def _time_of(document: dict[str, Any], key: str, latest: float) -> float:
    """Return a time of the document, in Unix seconds; 0 if it's missing or implausibly late."""
    at = float(document.get(key, 0.0))
    return at if at <= latest else 0.0


def _slowness(document: dict[str, Any], now: float) -> float:
    """Return the factor by which throttling lengthens the interval now.

    The first throttling adds 4 %, each further one doubles the addition, and four seconds without one halve it. So
    calls that collide by a few milliseconds cost next to nothing, and a rate set too high is corrected at once.
    """
    slow = document.get("slow")
    if slow is None:
        return 1.0
    excess = float(slow["excess"]) * 0.5 ** (max(0.0, now - slow["at"]) / _RECOVERY_SECONDS)
    return 1.0 + (excess if excess > _LEAST_EXCESS / 8 else 0.0)
