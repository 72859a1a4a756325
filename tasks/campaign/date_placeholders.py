"""Dates in a text: `{date}` in a list's URI or a campaign id becomes the day that a run was scheduled for."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]+)\}")
_FORMATS: Final[Mapping[str, str]] = {
    "date": "%Y-%m-%d",
    "year": "%Y",
    "month": "%m",
    "day": "%d",
    "hour": "%H",
}
PLACEHOLDERS: Final = ", ".join(f"{{{name}}}" for name in _FORMATS)


def time_zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name, like Asia/Singapore.

    Raises:
        InputError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # the last two for a folder's name or an absolute path
        raise InputError(
            f"--time-zone {mask_typed(name)!r}: there is no such time zone; write it like Asia/Singapore or UTC"
        ) from None


def fill(text: str, at: datetime) -> str:
    """Fill the placeholders {date}, {year}, {month}, {day} and {hour}, all as digits, from a time in its own zone.

    Braces around anything but one word stay as they are. What is filled holds no braces, so filling twice is filling
    once. A key that does hold a word in braces is matched by a glob: `?date?`.

    Raises:
        InputError: a placeholder is none of these.
    """

    def value(found: re.Match[str]) -> str:
        wanted = _FORMATS.get(found.group(1))
        if wanted is None:
            raise InputError(
                f"{text!r}: there is no placeholder {found.group()}; there are {PLACEHOLDERS} "
                "(for a brace that belongs to the name write ?)"
            )
        return at.strftime(wanted)

    return _PLACEHOLDER.sub(value, text)


def fill_options(options: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return options with the dates in lists and campaign ID filled in.

    Raises:
        InputError: there is no such placeholder.
    """
    recipients, campaign = options.get("recipients") or (), options.get("campaign")
    lists = [recipients] if isinstance(recipients, str) else recipients
    return {
        **options,
        "recipients": [fill(uri, at) for uri in lists],
        "campaign": None if campaign is None else fill(campaign, at),
    }
