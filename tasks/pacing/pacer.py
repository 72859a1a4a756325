"""The account's turn: reserve it ahead of time, wait for it exactly, call at it or not at all.

Threads queue up in one line. The first in the line reserves a turn (several at once where turns come fast)
and leaves the line shortly before its turn, so that no more turns are reserved than are about to be used.
"""

import collections
import contextlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from globe_sms.tasks.pacing.account_schedule import Schedule
from globe_sms.tasks.vocabulary.errors import StoreError
from globe_sms.tasks.vocabulary.stop_signal import StoppedError, StopSignal

_BATCH_SECONDS = 0.5
_FIRST_LEAD = 0.4
_LONGEST_LEAD = 3.0
_LATE_SECONDS = 0.25
_SPARE_SHARE = 0.007  # less than the schedule's margin, so that a delay wears off; more than the way's jitter
_CALLS_COMPARED = 20
_NEAREST_SHARE = 0.9  # of the interval: what was held up catches up gently, without bursts
_LOOK_UP_SECONDS = 2.0  # a stop wakes the first in the line, which wakes the next: this is for a store that hangs


class TurnMissedError(Exception):
    """The turn is long past: this thread was held up. Nothing may be sent at it; take another."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a call may leave: Unix time in seconds, for the record, and on the monotonic clock, to wait for."""

    at: float
    due: float


@dataclass(slots=True)
class Departure:
    """A call that may have left, on the monotonic clock: `at` its turn, and later where it is known to be written."""

    at: float


class Pacer:
    """Hands out the turns of one process. Thread-safe; waits end at once when the run is stopped.

    Two things keep the limit. The schedule spaces the turns over all processes. This object looks back at
    its own calls as well: one that left late, or took longer than others to be written (on a busy machine, a tenth of
    a second and more), pushes the next ones, so that no sliding second sees too many.
    """

    def __init__(
        self,
        schedule: Schedule,
        stop: StopSignal,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._schedule = schedule
        self._stop = stop
        self._clock = clock
        self._monotonic = monotonic
        self._line = threading.Lock()
        self._turns: collections.deque[Turn] = collections.deque()
        self._batch = max(1, math.floor(schedule.rate * _BATCH_SECONDS))
        self._lead = _FIRST_LEAD
        # `_window` calls may leave in `_span` seconds: 1 in 1 s, 20 in 1 s, 1 in 2 s for half a call a second.
        self._window = max(1, math.floor(schedule.rate))
        self._span = self._window / schedule.rate * (1.0 + _SPARE_SHARE)
        self._nearest = _NEAREST_SHARE / schedule.rate
        self._last = -math.inf
        self._left: list[Departure] = []  # in the last span, by when they left
        self._gate = threading.Lock()
        # Seconds from departures until they were written; what all calls need alike brings none nearer to another.
        self._took: collections.deque[float] = collections.deque([0.0], maxlen=_CALLS_COMPARED)
        self._writing = threading.Lock()

    def take(self) -> Turn:
        """Wait in line and return a turn that is about to come (some 0.4 s ahead, time to connect and claim).

        Raises:
            StoppedError: the run was stopped.
            StoreError: no turn can be reserved.
        """
        while not self._line.acquire(timeout=_LOOK_UP_SECONDS):
            self._stop.check()
        try:
            self._stop.check()
            turn = self._next()
            if self._stop.wait(turn.due - self._lead - self._monotonic()):
                raise StoppedError
            return turn
        finally:
            self._line.release()

    def wait_until(self, turn: Turn, seconds_before: float) -> None:
        """Wait until so many seconds before the turn.

        Raises:
            StoppedError: the run was stopped.
        """
        if self._stop.wait(turn.due - seconds_before - self._monotonic()):
            raise StoppedError

    def depart(self, turn: Turn) -> Departure:
        """Return at the turn, to the millisecond; the caller's next act is the call, and then to say it is `written`.

        Raises:
            StoppedError: the run was stopped.
            TurnMissedError: the turn is past by more than a quarter of a second.
        """
        self.wait_until(turn, 0.0)
        with self._gate:
            now = self._monotonic()
            if now - turn.due > _LATE_SECONDS:
                raise TurnMissedError
            # Again after a wait: others may have been written late meanwhile.
            while (free := self._free_at(now)) > now:
                if self._stop.wait(free - now):
                    raise StoppedError
                now = self._monotonic()
            self._stop.check()
            self._last = self._monotonic()
            departure = Departure(self._last)
            self._left.append(departure)
            return departure

    def _free_at(self, now: float) -> float:
        """Say from when on one more call keeps the limit, as far as is known now."""
        self._left = [each for each in self._left if each.at > now - self._span]
        free = self._last + self._nearest
        if len(self._left) < self._window:
            return free
        return max(free, sorted(each.at for each in self._left)[-self._window] + self._span)

    def written(self, departure: Departure) -> None:
        """Learn that a call is written only now."""
        took = self._monotonic() - departure.at
        with self._writing:
            self._took.append(took)
            departure.at += took - min(self._took)

    def prepared(self, seconds: float) -> None:
        """Learn how long it took from getting a turn to being ready for it, so that turns are taken in time."""
        wanted = min(_LONGEST_LEAD, max(_FIRST_LEAD, 1.5 * seconds))
        self._lead = max(wanted, 0.9 * self._lead + 0.1 * wanted)

    def throttled(self, retry_after: float) -> None:
        """Slow the account down for a while. A store that does not answer now stops the next turn anyway."""
        with contextlib.suppress(StoreError):
            self._schedule.slow_down(retry_after)

    def leave(self) -> None:
        """Take this run out of the account's schedule at its end."""
        with contextlib.suppress(StoreError):
            self._schedule.leave()

    def _next(self) -> Turn:
        # Turns that went by while nobody was in line are of no use to anybody.
        while self._turns and self._turns[0].due < self._monotonic():
            self._turns.popleft()
        if not self._turns:
            now = self._clock()
            due = self._monotonic() - now
            reserved = self._schedule.reserve(self._batch, now + self._lead)
            self._turns.extend(Turn(at, at + due) for at in reserved.times())
        return self._turns.popleft()
