"""Shows a number as the spreadsheet program does, by its number format (ECMA-376, part 1, 18.8.30 and 18.8.31).

What isn't known for certain isn't guessed: formats that follow the computer's language (the short date, the currency of
the country) and rare ones (fractions, other calendars) raise `UnknownFormatError`, with the reason.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Final

from globe_sms.tasks.recipients.workbooks.date_formats import LARGEST_DAY, DateFormat, show_date
from globe_sms.tasks.recipients.workbooks.format_parts import FormatSection, UnknownFormatError, parse_sections

GENERAL: Final = 0
LOCAL_DATE: Final = "it is shown as the short date of the computer's country, and the file doesn't say which country"
_LOCAL: Final = "it is shown as the computer's country does, and the file doesn't say which country"
_BUILT_IN: Final = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    37: "#,##0_);(#,##0)",
    38: "#,##0_);(#,##0)",
    39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);(#,##0.00)",
    41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}
_DATES_OF_THE_COUNTRY: Final = frozenset({14, 22})
_OF_THE_COUNTRY: Final = frozenset({*range(5, 9), *range(23, 37), 42, 44, *range(50, 82)})
_LARGEST_SHOWN: Final = Decimal(10) ** 15  # a spreadsheet keeps 15 digits
_SMALLEST_SHOWN: Final = Decimal(10) ** -9
_GENERAL_WIDTH: Final = 11


def show_number(text: str, number_format: int | str, *, from_1904: bool) -> str:
    """Return a number, as the file stores it, as the program shows it in a wide column.

    Raises:
        UnknownFormatError: what it looks like isn't known; its text says why.
    """
    value = number_of(text)
    code = _code_of(number_format)
    if code is None:
        return show_general(value)
    sections = _sections(code)
    section, value = _section_for(sections, value)
    if section.is_blank:
        return ""
    if isinstance(section.dates, DateFormat):
        return show_date(value, section.dates, from_1904=from_1904)
    if section.is_general:
        return section.around(show_general(value))
    return _placed(value, section).strip()


def show_as_digits(text: str, number_format: int | str, *, from_1904: bool) -> str:
    """Return a number from a column of phone numbers: its digits, with zeros and text that its format adds.

    A format such as `000000000` or `"+65 "0000 0000` belongs to the number; separators, percent signs and scientific
    notation don't. A date stays one, so that its digits can't pass for a number.
    """
    value = number_of(text)
    if number_format in _DATES_OF_THE_COUNTRY:
        return _iso(value, from_1904=from_1904)
    try:
        code = _code_of(number_format)
        if code is None:
            return show_general(value)
        section, shown = _section_for(_sections(code), value)
        if isinstance(section.dates, DateFormat):
            return _iso(value, from_1904=from_1904)
        if section.is_plain and not section.is_general:
            return _placed(shown, section).strip()
    except UnknownFormatError:
        pass
    return show_general(value)


def number_of(text: str) -> Decimal:
    """Return a stored number with the 15 digits that a spreadsheet keeps.

    Raises:
        UnknownFormatError: it isn't a number.
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise UnknownFormatError("its value isn't a number") from None
    if not value.is_finite() or abs(value.adjusted()) > 308:  # noqa: PLR2004 - the largest double
        raise UnknownFormatError("its value isn't a number")
    with localcontext() as context:
        context.prec = 15
        context.rounding = ROUND_HALF_UP
        return +value


def show_general(value: Decimal) -> str:
    """Return a number in the format "General" of a wide cell: whole numbers with all their digits, up to 15."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= _LARGEST_SHOWN or size < _SMALLEST_SHOWN:
        mantissa, _, exponent = f"{value:.5E}".partition("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{int(exponent):+03d}"
    if value == value.to_integral_value():
        return f"{value.to_integral_value():f}"
    before = max(len(f"{size.to_integral_value(rounding='ROUND_DOWN'):f}"), 1)
    rounded = _rounded(value, max(_GENERAL_WIDTH - 1 - before, 0))
    return f"{rounded:f}".rstrip("0").rstrip(".") if "." in f"{rounded:f}" else f"{rounded:f}"


def _iso(value: Decimal, *, from_1904: bool) -> str:
    if value > LARGEST_DAY:  # a number in a cell that once held a date
        return show_general(value)
    try:
        return show_date(value, _ISO, from_1904=from_1904)
    except UnknownFormatError:
        return f"{show_general(value)} (a date)"


def _code_of(number_format: int | str) -> str | None:
    """Return the code of a format; None for General, and for numbers that the workbook doesn't define."""
    if isinstance(number_format, str):
        return None if number_format.strip().casefold() in {"", "general"} else number_format
    if number_format in _DATES_OF_THE_COUNTRY:
        raise UnknownFormatError(LOCAL_DATE)
    if number_format in _OF_THE_COUNTRY:
        raise UnknownFormatError(_LOCAL)
    return _BUILT_IN.get(number_format)


@lru_cache(maxsize=256)
def _sections(code: str) -> tuple[FormatSection, ...]:
    return parse_sections(code)


def _section_for(sections: Sequence[FormatSection], value: Decimal) -> tuple[FormatSection, Decimal]:
    """Return the section that shows a value, and the value without its sign if the section implies the sign."""
    numeric = [section for section in sections[:3] if not section.is_text] or list(sections[:1])
    if any(section.condition for section in numeric):
        chosen = next((section for section in numeric if section.condition is None or section.condition(value)), None)
        if chosen is None or value < 0:
            raise UnknownFormatError("its format has conditions")
        return chosen, value
    if value < 0 and len(numeric) > 1:
        return numeric[1], -value
    if value == 0 and len(numeric) > 2:  # noqa: PLR2004 - positive; negative; zero
        return numeric[2], value
    return numeric[0], value


def _rounded(value: Decimal, places: int) -> Decimal:
    with localcontext() as context:
        context.prec = 400
        return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _placed(value: Decimal, section: FormatSection) -> str:
    """Fill a number's digits into the places of its section."""
    if section.is_text:
        return section.around(show_general(value))
    if section.is_scientific:
        return _scientific(value, section)
    scaled = value.scaleb(2 * section.percents - 3 * section.thousands)
    shown = _rounded(abs(scaled), len(section.decimals))
    whole, _, fraction = f"{shown:f}".partition(".")
    digits = "" if whole == "0" else whole
    sign = "-" if scaled < 0 and shown != 0 else ""
    return sign + section.filled(digits, fraction)


def _scientific(value: Decimal, section: FormatSection) -> str:
    if section.before or section.after or len(section.whole) != 1:
        raise UnknownFormatError("its format is a rare kind of scientific notation")
    mantissa, _, exponent = f"{value:.{len(section.decimals)}E}".partition("E")
    sign = "-" if int(exponent) < 0 else "+" if section.shows_plus else ""
    return f"{mantissa}E{sign}{abs(int(exponent)):0{section.exponent_digits}d}"


_ISO: Final = DateFormat.parse("yyyy-mm-dd hh:mm:ss")
