"""The hours in which a number may be texted, by the clocks of all time zones that it may be in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from globe_sms.tasks.vocabulary.masking import mask_typed

_HOURS: Final = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_QUARTER: Final = 15  # minutes: no zone's offset or clock change is finer
_LAST_HOUR: Final = 24
_DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens` (inclusive) to `closes` (exclusive) local time; past midnight if `closes` is earlier.

    Local time also counts on days when the clocks change, however long the hours are then.
    """

    opens: time
    closes: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `09:00-20:00`; `24:00` ends a day.

        Raises:
            ValueError: the text isn't valid hours, or they cover the whole day.
        """
        found = _HOURS.fullmatch(text)
        if found is None:
            raise ValueError(f"{mask_typed(text)!r} aren't valid hours: write them like 09:00-20:00")
        opens, closes = _time(text, *found.group(1, 2)), _time(text, *found.group(3, 4))
        if opens == closes:
            raise ValueError(
                f"{mask_typed(text)!r} start and end at the same time: leave the option out to send around the clock"
            )
        return cls(opens, closes)

    def __str__(self) -> str:
        """Return the hours as users write them."""
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"

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
        """Return when the hours of the day end that has the Unix time `at` in these time zones.

        If they're open at `at`, they end when these close; otherwise it's those that still begin on that day. `at` if
        none do: then they have ended.
        """
        known = [zone for name in zones if (zone := _zone(name)) is not None]
        days = [datetime.fromtimestamp(at, zone) for zone in known]
        midnights = [datetime.combine(day.date() + timedelta(days=1), time(), day.tzinfo).timestamp() for day in days]
        opens = self.next_open(zones, at, min(midnights, default=at) - 1.0)
        return at if opens is None else self.next_closed(zones, opens, opens + _DAY_SECONDS)

    def _has(self, moment: datetime, zone: ZoneInfo | None) -> bool:
        if zone is None:
            return False
        clock = moment.astimezone(zone).time()
        if self.opens < self.closes:
            return self.opens <= clock < self.closes
        return clock >= self.opens or clock < self.closes

    def _marks(self, after: float, until: float) -> Iterator[float]:
        """Yield the times when hours may open or close in any zone; all offsets are multiples of 15 minutes."""
        minutes = {0, self.opens.minute % _QUARTER, self.closes.minute % _QUARTER}
        minute = int(after // 60) + 1
        while minute * 60 <= until:
            if minute % _QUARTER in minutes:
                yield minute * 60.0
            minute += 1


def _time(text: str, hour: str, minute: str) -> time:
    try:
        return time(0) if (int(hour), int(minute)) == (_LAST_HOUR, 0) else time(int(hour), int(minute))
    except ValueError:
        raise ValueError(f"{mask_typed(text)!r} aren't valid hours: {hour}:{minute} isn't a time of day") from None


@cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None
