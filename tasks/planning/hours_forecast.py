"""How many numbers may be texted now, and when the others may."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.planning.chunk_layout import ChunkLayout

_AHEAD_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class HoursForecast:
    """What a run has left to send, by when it may go: numbers, and Unix times.

    `later` has the earliest first. `never` are numbers that may not be texted within a day: in places so wide that the
    hours never fit all of their zones, or whose zones nobody knows.
    """

    hours: Hours
    open_now: int
    later: tuple[tuple[float, int], ...]
    never: int


def closed_chunks(layout: ChunkLayout, hours: Hours, at: float) -> frozenset[int]:
    """Return the chunks whose recipients may not be texted at a Unix time."""
    closed = [not hours.is_open(group.zones or (), at) for group in layout.groups]
    starts = [each_range.first_chunk for each_range in layout.ranges]
    return frozenset(
        chunk
        for each_range, after in zip(layout.ranges, [*starts[1:], layout.chunk_count], strict=True)
        if closed[each_range.group]
        for chunk in range(each_range.first_chunk, after)
    )


def forecast_hours(layout: ChunkLayout, chunks: Iterable[int], hours: Hours, now: float) -> HoursForecast:
    """Count the numbers of these chunks."""
    by_group: Counter[int] = Counter()
    for chunk in chunks:
        by_group[layout.group_of(chunk)] += layout.size_of(chunk)
    by_time: Counter[float | None] = Counter()
    for group, numbers in by_group.items():
        by_time[hours.next_open(layout.groups[group].zones or (), now, now + _AHEAD_SECONDS)] += numbers
    never = by_time.pop(None, 0)
    open_now = by_time.pop(now, 0)
    later = tuple(sorted((at, numbers) for at, numbers in by_time.items() if at is not None))
    return HoursForecast(hours, open_now, later, never)
