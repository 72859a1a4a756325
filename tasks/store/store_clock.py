"""The store's clock, to some hundredths of a second, though its answers tell whole seconds only.

An answer with the date of second `d` was made within that second, and between its request and its arrival here. So it
bounds the store's clock from both sides, and the bounds of many answers together are as narrow as a round trip: what
counts are the answers just before and just after a second begins. Machines whose clocks differ agree on this clock.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

_DRIFT: Final = 1e-4  # of a machine's clock beside the store's: NTP slews by 5e-4 at most, quartz drifts by 5e-5
_NARROW: Final = 0.015


@dataclass(frozen=True, slots=True)
class _Bound:
    """The least or the greatest difference from the store's clock to the monotonic one, as known at `at`."""

    difference: float
    at: float


class StoreClock:
    """Tells the store's time; thread-safe. Until a store has answered, it's this machine's.

    A machine's clock that agrees with the store's answers is used as it is, so that the processes of a machine agree
    exactly. Otherwise the middle between the bounds is the store's time.
    """

    def __init__(
        self, *, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._low: _Bound | None = None
        self._high: _Bound | None = None
        self._round_trip = math.inf
        self._parsed: tuple[str, float | None] = ("", None)

    @property
    def has_answers(self) -> bool:
        """Whether a store has told its time."""
        return self._low is not None

    def monotonic(self) -> float:
        """Return the monotonic time that `answered` and `next_tick` mean."""
        return self._monotonic()

    def now(self) -> float:
        """Return the store's time (Unix time in seconds)."""
        now = self._monotonic()
        return now + self._difference(now)

    def skew(self) -> float:
        """Return by how much this machine's clock is certainly ahead of the store's, or behind if negative; or 0.0."""
        now = self._monotonic()
        own = self._wall() - now
        low, high = self._bounds(now)
        return max(0.0, own - high) + min(0.0, own - low)

    def answered(self, date: str | None, sent: float, received: float) -> None:
        """Learn from an answer: its Date header, and the monotonic times of its request and its arrival."""
        second = None if date is None else self._second(date)
        if second is None:
            return
        low, high = _Bound(second - received, received), _Bound(second + 1.0 - sent, received)
        with self._lock:
            self._round_trip = min(self._round_trip, received - sent)
            known_low, known_high = self._bounds(received)
            if low.difference > known_low:
                self._low = low
            if high.difference < known_high:
                self._high = high
            # Answers of several machines, or a clock that was set: the latest answer is believed.
            if low.difference > known_high:
                self._high = low
            elif high.difference < known_low:
                self._low = high

    def next_tick(self) -> float | None:
        """Return when to ask the store, so that the answer halves what is uncertain.

        None if it's certain enough, or if the store has told no time yet.
        Otherwise it's when the store's next second begins, as far as known: a monotonic time within a second from now.
        """
        now = self._monotonic()
        low, high = self._bounds(now)
        if math.isinf(high - low) or high - low <= max(_NARROW, 1.5 * self._round_trip):
            return None
        ahead = self._round_trip / 2
        middle = (low + high) / 2
        return math.ceil(now + ahead + middle) - middle - ahead

    def _difference(self, now: float) -> float:
        own = self._wall() - now
        low, high = self._bounds(now)
        return own if low <= own <= high else (low + high) / 2

    def _bounds(self, now: float) -> tuple[float, float]:
        """Return the bounds of the difference, wider the longer ago the answers came."""
        low, high = self._low, self._high
        return (
            -math.inf if low is None else low.difference - _DRIFT * max(0.0, now - low.at),
            math.inf if high is None else high.difference + _DRIFT * max(0.0, now - high.at),
        )

    def _second(self, date: str) -> float | None:
        known, second = self._parsed
        if date != known:
            try:
                second = parsedate_to_datetime(date).timestamp()
            except ValueError:
                return None
            self._parsed = (date, second)
        return second
