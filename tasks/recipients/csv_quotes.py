"""Finds misplaced quotation marks in CSV lists: polars ignores them, and silently loses or joins rows.

A field is either enclosed in marks, with each inner mark doubled, or doesn't start with one (RFC 4180, section 2; pairs
of marks in an unquoted field, as in `Bob "Bobby" Smith`, are allowed, since all readers agree on them). The parity of
the marks before a line tells whether it starts inside quotes, so each line can be checked alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from globe_sms.tasks.vocabulary.errors import InputError

NO_DELIMITER = "\x1f"
"""The delimiter of lists with one field per line: the unit separator, which no text contains."""
PATH = "path"
_INNER = '[^"]*(?:""[^"]*)*'


class StrayQuoteError(InputError):
    """A quotation mark is misplaced; `translate_errors` finds the row."""


@dataclass(frozen=True, slots=True)
class _Grammar:
    """Patterns for one line of a CSV list, without its line feed."""

    closed: str
    """Starts and ends outside quotes."""
    opening: str
    """Starts outside, ends inside."""
    closing: str
    """Starts inside, ends outside."""
    inner: str
    """Starts and ends inside."""


def _grammar(delimiter: str | None) -> _Grammar:
    cut = re.escape(delimiter or NO_DELIMITER)
    field = rf'(?:"{_INNER}"|[^"{cut}]+(?:"[^"{cut}]*"[^"{cut}]*)*|)'
    return _Grammar(
        closed=rf"^\ufeff?{field}(?:{cut}{field})*\r*$",
        opening=rf'^\ufeff?(?:{field}{cut})*"{_INNER}$',
        closing=rf'^{_INNER}"(?:{cut}{field})*\r*$',
        inner=rf'^{_INNER}(?:"(?:{cut}{field})*{cut}"{_INNER})?$',
    )


def valid_record_pattern(delimiter: str | None) -> re.Pattern[str]:
    """Return the `fullmatch` pattern of a whole record, which may span several lines."""
    return re.compile(_grammar(delimiter).closed.removeprefix("^").removesuffix("$") + "\n?")


def stray_quotes(paths: Sequence[str], delimiter: str | None, options: dict[str, Any]) -> pl.LazyFrame:
    """Scan CSV lists as lines; the frame never has rows, but raises if a quotation mark is misplaced.

    Raises:
        StrayQuoteError: when the frame is collected.
    """
    lines = pl.scan_lines(list(paths), name="line", include_file_paths=PATH, glob=False, **options)
    line = pl.col("line")
    marks = pl.col("marks")
    path = pl.col(PATH)
    grammar = _grammar(delimiter)
    even, outside = marks % 2 == 0, pl.col("before") % 2 == 0
    usual = outside & even & line.str.contains(grammar.closed)
    sound = (
        pl.when(outside)
        .then(line.str.contains(grammar.opening) & ~even)
        .when(even)
        .then(line.str.contains(grammar.inner))
        .otherwise(line.str.contains(grammar.closing))
    )
    return (
        lines.filter(line.str.contains('"', literal=True))  # most lists have none, and lines without don't matter
        .with_columns(marks=line.str.count_matches('"', literal=True).cast(pl.UInt64))
        .with_columns(before=marks.cum_sum() - marks, last=(path != path.shift(-1)).fill_null(value=True))
        .filter(~usual)  # one pattern for almost all lines, three more for the rest
        .filter(~sound | (pl.col("last") & (outside != even)))  # no valid list ends inside quotes
        .select(path.map_batches(_refuse, return_dtype=pl.String, is_elementwise=True))
        .filter(path.is_null())
    )


def _refuse(paths: pl.Series) -> pl.Series:
    if len(paths):
        raise StrayQuoteError(f"{paths[0]}: a quotation mark is misplaced: double it, or quote the field")
    return paths
