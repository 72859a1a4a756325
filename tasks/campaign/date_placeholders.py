"""Fills date placeholders: `{date}` in a list's URI or a campaign id becomes the day a run was scheduled for."""

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
    """Return the time zone with an IANA name such as Asia/Singapore.

    Raises:
        InputError: the time zone is unknown.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # the last two for the name of a folder or an absolute path
        raise InputError(
            f"--time-zone {mask_typed(name)!r}: unknown time zone; write it like Asia/Singapore or UTC"
        ) from None


def fill(text: str, at: datetime) -> str:
    """Fill the placeholders {date}, {year}, {month}, {day} and {hour} with digits, from a time in its own zone.

    Braces around anything but one word stay. The result has no placeholders, so filling it again changes nothing. To
    match a key that really contains a word in braces, use a glob: `?date?`.

    Raises:
        InputError: a placeholder is unknown.
    """

    def value(found: re.Match[str]) -> str:
        wanted = _FORMATS.get(found.group(1))
        if wanted is None:
            raise InputError(
                f"{text!r}: unknown placeholder {found.group()}; use {PLACEHOLDERS} "
                "(for a brace that is part of the name, write ?)"
            )
        return at.strftime(wanted)

    return _PLACEHOLDER.sub(value, text)


def fill_options(options: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return options with the dates in lists and campaign ID filled in.

    Raises:
        InputError: the placeholder is unknown.
    """
    recipients, campaign = options.get("recipients") or (), options.get("campaign")
    lists = [recipients] if isinstance(recipients, str) else recipients
    return {
        **options,
        "recipients": [fill(uri, at) for uri in lists],
        "campaign": None if campaign is None else fill(campaign, at),
    }
