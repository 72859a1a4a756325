"""Shows the number of a day as the date and time that the spreadsheet program shows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ENGLISH: Final = 0x09
LARGEST_DAY: Final = 2_958_465  # 9999-12-31
_LEAP_DAY: Final = 60  # 1900-02-29, a day of spreadsheets only
_NAMES: Final = ("mmm", "ddd")
_UNKNOWN_LANGUAGE: Final = "it is shown in another language, or as the computer's country does"
_RARE: Final = "its date format is a rare one"
_SECONDS: Final = 86_400
_NOON: Final = 12


class UnknownFormatError(ValueError):
    """How a number is shown isn't known; the text says why."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A format of dates and times, as parts: what each is, and its text."""

    parts: tuple[tuple[str, str], ...]
    places: int
    """The digits after the seconds."""

    @classmethod
    def of(cls, parts: Sequence[tuple[str, str]]) -> "DateFormat":
        """Read the parts of a section; `m` after an hour or before a second is minutes.

        Raises:
            UnknownFormatError: it has parts that aren't of a date.
        """
        found: list[tuple[str, str]] = []
        places = 0
        after_point = False
        for position, (kind, text) in enumerate(parts):
            if kind == "date":
                found.append(("date", _minutes(text, parts, position)))
            elif kind == "point":
                after_point = position + 1 < len(parts) and parts[position + 1] == ("digit", "0")
                found.append(("literal" if not after_point else "fraction", "."))
            elif kind == "digit" and text == "0" and after_point:
                places += 1
                found.append(("fraction", "0"))
            elif kind in {"elapsed", "ampm", "literal"}:
                after_point = False
                found.append((kind, text))
            elif kind == "comma":
                found.append(("literal", ","))
            else:
                raise UnknownFormatError(_RARE)
        return cls(tuple(found), places)

    @classmethod
    def parse(cls, code: str) -> "DateFormat":
        """Read a code of letters and separators."""
        parts = [
            ("date" if found.isalpha() else "literal", found) for found in re.findall(r"y+|m+|d+|h+|s+|[^ymdhs]", code)
        ]
        return cls.of(parts)

    @property
    def has_date(self) -> bool:
        """Whether it shows a day, a month or a year."""
        return any(kind == "date" and text[0] in "ymd" for kind, text in self.parts)


def _minutes(text: str, parts: Sequence[tuple[str, str]], position: int) -> str:
    letters = text.casefold()
    if letters[0] != "m" or len(letters) > len("mm"):
        return letters
    before = next((part for part in reversed(parts[:position]) if part[0] in {"date", "elapsed"}), ("", " "))
    after = next((part for part in parts[position + 1 :] if part[0] in {"date", "elapsed"}), ("", " "))
    is_minutes = before[1][0].casefold() == "h" or after[1][0].casefold() == "s"
    return letters.replace("m", "n") if is_minutes else letters


def check_language(language: str | None, texts: Sequence[str]) -> None:
    """Refuse a format that shows names in a language other than English, or that follows the computer's settings.

    Raises:
        UnknownFormatError: it does.
    """
    if language is None:
        return
    tag = language.partition(",")[0]
    names = any(text.casefold().startswith(_NAMES) or "/" in text for text in texts)
    try:
        number = int(tag, 16)
    except ValueError:
        if tag.casefold().startswith("x-") or (names and not tag.casefold().startswith("en")):
            raise UnknownFormatError(_UNKNOWN_LANGUAGE) from None
        return
    if number >= 0xF000 or (names and number & 0x3FF != _ENGLISH):  # noqa: PLR2004 - settings, numerals, calendars
        raise UnknownFormatError(_UNKNOWN_LANGUAGE)


def serial_of(text: str, *, from_1904: bool) -> str:
    """Return the day number of an ISO 8601 date and time.

    Raises:
        UnknownFormatError: it isn't one.
    """
    try:
        moment = datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        raise UnknownFormatError("its value isn't a date") from None
    since = moment - (datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30))  # noqa: DTZ001 - a day without a place
    return str(Decimal(since.days) + Decimal(since.seconds) / _SECONDS)


def show_date(value: Decimal, form: DateFormat, *, from_1904: bool) -> str:
    """Return the day and time of a number, as this format shows them.

    Raises:
        UnknownFormatError: it isn't a day that programs agree on.
    """
    if value < 0 or value > LARGEST_DAY:
        raise UnknownFormatError("it is outside the years 1900 to 9999")
    unit = Decimal(1).scaleb(-max(form.places, 3))
    seconds = (value * _SECONDS).quantize(unit, rounding=ROUND_HALF_UP)
    shown = Decimal(1).scaleb(-form.places)
    if any(kind == "date" and text[0] == "s" for kind, text in form.parts):
        seconds = seconds.quantize(shown, rounding=ROUND_HALF_UP)
    days, rest = divmod(seconds, _SECONDS)
    moment = _moment(int(days), form, from_1904=from_1904) + timedelta(seconds=int(rest))
    fraction = f"{rest % 1:f}".partition(".")[2].ljust(form.places, "0")[: form.places]
    half_days = any(kind == "ampm" for kind, _ in form.parts)
    said: list[str] = []
    for kind, text in form.parts:
        if kind == "date":
            said.append(_date_part(text, moment, half_days=half_days))
        elif kind == "elapsed":
            said.append(_elapsed(text, int(seconds)))
        elif kind == "ampm":
            half = "AM" if moment.hour < _NOON else "PM"
            said.append(half if len(text) > len("A/P") else half[0])
        elif kind == "fraction":
            said.append("." + fraction if text == "." else "")
        else:
            said.append(text)
    return "".join(said).strip()


def _moment(days: int, form: DateFormat, *, from_1904: bool) -> datetime:
    if from_1904:
        return datetime(1904, 1, 1) + timedelta(days=min(days, LARGEST_DAY - 1462))  # noqa: DTZ001 - a day without a place
    if form.has_date and (days < 1 or days == _LEAP_DAY):
        raise UnknownFormatError("it is a day that doesn't exist")
    epoch = datetime(1899, 12, 30) if days > _LEAP_DAY else datetime(1899, 12, 31)  # noqa: DTZ001 - as above
    return epoch + timedelta(days=days)


def _date_part(text: str, moment: datetime, *, half_days: bool) -> str:  # noqa: PLR0911 - one for each letter
    letter, length = text[0], len(text)
    if letter == "y":
        return f"{moment.year:04d}" if length > len("yy") else f"{moment.year % 100:02d}"
    if letter == "m":
        name = _MONTHS[moment.month - 1]
        if length > len("mm"):
            return {3: name[:3], 5: name[0]}.get(length, name)
        return f"{moment.month:0{length}d}"
    if letter == "d":
        name = _DAYS[moment.weekday()]
        if length > len("dd"):
            return name[:3] if length == len("ddd") else name
        return f"{moment.day:0{length}d}"
    if letter == "h":
        hour = (moment.hour % _NOON or _NOON) if half_days else moment.hour
        return f"{hour:0{min(length, 2)}d}"
    return f"{moment.minute if letter == 'n' else moment.second:0{min(length, 2)}d}"


def _elapsed(text: str, seconds: int) -> str:
    unit = {"h": 3_600, "m": 60, "s": 1}[text[0]]
    return f"{seconds // unit:0{len(text)}d}"
