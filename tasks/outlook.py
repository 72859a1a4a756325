"""How many numbers may be texted now, and when the others may."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tasks.hours import Hours
from tasks.lanes import Cut

_AHEAD_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run has left to send, by when it may go: numbers, and Unix times.

    `later` has the earliest first. `never` are numbers that may not be texted within a day: in places so wide that the
    hours never fit all of their zones, or whose zones nobody knows.
    """

    hours: Hours
    open_now: int
    later: tuple[tuple[float, int], ...]
    never: int


def closed_chunks(cut: Cut, hours: Hours, at: float) -> frozenset[int]:
    """Return the chunks whose recipients may not be texted at a Unix time."""
    closed = [not hours.is_open(lane.zones or (), at) for lane in cut.lanes]
    starts = [stretch.first_chunk for stretch in cut.stretches]
    return frozenset(
        chunk
        for stretch, after in zip(cut.stretches, [*starts[1:], cut.chunk_count], strict=True)
        if closed[stretch.lane]
        for chunk in range(stretch.first_chunk, after)
    )


def make_outlook(cut: Cut, chunks: Iterable[int], hours: Hours, now: float) -> Outlook:
    """Count the numbers of these chunks."""
    by_lane: Counter[int] = Counter()
    for chunk in chunks:
        by_lane[cut.lane_of(chunk)] += cut.size_of(chunk)
    by_time: Counter[float | None] = Counter()
    for lane, numbers in by_lane.items():
        by_time[hours.next_open(cut.lanes[lane].zones or (), now, now + _AHEAD_SECONDS)] += numbers
    never = by_time.pop(None, 0)
    open_now = by_time.pop(now, 0)
    later = tuple(sorted((at, numbers) for at, numbers in by_time.items() if at is not None))
    return Outlook(hours, open_now, later, never)
