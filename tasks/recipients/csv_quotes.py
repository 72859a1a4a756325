"""Quotation marks out of place in CSV lists: polars reads over them, and loses or joins rows without a word.

A field either is enclosed in marks, with each mark within it doubled, or does not begin with one (RFC 4180, section 2;
marks in pairs within an unquoted field, as in `Bob "Bobby" Smith`, are let through, since all readers agree on them).
Whether a line begins inside quotes follows from the parity of the marks before it; so each line can be judged alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from globe_sms.tasks.vocabulary.errors import InputError

NO_DELIMITER = "\x1f"
"""Where a line is one field: the unit separator, since nothing else may cut it."""
PATH = "path"
_INNER = '[^"]*(?:""[^"]*)*'


class StrayQuoteError(InputError):
    """A quotation mark is out of place; `translate_errors` finds the row."""


@dataclass(frozen=True, slots=True)
class _Grammar:
    """Patterns for one line of a CSV list, without its line feed."""

    closed: str
    """Begins and ends outside quotes."""
    opening: str
    """Begins outside, ends inside."""
    closing: str
    """Begins inside, ends outside."""
    inner: str
    """Begins and ends inside."""


def _grammar(delimiter: str | None) -> _Grammar:
    cut = re.escape(delimiter or NO_DELIMITER)
    field = rf'(?:"{_INNER}"|[^"{cut}]+(?:"[^"{cut}]*"[^"{cut}]*)*|)'
    return _Grammar(
        closed=rf"^\ufeff?{field}(?:{cut}{field})*\r*$",
        opening=rf'^\ufeff?(?:{field}{cut})*"{_INNER}$',
        closing=rf'^{_INNER}"(?:{cut}{field})*\r*$',
        inner=rf'^{_INNER}(?:"(?:{cut}{field})*{cut}"{_INNER})?$',
    )


def sound_record(delimiter: str | None) -> re.Pattern[str]:
    """Return the pattern of a whole record, which may go over several lines; for `fullmatch`."""
    return re.compile(_grammar(delimiter).closed.removeprefix("^").removesuffix("$") + "\n?")


def stray_quotes(paths: Sequence[str], delimiter: str | None, options: dict[str, Any]) -> pl.LazyFrame:
    """Scan CSV lists once more, as lines; a frame without rows that raises when a quotation mark is out of place.

    Raises:
        StrayQuoteError: When it is collected.
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
        lines.with_columns(marks=line.str.count_matches('"', literal=True).cast(pl.UInt64))
        .with_columns(before=marks.cum_sum() - marks, last=(path != path.shift(-1)).fill_null(value=True))
        .filter((marks > 0) | pl.col("last"))
        .filter(~usual)  # one pattern for almost all lines, three more for those that are left
        .filter(~sound | (pl.col("last") & (outside != even)))  # no list ends inside quotes
        .select(path.map_batches(_refuse, return_dtype=pl.String, is_elementwise=True))
        .filter(path.is_null())
    )


def _refuse(paths: pl.Series) -> pl.Series:
    if len(paths):
        raise StrayQuoteError(f"{paths[0]}: a quotation mark is out of place: double it, or quote the field")
    return paths
