"""The hours in which a number may be texted, by the clocks of all time zones that it may be in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from globe_sms.tasks.vocabulary.masking import mask_typed

_SPAN: Final = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_QUARTER: Final = 15  # minutes: no zone's offset or clock change is finer
_LAST_HOUR: Final = 24
_HOUR: Final = 60  # minutes
_DAY: Final = 24 * _HOUR
_DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans of local time, each from when it opens (inclusive) to when it closes (exclusive); one may pass midnight.

    Local time also counts on days when the clocks change, however long the hours are then.
    """

    spans: tuple[tuple[time, time], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `09:00-20:00`, or several spans: `10:00-13:00, 14:00-20:00`; `24:00` ends a day.

        Raises:
            ValueError: the text isn't valid hours, or they cover the whole day.
        """
        minutes: set[int] = set()
        for span in text.split(","):
            found = _SPAN.fullmatch(span)
            if found is None:
                raise ValueError(f"{mask_typed(text)!r} aren't valid hours: write them like 09:00-20:00")
            opens, closes = _minute(text, *found.group(1, 2)), _minute(text, *found.group(3, 4))
            if opens == closes:
                raise ValueError(
                    f"{mask_typed(text)!r} start and end at the same time: leave the option out to send around the "
                    "clock"
                )
            minutes |= _minutes_between(opens, closes)
        if len(minutes) == _DAY:
            raise ValueError(f"{mask_typed(text)!r} are the whole day: leave the option out to send around the clock")
        return cls(_spans_of(minutes))

    def within(self, other: "Hours") -> "Hours | None":
        """Return the hours that both have; None if they have none in common."""
        common = _minutes_of(self) & _minutes_of(other)
        return Hours(_spans_of(common)) if common else None

    def __str__(self) -> str:
        """Return the hours as users write them."""
        return ", ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in self.spans)

    def is_open(self, zones: Sequence[str], at: float) -> bool:
        """Whether a number in any of these time zones may be texted at a Unix time: it must be open in all of them.

        False if no zone is known, or this machine doesn't know one of them.
        """
        if not zones:
            return False
        moment = datetime.fromtimestamp(at, UTC)
        return all(self._has(moment, _zone(name)) for name in zones)

    def next_open(self, zones: Sequence[str], after: float, until: float) -> float | None:
        """Return when it's next open, from `after` on; None if that is after `until`."""
        if self.is_open(zones, after):
            return after
        return next((mark for mark in self._marks(after, until) if self.is_open(zones, mark)), None) if zones else None

    def next_closed(self, zones: Sequence[str], after: float, until: float) -> float:
        """Return when zones that are open at `after` close; at most `until`."""
        return next((mark for mark in self._marks(after, until) if not self.is_open(zones, mark)), until)

    def end_of_day(self, zones: Sequence[str], at: float) -> float:
        """Return when the hours end on the day of the Unix time `at` in these time zones.

        If they've been open since the day before, they end when those close; otherwise the last ones that begin on that
        day count. Return `at` if none do: they've already ended.
        """
        known = [zone for name in zones if (zone := _zone(name)) is not None]
        days = [datetime.fromtimestamp(at, zone) for zone in known]
        midnights = [datetime.combine(day.date() + timedelta(days=1), time(), day.tzinfo).timestamp() for day in days]
        last = min(midnights, default=at) - 1.0
        end, opens = at, self.next_open(zones, at, last)
        before = min(midnights, default=at) - _DAY_SECONDS - 60.0
        if opens == at and self.is_open(zones, before) and self.next_closed(zones, before, at) == at:
            return self.next_closed(zones, at, at + _DAY_SECONDS)
        while opens is not None:
            end = self.next_closed(zones, opens, opens + _DAY_SECONDS)
            opens = self.next_open(zones, end, last) if end <= last else None
        return end

    def _has(self, moment: datetime, zone: ZoneInfo | None) -> bool:
        if zone is None:
            return False
        clock = moment.astimezone(zone).time()
        return any(
            opens <= clock < closes if opens < closes else clock >= opens or clock < closes
            for opens, closes in self.spans
        )

    def _marks(self, after: float, until: float) -> Iterator[float]:
        """Yield the times when hours may open or close in any zone; all offsets are multiples of 15 minutes."""
        minutes = {0, *(edge.minute % _QUARTER for span in self.spans for edge in span)}
        minute = int(after // 60) + 1
        while minute * 60 <= until:
            if minute % _QUARTER in minutes:
                yield minute * 60.0
            minute += 1


def _minute(text: str, hour: str, minute: str) -> int:
    hours, minutes = int(hour), int(minute)
    if (hours < _LAST_HOUR and minutes < _HOUR) or (hours, minutes) == (_LAST_HOUR, 0):
        return (hours * _HOUR + minutes) % _DAY
    raise ValueError(f"{mask_typed(text)!r} aren't valid hours: {hour}:{minute} isn't a time of day")


def _minutes_of(hours: Hours) -> set[int]:
    """Return the minutes of a day in which they are open."""
    return {
        minute
        for opens, closes in hours.spans
        for minute in _minutes_between(opens.hour * _HOUR + opens.minute, closes.hour * _HOUR + closes.minute)
    }


def _minutes_between(opens: int, closes: int) -> set[int]:
    """Return the minutes of a day from one to another, past midnight if that is earlier."""
    return {(opens + minute) % _DAY for minute in range((closes - opens) % _DAY)}


def _spans_of(minutes: set[int]) -> tuple[tuple[time, time], ...]:
    """Return the spans that minutes of a day make up, in opening order; one that passes midnight is last."""
    opens = sorted(minute for minute in minutes if (minute - 1) % _DAY not in minutes)
    closes = sorted((minute + 1) % _DAY for minute in minutes if (minute + 1) % _DAY not in minutes)
    ends = [next((end for end in closes if end > opened), closes[0]) for opened in opens]
    return tuple(
        (time(*divmod(opened, _HOUR)), time(*divmod(end, _HOUR))) for opened, end in zip(opens, ends, strict=True)
    )


@cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None
