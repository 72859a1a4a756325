"""The account's schedule of turns, kept in a store and shared by all runs on all machines.

One document per account holds the last turn given out. A reservation moves it forward with a compare-and-swap:
`turn = max(last + interval, earliest)`. No reservation, no call.

The document also holds what throttling has taught (`learned_slack.py`), for all runs of the account and beyond their
end, and what was throttled lately (`throttling.py`).
"""

import contextlib
import json
import math
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from globe_sms.tasks.pacing.learned_slack import LearnedSlack
from globe_sms.tasks.pacing.throttling import LastHour, Slowness
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError

_T = TypeVar("_T")

ACTIVE_SECONDS: Final = 20.0
_REPORT_SECONDS = 1.0
_SWAP_TRIES = 200
SLOWEST_RATE: Final = 0.01  # calls a second
# A turn further ahead comes from a wrong clock or answer, and must not keep the account from sending for days. A dozen
# runs can still wait for their turns at the slowest rate when throttled to the maximum: each is 1.8 h after the last.
_FARTHEST_TURN: Final = 24 * 3_600.0
_LONGEST_PAUSE: Final = 2 * 3_600.0


def schedule_key(account: str) -> str:
    """Return the key of an account's document in the pacing folder."""
    return f"{account}.json"


@dataclass(frozen=True, slots=True)
class Turns:
    """Consecutive turns: Unix times in seconds, `interval` apart.

    Attributes:
        slack: the share of the shortest interval that delays need, as learned.
        spare: the share that these turns leave free; the run itself sees to the rest.
    """

    first: float
    interval: float
    count: int
    slack: float = 0.0
    spare: float = 0.0

    def times(self) -> tuple[float, ...]:
        """The turns, earliest first."""
        return tuple(self.first + index * self.interval for index in range(self.count))


class Schedule:
    """One account's schedule. Thread-safe as long as one thread reserves at a time, as the pacer ensures.

    `rate` is the account's limit in calls a second; `margin` is the least share of it left unused, so that a call that
    leaves a little late doesn't collide with the next one. If the gateway throttles calls anyway, more is left
    unused. If active runs name different rates, the lowest applies to all of them: the limit belongs to the account.
    `sender` tells people who is sending. `clock` is Unix time; by default the store's, on which all machines agree.
    """

    def __init__(
        self,
        store: Store,
        account: str,
        rate: float,
        *,
        clock: Callable[[], float] | None = None,
        margin: float = 0.01,
        sender: str = "",
    ) -> None:
        self._store = store
        self._key = schedule_key(account)
        self._rate = rate
        self._clock = clock or store.clock.now
        self._floor = 1.0 / (1.0 - margin) - 1.0
        self._run = uuid.uuid4().hex
        self._sender = sender
        self._counting = threading.Lock()
        self._throttled = 0  # calls that the document doesn't know of yet
        self._throttled_at = 0.0
        self._reported_at = -_REPORT_SECONDS

    @property
    def clock(self) -> Callable[[], float]:
        """The clock of the turns: Unix time in seconds."""
        return self._clock

    @property
    def rate(self) -> float:
        """This run's limit, in calls a second."""
        return self._rate

    def reserve(self, count: int, earliest: float, *, behind: float = 0.0, waited: int | None = None) -> Turns:
        """Take the next `count` free turns, none before `earliest` (Unix time).

        A run that is alone spaces its calls by their answers (`arrival_spacing.py`), so its turns leave no more than
        the floor free.

        Args:
            count: how many turns.
            earliest: when the first may be.
            behind: how many seconds the run's calls lag behind its turns, more than at its last reservation.
            waited: how many calls since then made others wait for as long as the slack allows; None: as many as turns.

        Raises:
            StoreError: no turn could be reserved, so no call may be made.
        """

        def take(document: dict[str, Any], now: float) -> Turns:
            rate, floor = self._agreed(document, now)
            is_alone = len(document["runs"]) == 1
            slowness = Slowness(**document.get("slow", {})).after(count, 0, now, rate)
            slack = learned_slack(document).after_calls(
                count,
                floor,
                rate,
                waited=waited if is_alone else None,
                cost=behind * rate if is_alone else math.inf,
                slowed=slowness.factor(now) > 1.0,
            )
            share = slack.in_force(floor, rate)
            spare = floor if is_alone else share
            interval = (1.0 + spare) * slowness.factor(now) / rate
            last = _time_of(document, "last", now + _FARTHEST_TURN)
            first = max(last + interval + behind, earliest, _time_of(document, "hold", now + _LONGEST_PAUSE))
            hour = LastHour(document.get("hour"))
            hour.add(now, calls=count, seconds=count * interval + behind)
            _keep_slack(document, slack)
            document.update(last=first + (count - 1) * interval, slow=asdict(slowness), hour=hour.encode())
            return Turns(first, interval, count, share, spare)

        return self._change(take)

    def slow_down(self, retry_after: float) -> None:
        """Note a throttled call, for all the account's runs: their calls are spaced further apart.

        Throttled calls within one second are written together, the later ones with the next reservation.

        `retry_after`: seconds in which the gateway wants no call; 0 if it didn't say.
        """
        now = self._clock()
        with self._counting:
            self._throttled += 1
            self._throttled_at = now
            if retry_after <= 0.0 and 0.0 <= now - self._reported_at < _REPORT_SECONDS:
                return
            self._reported_at = now

        def hold(document: dict[str, Any], now: float) -> None:
            until = _time_of(document, "hold", now + _LONGEST_PAUSE)
            document["hold"] = max(until, now + min(retry_after, _LONGEST_PAUSE))

        self._change(hold)

    def next_tick(self) -> float | None:
        """Return when the store's answer would tell its clock best (monotonic); None if that's known already."""
        return self._store.clock.next_tick()

    def ask_time(self) -> None:
        """Ask the store, so that its clock is known better; what it doesn't answer doesn't matter."""
        with contextlib.suppress(StoreError):
            self._store.get(self._key)

    def leave(self) -> None:
        """Remove this run's rate from the schedule, so that it doesn't slow the runs that continue."""

        def forget(document: dict[str, Any], _now: float) -> None:
            document.get("runs", {}).pop(self._run, None)

        self._change(forget)

    def _agreed(self, document: dict[str, Any], now: float) -> tuple[float, float]:
        """Return the rate and the least slack that all active runs keep, and enter this run."""
        runs: dict[str, Any] = {
            run: entry for run, entry in document.get("runs", {}).items() if now - entry["seen"] < ACTIVE_SECONDS
        }
        runs[self._run] = {"rate": self._rate, "floor": self._floor, "seen": now, "sender": self._sender}
        document["runs"] = runs
        rate, floor = (
            min(float(run["rate"]) for run in runs.values()),
            max(float(run["floor"]) for run in runs.values()),
        )
        document["limits"] = {"rate": rate, "floor": floor}
        return rate, floor

    def _learn(self, document: dict[str, Any], now: float, throttled: int) -> None:
        """Enter throttled calls in the document."""
        if not throttled:
            return
        rate, floor = self._agreed(document, now)
        at = min(now, self._throttled_at)
        _keep_slack(document, learned_slack(document).after_throttling(throttled, at, floor, rate))
        slowness = Slowness(**document.get("slow", {})).after(0, throttled, at, rate)
        hour = LastHour(document.get("hour"))
        hour.add(at, throttled=throttled)
        document.update(slow=asdict(slowness), hour=hour.encode())

    def _change(self, change: Callable[[dict[str, Any], float], _T]) -> _T:
        for _ in range(_SWAP_TRIES):
            current = self._store.get(self._key)
            try:
                document: dict[str, Any] = {} if current is None else json.loads(current.body)
                now, throttled = self._clock(), self._throttled
                self._learn(document, now, throttled)
                result = change(document, now)
            except (AttributeError, KeyError, TypeError, ValueError):
                raise StoreError(
                    f"{self._store.uri}/{self._key} isn't a valid schedule of turns. "
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
                with self._counting:
                    self._throttled -= throttled
                return result
        raise StoreUnavailableError(f"{self._store.uri}: no turn could be reserved in {_SWAP_TRIES} tries.")


def learned_slack(document: Mapping[str, Any]) -> LearnedSlack:
    """Return the slack that a schedule's runs use now: a run that is alone needs and learns its own."""
    return LearnedSlack(**document.get("slack", {}).get(_usage(document), {}))


def _keep_slack(document: dict[str, Any], slack: LearnedSlack) -> None:
    document["slack"] = {**document.get("slack", {}), _usage(document): asdict(slack)}


def _usage(document: Mapping[str, Any]) -> str:
    return "alone" if len(document.get("runs", {})) <= 1 else "shared"


def _time_of(document: dict[str, Any], key: str, latest: float) -> float:
    """Return a time of the document, in Unix seconds; 0 if it's missing or implausibly late."""
    at = float(document.get(key, 0.0))
    return at if at <= latest else 0.0
