"""Counts what the first values of a list's columns look like: a column is more than its name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.numbers.listed_countries import region_of
from globe_sms.tasks.recipients.column_names import is_region_name

_MOST_ROWS: Final = 200
_MOST_CELLS: Final = 20_000
_NUMBER: Final = re.compile(
    r"\s*(?:[A-Za-z]{1,12}:)?[\W_]*\d(?:[\W_]{0,4}\d){4}|[\W_]*\d+(?:[.,]\d+)?[eE]\+?\d", re.ASCII
)
_DIGITS: Final = re.compile(r"[\W\d_]*\d[\W\d_]*")
_DATE: Final = re.compile(r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?![\d-])", re.ASCII)


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """The first values of a column: how many aren't blank, and what those are like.

    `numbers` look like phone numbers; `digits` are at least digits without letters, such as numbers that were cut off.
    Countries are counted only in a column with the name of a country column.
    """

    filled: int = 0
    numbers: int = 0
    digits: int = 0
    countries: int = 0

    @property
    def share(self) -> float | None:
        """The share of values that look like phone numbers; None if all are blank."""
        return self.numbers / self.filled if self.filled else None


def sample_columns(rows: Sequence[Sequence[str]], width: int, names: Sequence[str] = ()) -> tuple[ColumnSample, ...]:
    """Return a sample of each column, from a list's first rows."""
    seen = rows[: max(min(_MOST_ROWS, _MOST_CELLS // max(width, 1)), 1)]
    samples: list[ColumnSample] = []
    for column in range(width):
        filled = [row[column] for row in seen if column < len(row) and row[column].strip()]
        numbers = [looks_like_number(value) for value in filled]
        countries = filled if column < len(names) and is_region_name(names[column]) else ()
        samples.append(
            ColumnSample(
                len(filled),
                sum(numbers),
                sum(
                    is_number or _DIGITS.fullmatch(value) is not None
                    for is_number, value in zip(numbers, filled, strict=True)
                ),
                sum(region_of(value) is not None for value in countries),
            )
        )
    return tuple(samples)


def looks_like_number(value: str) -> bool:
    """Whether a value could be a phone number, perhaps a wrong one: at least five digits in a row, and no date."""
    return _NUMBER.match(value) is not None and _DATE.match(value) is None
