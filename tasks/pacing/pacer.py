"""The account's turns for threads: reserve one ahead, wait for it exactly, and call on time or not at all.

Threads wait in one line. The first reserves a turn (several at once when turns come fast) and leaves the line shortly
before it's due, so that only turns about to be used are reserved.
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
_SPARE_SHARE = 0.7  # of the schedule's slack: delays wear off by the rest, and calls don't close up meanwhile
_CALLS_COMPARED = 20
_NEAREST_SHARE = 0.9  # of the interval: delayed calls catch up gently, without bursts
_LOOK_UP_SECONDS = 2.0  # a stop wakes the first in line, which wakes the next; this is for a store that hangs


class TurnMissedError(Exception):
    """The thread was delayed until long past its turn; take another turn instead of sending."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a call may leave: `at` is Unix time in seconds, for the record; `due` is on the monotonic clock."""

    at: float
    due: float


@dataclass(slots=True)
class Departure:
    """A call that may have left; `at` (monotonic) is its turn, moved later once it's known when it was written."""

    at: float


class Pacer:
    """Hands out the turns of one process. Thread-safe; all waits end at once when the run is stopped.

    The schedule spaces the turns of all processes. This object also tracks its own calls: one that left late, or took
    longer than others to be written (0.1 s and more on a busy machine), delays the next ones, so that no sliding
    second holds too many.
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
        self._shortest_span = self._window / schedule.rate
        self._span = self._shortest_span
        self._nearest = _NEAREST_SHARE / schedule.rate
        self._last = -math.inf
        self._left: list[Departure] = []  # in the last span, in order of departure
        self._gate = threading.Lock()
        # Seconds from departure until written. Only differences matter: a delay common to all calls keeps them apart.
        self._took: collections.deque[float] = collections.deque([0.0], maxlen=_CALLS_COMPARED)
        self._writing = threading.Lock()

    def take(self) -> Turn:
        """Wait in line and return a turn that is due soon (about 0.4 s ahead, time to connect and claim).

        Raises:
            StoppedError: the run was stopped.
            StoreError: no turn can be reserved.
        """
        while not self._line.acquire(timeout=_LOOK_UP_SECONDS):
            self._stop.check()
        try:
            self._stop.check()
            turn = self._next_turn()
            if self._stop.wait(turn.due - self._lead - self._monotonic()):
                raise StoppedError
            return turn
        finally:
            self._line.release()

    def wait_until(self, turn: Turn, seconds_before: float) -> None:
        """Wait until `seconds_before` seconds before the turn.

        Raises:
            StoppedError: the run was stopped.
        """
        if self._stop.wait(turn.due - seconds_before - self._monotonic()):
            raise StoppedError

    def depart(self, turn: Turn) -> Departure:
        """Return at the turn, to the millisecond; the caller then makes the call at once and reports it as `written`.

        Raises:
            StoppedError: the run was stopped.
            TurnMissedError: the turn is more than 0.25 s past.
        """
        self.wait_until(turn, 0.0)
        with self._gate:
            now = self._monotonic()
            if now - turn.due > _LATE_SECONDS:
                raise TurnMissedError
            # Check again after each wait: other calls may have been written late meanwhile.
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
        """Return from when on one more call keeps the limit, as far as known now."""
        self._left = [each for each in self._left if each.at > now - self._span]
        free = self._last + self._nearest
        if len(self._left) < self._window:
            return free
        return max(free, sorted(each.at for each in self._left)[-self._window] + self._span)

    def written(self, departure: Departure) -> None:
        """Note that a call has been written just now."""
        took = self._monotonic() - departure.at
        with self._writing:
            self._took.append(took)
            departure.at += took - min(self._took)

    def prepared(self, seconds: float) -> None:
        """Note how long a thread took to get ready for its turn, so that turns are taken early enough."""
        wanted = min(_LONGEST_LEAD, max(_FIRST_LEAD, 1.5 * seconds))
        self._lead = max(wanted, 0.9 * self._lead + 0.1 * wanted)

    def throttled(self, retry_after: float) -> None:
        """Slow the account down for a while; if the store doesn't answer, the next turn fails anyway."""
        with contextlib.suppress(StoreError):
            self._schedule.slow_down(retry_after)

    def leave(self) -> None:
        """Remove this run from the account's schedule when it ends."""
        with contextlib.suppress(StoreError):
            self._schedule.leave()

    def _next_turn(self) -> Turn:
        # Drop the turns that passed while the line was empty.
        while self._turns and self._turns[0].due < self._monotonic():
            self._turns.popleft()
        if not self._turns:
            now = self._clock()
            offset = self._monotonic() - now
            reserved = self._schedule.reserve(self._batch, now + self._lead)
            self._span = self._shortest_span * (1.0 + _SPARE_SHARE * reserved.slack)
            self._turns.extend(Turn(at, at + offset) for at in reserved.times())
        return self._turns.popleft()
