"""The account's rate: how a gateway may count calls. The sandbox's default is the strictest, any sliding second."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Protocol

_WINDOW_SECONDS = 1.0
# A call checked late (a large body on a slow connection) counts at the arrival of its headers.
_MEMORY_SECONDS = 120.0


class RateWindow(Protocol):
    """Counts the arrivals of one account, in seconds of a monotonic clock."""

    def has_room(self, arrived: float) -> bool:
        """Return whether an arrival at `arrived` keeps the limit."""
        ...

    def take(self, arrived: float) -> None:
        """Count an arrival, even if there's no room."""
        ...


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


class FixedWindow:
    """A limit for each second of the clock; a delayed call can fall into the next second."""

    def __init__(self, calls_per_second: int) -> None:
        self._limit = calls_per_second
        self._counts: dict[int, int] = {}

    def has_room(self, arrived: float) -> bool:
        """Return whether the second of `arrived` has fewer calls than the limit."""
        return self._counts.get(math.floor(arrived), 0) < self._limit

    def take(self, arrived: float) -> None:
        """Count an arrival in its second."""
        second = math.floor(arrived)
        if second not in self._counts:
            self._counts = {at: count for at, count in self._counts.items() if at > second - _MEMORY_SECONDS}
        self._counts[second] = self._counts.get(second, 0) + 1


class TokenBucket:
    """A bucket that holds a second's calls and is filled at the limit; it lets a burst in after a pause."""

    def __init__(self, calls_per_second: int) -> None:
        self._limit = calls_per_second
        self._tokens = float(calls_per_second)
        self._at = -math.inf

    def has_room(self, arrived: float) -> bool:
        """Return whether a whole token is left at `arrived`."""
        return self._tokens_at(arrived) >= 1.0 - 1e-9

    def take(self, arrived: float) -> None:
        """Take a token; an empty bucket stays empty."""
        self._tokens = max(0.0, self._tokens_at(arrived) - 1.0)
        self._at = max(self._at, arrived)

    def _tokens_at(self, arrived: float) -> float:
        return min(self._limit, self._tokens + max(0.0, arrived - self._at) * self._limit)


def busiest_second(arrivals: Sequence[float]) -> int:
    """Return the largest number of arrivals in any sliding second."""
    ordered = sorted(arrivals)
    first = most = 0
    for last, arrived in enumerate(ordered):
        while arrived - ordered[first] >= _WINDOW_SECONDS:
            first += 1
        most = max(most, last - first + 1)
    return most
