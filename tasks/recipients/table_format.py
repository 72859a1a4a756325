"""How one table is read, as written after its URI: `s3://b/optouts.csv#no-header,number-column=2`.

Recipient lists have options for this; each table beside them (opt-outs, own numbers, prices, prefixes) has the same
ones after its URI. A `#` that isn't followed by one of their names belongs to the key or file name.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from globe_sms.tasks.numbers import checked_region
from globe_sms.tasks.recipients.csv_dialect import NO_HEADER_ADVICE
from globe_sms.tasks.recipients.file_formats import known_encoding
from globe_sms.tasks.recipients.read_options import ReadOptions
from globe_sms.tasks.store.s3_access import one_line
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

_NO_HEADER: Final = "no-header"
_HEADER_ROW: Final = "header-row"
_SHEET: Final = "sheet"
_NUMBER_COLUMN: Final = "number-column"
_ENCODING: Final = "encoding"
_DEFAULT_REGION: Final = "default-region"
_EXAMPLES: Final = {
    _NO_HEADER: _NO_HEADER,
    _HEADER_ROW: f"{_HEADER_ROW}=3",
    _SHEET: f"{_SHEET}=Sheet1",
    _NUMBER_COLUMN: f"{_NUMBER_COLUMN}=2",
    _ENCODING: f"{_ENCODING}=windows-1252",
    _DEFAULT_REGION: f"{_DEFAULT_REGION}=SG",
}
OF_NUMBERS: Final = tuple(_EXAMPLES)
"""The options of a list of phone numbers."""
OF_NAMED_COLUMNS: Final = (_HEADER_ROW, _SHEET, _ENCODING)
"""The options of a table whose columns have fixed names."""
_OPTION: Final = re.compile("--(" + "|".join(_EXAMPLES) + ")")


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How a table is read; what isn't given is detected, as for a recipient list.

    If `default_region` is None, the campaign's applies; if it's empty, none does.
    """

    no_header: bool = False
    header_row: int | None = None
    sheet: str | None = None
    number_column: str | None = None
    encoding: str | None = None
    default_region: str | None = None

    @property
    def options(self) -> ReadOptions:
        """What `find_lists` is told beside encoding and header."""
        return ReadOptions(number_column=self.number_column, header_row=self.header_row, sheet=self.sheet)

    def region_or(self, campaigns: str | None) -> str | None:
        """Return the region of numbers without a country code, by default the campaign's."""
        return campaigns if self.default_region is None else self.default_region or None


AS_FOUND: Final = TableFormat()


def split_format(place: str, allowed: Collection[str] = OF_NUMBERS) -> tuple[str, TableFormat]:
    """Split a table's URI from the options after it. In values, `%2C` is a comma.

    Raises:
        InputError: a part of it is unknown, not allowed for this kind of table, or has a wrong value.
    """
    uri, _, said = place.rpartition("#")
    parts = [part.strip().partition("=") for part in said.split(",")]
    if not uri or parts[0][0] not in _EXAMPLES:
        return place, AS_FOUND
    found: dict[str, str | int | bool] = {}
    for name, equals, value in parts:
        if name not in allowed or bool(equals) is (name == _NO_HEADER):
            may = ", ".join(_EXAMPLES[each] for each in allowed)
            raise InputError(
                f"{mask_typed(one_line(place))}: {mask_typed(one_line(name + equals + value))!r} can't follow the "
                f"#: write it like {may}"
            )
        try:
            found[name.replace("-", "_")] = _CHECKS[name](unquote(value)) if equals else True
        except InputError as error:
            raise InputError(f"{mask_typed(one_line(place))}: {error}") from None
    return uri, TableFormat(**found)  # pyright: ignore[reportArgumentType]  # each value was made for its field


def in_words_of_table(message: str, option: str, place: str, allowed: Collection[str] = OF_NUMBERS) -> str:
    """Reword an error about reading a table: it names the options of recipient lists, which a table has after its URI.

    Args:
        message: The error.
        option: The option that the table was given by, such as `--suppress`.
        place: Its URI with the options after it.
        allowed: The options of this kind of table.
    """
    if _NO_HEADER not in allowed:
        message = message.removesuffix(NO_HEADER_ADVICE)
    named = [found[1] for found in _OPTION.finditer(message)]
    if not named:
        return message
    wanted = _NO_HEADER if _NO_HEADER in named else named[0]  # where the first line looks like data, that's why
    uri, given = split_format(place)
    so_far = "" if given == AS_FOUND else place.removeprefix(f"{uri}#") + ","
    example = mask_typed(one_line(f"{uri}#{so_far}{_EXAMPLES[wanted]}"))
    reworded = _OPTION.sub(r"#\1", message)
    stop = "" if reworded.endswith((".", "?")) else "."
    return f"{reworded}{stop} Write it after the list, like {option} '{example}'"


def _region(value: str) -> str:
    return checked_region(value.strip()) or "" if value.strip() else ""


def _name(value: str) -> str:
    if not value.strip():
        raise InputError("a name after the # is blank: give it, or leave it out")
    return value


def _line(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value[:9])):
        raise InputError(f"{mask_typed(one_line(value))!r} isn't a line: give the line of the header, from 1")
    return int(value[:9])


_CHECKS: Final[dict[str, Callable[[str], str | int]]] = {
    _HEADER_ROW: _line,
    _SHEET: _name,
    _NUMBER_COLUMN: _name,
    _ENCODING: known_encoding,
    _DEFAULT_REGION: _region,
}
