"""Durations and points in time as text, and durations as people write them."""

import re
from datetime import UTC, datetime
from typing import Final

from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_SPAN: Final = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)\s*(s|min|m|h|d)", re.ASCII)


def in_words(seconds: float) -> str:
    """Return a duration as `1 d 3 h`, `2 h 5 min`, `3 min 20 s` or `45 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def moment(at: float) -> str:
    """Return a Unix time as `2026-11-25 01:00 UTC`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def clock_time(at: float) -> str:
    """Return a Unix time of today as `01:00:05 UTC`."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def seconds_of(text: str, *, longest_days: int) -> float:
    """Return the seconds of a duration: `90s`, `30m` (or `30min`), `1.5h`, `2d`, `1h 30m`, `1d12h`, or `0`.

    Raises:
        InputError: the text isn't a duration, or it's longer than `longest_days`.
    """
    rest = text.strip().lower()
    seconds, place = 0.0, 0
    while place < len(rest) and (part := _SPAN.match(rest, place)):
        seconds += float(part[1]) * _SECONDS[part[2]]
        place = len(rest) - len(rest[part.end() :].lstrip())
    if rest != "0" and (not rest or place < len(rest)):
        raise InputError(f"{mask_typed(text)!r} isn't a duration: write it like 45s, 90m, 12h or 1d 12h")
    if seconds > longest_days * _SECONDS["d"]:
        raise InputError(f"{mask_typed(text)!r} is longer than {longest_days} days")
    return seconds
