"""Spans and moments of time in words."""

from datetime import UTC, datetime


def in_words(seconds: float) -> str:
    """Return `2 h 5 min`, `3 min 20 s` or `45 s`; days where there are some."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def moment(at: float) -> str:
    """Return a Unix time as `2026-11-25 01:00 UTC`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
