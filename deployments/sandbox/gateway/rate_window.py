"""The account's rate: at most so many calls in any sliding second."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

_WINDOW_SECONDS = 1.0
# A call that is judged late (a large body on a slow connection) is judged by when its headers came.
_MEMORY_SECONDS = 120.0


class SlidingWindow:
    """The arrivals that count against one account's rate, in seconds of a monotonic clock.

    Two arrivals exactly one second apart do not share a second. Not thread-safe: one event loop owns it.
    """

    def __init__(self, calls_per_second: int) -> None:
        self._limit = calls_per_second
        self._taken: list[float] = []

    def has_room(self, arrived: float) -> bool:
        """Tell whether one more arrival at `arrived` keeps every sliding second within the limit."""
        taken, limit = self._taken, self._limit
        place = bisect_right(taken, arrived)
        around = [*taken[max(0, place - limit) : place], arrived, *taken[place : place + limit]]
        return all(around[i + limit] - around[i] >= _WINDOW_SECONDS for i in range(len(around) - limit))

    def take(self, arrived: float) -> None:
        """Count an arrival, whether there is room or not."""
        taken = self._taken
        if taken and taken[0] < arrived - 2 * _MEMORY_SECONDS:
            del taken[: bisect_left(taken, arrived - _MEMORY_SECONDS)]
        taken.insert(bisect_right(taken, arrived), arrived)


def busiest_second(arrivals: Sequence[float]) -> int:
    """Give the largest number of arrivals that any sliding second holds."""
    ordered = sorted(arrivals)
    first = most = 0
    for last, arrived in enumerate(ordered):
        while arrived - ordered[first] >= _WINDOW_SECONDS:
            first += 1
        most = max(most, last - first + 1)
    return most
