"""The account's rate: a limit of calls in any sliding second."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

_WINDOW_SECONDS = 1.0
# A call checked late (a large body on a slow connection) counts at the arrival of its headers.
_MEMORY_SECONDS = 120.0


class SlidingWindow:
    """The arrivals that count towards an account's rate, in seconds of a monotonic clock.

    Two arrivals exactly one second apart don't share a second. Not thread-safe: belongs to one event loop.
    """

    def __init__(self, calls_per_second: int) -> None:
        self._limit = calls_per_second
        self._taken: list[float] = []

    def has_room(self, arrived: float) -> bool:
        """Return whether another arrival at `arrived` keeps every sliding second within the limit."""
        taken, limit = self._taken, self._limit
        place = bisect_right(taken, arrived)
        around = [*taken[max(0, place - limit) : place], arrived, *taken[place : place + limit]]
        return all(around[i + limit] - around[i] >= _WINDOW_SECONDS for i in range(len(around) - limit))

    def take(self, arrived: float) -> None:
        """Count an arrival, even if there's no room."""
        taken = self._taken
        if taken and taken[0] < arrived - 2 * _MEMORY_SECONDS:
            del taken[: bisect_left(taken, arrived - _MEMORY_SECONDS)]
        taken.insert(bisect_right(taken, arrived), arrived)


def busiest_second(arrivals: Sequence[float]) -> int:
    """Return the largest number of arrivals in any sliding second."""
    ordered = sorted(arrivals)
    first = most = 0
    for last, arrived in enumerate(ordered):
        while arrived - ordered[first] >= _WINDOW_SECONDS:
            first += 1
        most = max(most, last - first + 1)
    return most
