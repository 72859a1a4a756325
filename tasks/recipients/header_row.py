"""Finds the row that names the columns, below title and comment rows if there are any."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from globe_sms.tasks.recipients.column_names import is_usual_name, normalize_name

SEARCHED_ROWS: Final = 20
_NUMBER: Final = re.compile(r"\s*[+(]?\s*[0-9][0-9\s().\-/]{5,}")
_DATE: Final = re.compile(r"\s*(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})\b")


def naming(wanted: str | None) -> Callable[[str], bool]:
    """Return a test for cells that name the number column: the one asked for, or one with a usual name."""
    if wanted is None:
        return is_usual_name
    plain = normalize_name(wanted)
    return lambda cell: cell == wanted or (bool(plain) and normalize_name(cell) == plain)


def find_header(rows: Sequence[Sequence[str]], names_it: Callable[[str], bool]) -> int | None:
    """Return the position of the header among a list's first rows; None if no row has the name of a number column.

    A header below other rows counts only if those aren't data: no phone numbers, and fewer cells than the header has.
    Comments, which start with `#`, may have any.
    """
    for position, row in enumerate(rows[:SEARCHED_ROWS]):
        if not any(names_it(cell) for cell in row):
            continue
        cells = _filled(row)
        if position == 0:
            return 0
        above = [each for each in rows[:position] if not _is_comment(each)]
        if any(_is_number(cell) for each in (row, *above) for cell in each):
            return None
        if all(len(_filled(each)) < max(len(cells), 2) for each in above):
            return position
        return None
    return None


def _filled(row: Sequence[str]) -> list[str]:
    return [cell for cell in row if cell.strip()]


def _is_comment(row: Sequence[str]) -> bool:
    return next((cell.lstrip().startswith("#") for cell in row if cell.strip()), False)


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None and _DATE.match(cell) is None
