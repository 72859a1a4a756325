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
from globe_sms.tasks.pacing.arrival_spacing import ArrivalSpacing, Departure
from globe_sms.tasks.vocabulary.errors import StoreError
from globe_sms.tasks.vocabulary.stop_signal import StoppedError, StopSignal

_BATCH_SECONDS = 0.5
_FIRST_LEAD = 0.4
_LONGEST_LEAD = 3.0
_LATE_SECONDS = 0.25
_SPARE_SHARE = 0.7  # of what the turns leave free: delays wear off by the rest, and calls don't close up meanwhile
_NEAREST_SHARE = 0.9  # of the interval: delayed calls catch up gently, without bursts
_ASKING_SECONDS = 0.2  # for a question to the store in between
_LOOK_UP_SECONDS = 2.0  # a stop wakes the first in line, which wakes the next; this is for a store that hangs


class TurnMissedError(Exception):
    """The thread was delayed until long past its turn; take another turn instead of sending."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a call may leave: `at` is Unix time in seconds, for the record; `due` is on the monotonic clock.

    `behind` is how many seconds this run's turns had been moved later because its calls lagged behind them.
    """

    at: float
    due: float
    behind: float = 0.0


class Pacer:
    """Hands out the turns of one process. Thread-safe; all waits end at once when the run is stopped.

    The schedule spaces the turns of all processes. This object also spaces its own calls (`arrival_spacing.py`): one
    that left late, took longer than others to be written, or may have arrived late delays the next ones, so that no
    sliding second holds too many.
    """

    def __init__(
        self,
        schedule: Schedule,
        stop: StopSignal,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        lead: float = _FIRST_LEAD,
    ) -> None:
        self._schedule = schedule
        self._stop = stop
        self._monotonic = monotonic
        self._line = threading.Lock()
        self._turns: collections.deque[Turn] = collections.deque()
        self._batch = max(1, math.floor(schedule.rate * _BATCH_SECONDS))
        self._lead = lead
        # So many calls may leave in so many seconds: 1 in 1 s, 20 in 1 s, 1 in 2 s for half a call a second.
        window = max(1, math.floor(schedule.rate))
        self._spacing = ArrivalSpacing(window, window / schedule.rate)
        self._nearest = _NEAREST_SHARE / schedule.rate
        self._slack = 0.0
        self._last = -math.inf
        self._reserved_behind = 0.0  # of the last turn reserved
        self._behind = math.inf  # of the calls that left since then, the one that lagged least
        self._gate = threading.Lock()

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
            leaves_line = turn.due - self._lead
            tick = self._schedule.next_tick()
            if tick is not None and self._monotonic() < tick < leaves_line - _ASKING_SECONDS:
                self._wait(tick)
                self._schedule.ask_time()
            self._wait(leaves_line)
            return turn
        finally:
            self._line.release()

    def wait_until(self, turn: Turn, seconds_before: float) -> None:
        """Wait until `seconds_before` seconds before the turn.

        Raises:
            StoppedError: the run was stopped.
        """
        self._wait(turn.due - seconds_before)

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
            # Check again after each wait: other calls may have been late meanwhile.
            while (free := max(self._last + self._nearest, self._spacing.free_at(now))) > now:
                self._wait(free)
                now = self._monotonic()
            self._stop.check()
            self._last = self._monotonic()
            self._behind = min(self._behind, turn.behind + max(0.0, self._last - turn.due))
            return self._spacing.left(self._last)

    @property
    def slack(self) -> float:
        """The share of the shortest interval that delays need, as the schedule has learned."""
        return self._slack

    def written(self, departure: Departure) -> None:
        """Note that a call has been written just now."""
        self._spacing.written(departure, self._monotonic())

    def answered(self, departure: Departure, seconds: float) -> None:
        """Note how long after its departure a call's answer began."""
        self._spacing.answered(departure, seconds)

    def prepared(self, seconds: float) -> None:
        """Note how long a thread took to get ready for its turn, so that turns are taken early enough."""
        wanted = min(_LONGEST_LEAD, max(_FIRST_LEAD, 1.5 * seconds))
        self._lead = max(wanted, 0.9 * self._lead + 0.1 * wanted)

    def throttled(self, departure: Departure | None, retry_after: float) -> None:
        """Slow the account down for a while; if the store doesn't answer, the next turn fails anyway."""
        if departure is not None:
            self._spacing.refused(departure)
        with contextlib.suppress(StoreError):
            self._schedule.slow_down(retry_after)

    def leave(self) -> None:
        """Remove this run from the account's schedule when it ends."""
        with contextlib.suppress(StoreError):
            self._schedule.leave()

    def _wait(self, until: float) -> None:
        if self._stop.wait(until - self._monotonic()):
            raise StoppedError

    def _next_turn(self) -> Turn:
        # Drop the turns that passed while the line was empty.
        while self._turns and self._turns[0].due < self._monotonic():
            self._turns.popleft()
        if not self._turns:
            now = self._schedule.clock()
            offset = self._monotonic() - now
            behind = 0.0 if math.isinf(self._behind) else max(0.0, self._behind - self._reserved_behind)
            waited = self._spacing.waited()
            reserved = self._schedule.reserve(self._batch, now + self._lead, behind=behind, waited=waited)
            self._reserved_behind, self._behind = self._reserved_behind + behind, math.inf
            self._slack = reserved.slack
            self._spacing.keep(_SPARE_SHARE * reserved.spare, reserved.slack - reserved.spare)
            self._turns.extend(Turn(at, at + offset, self._reserved_behind) for at in reserved.times())
        return self._turns.popleft()
