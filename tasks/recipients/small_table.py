"""Tables beside the lists (prices, prefixes, opt-outs, own numbers): any format of a list, one line an error."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl

from globe_sms.tasks.recipients.find_lists import find_lists
from globe_sms.tasks.recipients.list_source import ListSource, refusal
from globe_sms.tasks.recipients.read_errors import translate_errors
from globe_sms.tasks.recipients.read_lists import read_lists
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row with something in it: its cells as text, without blanks around them, the key's first."""

    source: str
    row: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SmallTable:
    """A table that fits in memory; `key` is which of the possible key columns it has."""

    key: str
    rows: tuple[TableRow, ...]


@contextmanager
def open_table(uris: Sequence[str], s3: Callable[[], S3Access]) -> Generator[pl.LazyFrame]:
    """Yield the rows of lists of numbers, with the columns source, row and recipient; collect them inside.

    Raises:
        InputError: a list can't be read, or has no column of phone numbers; also for what goes wrong inside.
    """
    sources = find_lists(uris, s3, every_file=True)
    with translate_errors(sources, number_column=None, s3=s3):
        yield read_lists(sources, number_column=None, s3=s3)


def read_small_table(
    uri: str,
    s3: Callable[[], S3Access],
    *,
    keys: Sequence[str],
    columns: Sequence[str],
    most_rows: int,
    meant_for: str,
) -> SmallTable:
    """Read a table of a key column and some others; blank rows are left out.

    Args:
        uri: Where it is: an s3:// object or a local path.
        s3: Gives the access to S3; called only when the table is there.
        keys: The names that the key column may have.
        columns: The other columns; it must have them all.
        most_rows: How long it may be.
        meant_for: What the rows are for, in the plural, to say so where it is longer.

    Raises:
        InputError: it can't be read, a column is missing, or it is too long.
    """
    sources = find_lists((uri,), s3)
    key = _key_of(sources, s3, keys, columns)
    with translate_errors(sources, number_column=key, columns=columns, s3=s3):
        rows = (
            read_lists(sources, number_column=key, columns=columns, s3=s3)
            .head(most_rows + 1)
            .collect(engine="streaming")
        )
    if rows.height > most_rows:
        raise refusal(uri, f"has more than {most_rows:,} rows: this table is for {meant_for}, not for numbers")
    found = [
        TableRow(source, row, tuple((cell or "").strip() for cell in cells))
        for source, row, *cells in rows.select("source", "row", "recipient", *columns).iter_rows()
    ]
    return SmallTable(key, tuple(row for row in found if any(row.cells)))


def _key_of(
    sources: tuple[ListSource, ...], s3: Callable[[], S3Access], keys: Sequence[str], columns: Sequence[str]
) -> str:
    """Return the first key column that the table has; where there is but one, reading it says what is wrong."""
    for key in keys[:-1]:
        try:
            read_lists(sources, number_column=key, columns=columns, s3=s3)
        except InputError:
            continue
        return key
    return keys[-1]
