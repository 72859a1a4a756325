"""What a run has done so far, for the progress bar, the failure limit and the report."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from globe_sms.tasks.vocabulary.statuses import Status


@dataclass(frozen=True, slots=True)
class ProgressSnapshot:
    """Counts of numbers by status, and of calls, in this run; times in seconds since it began.

    `waits_until` is the Unix time until which nothing may go; None while something may. `out` is how many calls wait
    for their answer, `longest_out` for how many seconds the first of them has; None if there are none.
    """

    numbers: dict[Status, int]
    total: int
    calls: int
    throttled: int
    first_call: float | None
    last_call: float | None
    waits_until: float | None = None
    out: int = 0
    longest_out: float | None = None

    @property
    def done(self) -> int:
        """Numbers that this run has presented and knows the outcome of, or knows it does not."""
        return sum(self.numbers.values())

    @property
    def rate(self) -> float | None:
        """Calls a second from the first to the last; None below two calls."""
        if self.calls <= 1 or self.first_call is None or self.last_call is None or self.last_call <= self.first_call:
            return None
        return (self.calls - 1) / (self.last_call - self.first_call)


class Progress:
    """Counts; thread-safe. `total` is how many numbers this run has to present."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._lock = threading.Lock()
        self._numbers: Counter[Status] = Counter()
        self._total = 0
        self._calls = 0
        self._throttled = 0
        self._out_since: list[tuple[int, float]] = []  # by the thread that waits for the answer
        self._first: float | None = None
        self._last: float | None = None
        self._waits_until: float | None = None

    def expect(self, numbers: int) -> None:
        """Say how many numbers this run has to present."""
        with self._lock:
            self._total = numbers

    def expect_fewer(self, numbers: int) -> None:
        """Take off numbers that are left out after all."""
        with self._lock:
            self._total -= numbers

    def waits_until(self, at: float | None) -> None:
        """Say until when (Unix time) nothing may go; None when something may again."""
        with self._lock:
            self._waits_until = at

    def called(self) -> None:
        """Count a call that leaves now."""
        with self._lock:
            self._calls += 1
            self._last = self._monotonic() - self._began
            self._out_since.append((threading.get_ident(), self._last))
            self._first = self._last if self._first is None else self._first

    def landed(self) -> None:
        """Count this thread's call out of the air: its answer has come, or will not."""
        with self._lock:
            mine = next(place for place, (thread, _) in enumerate(self._out_since) if thread == threading.get_ident())
            del self._out_since[mine]

    @property
    def in_air(self) -> int:
        """How many calls are waiting for their answer."""
        return len(self._out_since)

    def throttled(self) -> None:
        """Count a call that the gateway throttled."""
        with self._lock:
            self._throttled += 1

    def settled(self, status: Status, numbers: int) -> None:
        """Count numbers whose outcome is recorded."""
        with self._lock:
            self._numbers[status] += numbers

    @property
    def snapshot(self) -> ProgressSnapshot:
        """The counts at this moment."""
        with self._lock:
            return ProgressSnapshot(
                dict(self._numbers),
                self._total,
                self._calls,
                self._throttled,
                self._first,
                self._last,
                self._waits_until,
                len(self._out_since),
                self._monotonic() - self._began - self._out_since[0][1] if self._out_since else None,
            )

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._monotonic() - self._began
