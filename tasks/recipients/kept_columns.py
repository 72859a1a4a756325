"""The columns of lists that a campaign keeps (`--keep`): which they are, and their types over several lists.

A parquet list's columns keep their types. CSV, NDJSON and workbooks hold text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.recipients.number_column import named_column, show

KEPT: Final = "kept:"
"""Prefix of kept columns in a plan, so that they don't clash with the plan's own columns."""
ALL: Final = "*"


@dataclass(frozen=True, slots=True)
class KeptColumn:
    """A column of a list that is kept.

    Attributes:
        wanted: how it was asked for: the same in all lists.
        name: its name in this list.
        stored: its type in this list.
        dtype: its type as it's kept.
        place: its position in this list.
    """

    wanted: str
    name: str
    stored: pl.DataType
    dtype: pl.DataType
    place: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept column over all lists: its name in the first list that has it, and a type that all values fit."""

    name: str
    dtype: pl.DataType


def kept_columns(
    uri: str, names: Sequence[str], types: Sequence[pl.DataType], keep: Sequence[str]
) -> tuple[KeptColumn, ...]:
    """Find the columns to keep in a list; `types` are empty where all of them are text. `*` is all that have a name.

    Raises:
        InputError: a column is missing, or has the name of another; the message lists the columns.
    """
    wanted = tuple(dict.fromkeys(name for name in names if name.strip())) if ALL in keep else tuple(keep)
    found: dict[int, str] = {}
    for each in wanted:
        found.setdefault(named_column(uri, names, each, why="--keep names it"), each)
    stored = {place: types[place] if types else pl.String() for place in found}
    return tuple(
        KeptColumn(each, names[place], stored[place], plain_type(stored[place]), place) for place, each in found.items()
    )


def kept_over_lists(lists: Iterable[tuple[str, Sequence[KeptColumn]]]) -> Mapping[str, Kept]:
    """Return the kept columns of all lists, each a URI and its columns, by what was asked for.

    With `*` a list may lack a column that another has. Where types differ, whole numbers become wide enough for all of
    them, and so do fractions and times; anything else becomes text.

    Raises:
        InputError: a column is nested in one list only, so its values can't be text.
    """
    found: dict[str, Kept] = {}
    for uri, columns in lists:
        for column in columns:
            before = found.get(column.wanted)
            if before is None:
                found[column.wanted] = Kept(column.name, column.dtype)
                continue
            dtype = common_type(before.dtype, column.dtype)
            if dtype is None:
                raise refusal(
                    uri,
                    f"the column {show([column.name])!r} is of type {column.dtype}, and of type {before.dtype} in an "
                    "earlier list: write both as the same type, or don't keep it (--keep)",
                )
            found[column.wanted] = Kept(before.name, dtype)
    return found


def plain_type(dtype: pl.DataType) -> pl.DataType:
    """Return the type that a column is kept as: categories and empty columns are text."""
    return pl.String() if isinstance(dtype, pl.Categorical | pl.Null) else dtype


def common_type(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """Return a type that keeps the values of both as they are; text if there's no other, None if even text can't."""
    if one == other:
        return one
    if one.is_nested() or other.is_nested() or isinstance(one, pl.Binary) or isinstance(other, pl.Binary):
        return None
    alike = (one.is_integer() and other.is_integer()) or (one.is_float() and other.is_float())
    if alike or (isinstance(one, pl.Datetime) and isinstance(other, pl.Datetime) and one.time_zone == other.time_zone):
        pair = [pl.DataFrame(schema={"": dtype}) for dtype in (one, other)]
        both = pl.concat(pair, how="vertical_relaxed").schema[""]
        return both if both != pl.Int128 else pl.String()
    return pl.String()
