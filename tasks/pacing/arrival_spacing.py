"""When a process's next call can leave so that it arrives a second after those that it must not share a second with.

A call that is delayed on its way is answered later: what its answer takes longer than the fastest of the last answers
is the most that its own arrival was late. So a call waits for as long as the one before it may have been late, instead
of spacing all calls for the worst delay. The account's slack bounds that wait, because a slow answer may also mean that
the gateway took long to work it out. At 1 or 2 calls a second with arrivals delayed by 20 to 80 ms, this uses 0.96 of
the limit, and the same slack between all calls 0.94 (`tests/benchmarks/simulate_margin.py`).
"""

import collections
import math
import threading
from dataclasses import dataclass
from typing import Final

_WRITES_COMPARED: Final = 20
_ANSWERS_COMPARED: Final = 100


@dataclass(slots=True)
class Departure:
    """A call that may have left: its turn (monotonic), and by how much it may have been late, as far as known."""

    at: float
    written_late: float = 0.0
    arrived_late: float | None = None


class ArrivalSpacing:
    """A process's last departures; `window` calls may arrive in `seconds`. Thread-safe for writes and answers.

    Only one thread at a time may ask for `free_at` and add to `left`, as the pacer ensures.
    """

    def __init__(self, window: int, seconds: float) -> None:
        self._window = window
        self._seconds = seconds
        self._span = seconds
        self._longest_wait = 0.0
        self._waited = 0
        self._left: list[Departure] = []
        self._lock = threading.Lock()
        # Only differences matter: what is common to all calls keeps them apart.
        self._writes: collections.deque[float] = collections.deque([0.0], maxlen=_WRITES_COMPARED)
        self._answers: collections.deque[float] = collections.deque(maxlen=_ANSWERS_COMPARED)
        self._fastest = math.inf

    def keep(self, spare: float, longest_wait: float) -> None:
        """Keep a share of the time free after every call, and at most another one after calls that may be late."""
        self._span = self._seconds * (1.0 + spare)
        self._longest_wait = self._seconds * longest_wait

    def left(self, at: float) -> Departure:
        """Note that a call leaves now (monotonic)."""
        departure = Departure(at)
        self._left.append(departure)
        return departure

    def written(self, departure: Departure, now: float) -> None:
        """Note that a call has been written: up to 0.1 s after its departure on a busy machine, and more."""
        took = now - departure.at
        with self._lock:
            self._writes.append(took)
            departure.written_late = took - min(self._writes)

    def answered(self, departure: Departure, seconds: float) -> None:
        """Note how long a call's answer took, to its first byte."""
        with self._lock:
            self._answers.append(seconds)
            self._fastest = min(self._answers)
            departure.arrived_late = seconds - self._fastest
            self._waited += departure.arrived_late >= self._longest_wait

    def refused(self, departure: Departure) -> None:
        """Note that the gateway refused a call unseen: its answer says nothing about the others'."""
        departure.arrived_late = 0.0

    def waited(self) -> int:
        """Return how many calls made others wait for the longest time since this was last asked."""
        with self._lock:
            waited, self._waited = self._waited, 0
            return waited

    def free_at(self, now: float) -> float:
        """Return from when on one more call keeps the limit, as far as known now; it may be past."""
        arrivals = sorted((self._arrival(each, now) for each in self._left), reverse=True)
        if len(arrivals) < self._window:
            return -math.inf
        oldest = now - self._span - self._longest_wait
        self._left = [each for each in self._left if each.at + each.written_late > oldest]
        return arrivals[self._window - 1] + self._span

    def _arrival(self, departure: Departure, now: float) -> float:
        late = departure.arrived_late
        if late is None:
            late = max(0.0, now - departure.at - self._fastest)
        return departure.at + max(departure.written_late, min(late, self._longest_wait))
