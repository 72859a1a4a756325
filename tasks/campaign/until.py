"""The end of a campaign (`--until`): when its texts may go out for the last time."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from typing import Final

from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.vocabulary.masking import mask_typed

HOURS: Final = "hours"
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Until:
    """Nothing is presented after `at` (Unix time) or, with `hours`, after their end on the day of `began`.

    That day is the recipient's: see `Hours.end_of_day`.
    """

    at: float = math.inf
    hours: Hours | None = None
    began: float = 0.0

    def end(self, zones: Sequence[str] | None) -> float:
        """Return when numbers in all of these time zones may be presented for the last time."""
        return self.at if self.hours is None else _end_of_day(self.hours, tuple(zones or ()), self.began)


NO_END: Final = Until()


def check_until(text: str) -> str:
    """Return the value of `--until` without spaces around it: a time of day, a date and time, or `hours`.

    Raises:
        ValueError: it's something else.
    """
    text = text.strip()
    _read(text)
    return text


def read_until(text: str, began: datetime, hours: Hours | None) -> Until:
    """Return what a value of `--until` means for a run that began, or was scheduled, at a time in its own zone.

    A time of day is that of the day on which the run began, even if it had already passed.
    """
    read = _read(text)
    if read is None:
        return Until(hours=hours, began=began.timestamp())
    if isinstance(read, time):
        return Until(datetime.combine(began.date(), read, began.tzinfo).timestamp())
    return Until((read if read.tzinfo is not None else read.replace(tzinfo=began.tzinfo)).timestamp())


def _read(text: str) -> datetime | time | None:
    """Return the time that a value of `--until` names; None for the end of the hours."""
    if text == HOURS:
        return None
    found = _TIME.fullmatch(text)
    try:
        if found is not None:
            return time(int(found[1]), int(found[2]))
        if len(text) > len("2026-12-24"):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{mask_typed(text)!r} isn't a time: write it like 18:00 or 2026-12-24T18:00, or `hours`")


@lru_cache(maxsize=1_000)
def _end_of_day(hours: Hours, zones: tuple[str, ...], began: float) -> float:
    return hours.end_of_day(zones, began)
