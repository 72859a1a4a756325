"""Tables beside the lists (prices, prefixes, opt-outs, own numbers): any format of a list, one line an error."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl

from globe_sms.tasks.recipients.find_lists import find_lists
from globe_sms.tasks.recipients.list_source import ListSource, refusal
from globe_sms.tasks.recipients.read_errors import translate_errors
from globe_sms.tasks.recipients.read_lists import read_lists
from globe_sms.tasks.recipients.table_format import OF_NAMED_COLUMNS, TableFormat, in_words_of_table, split_format
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


@dataclass(frozen=True, slots=True)
class NumbersTable:
    """A list of phone numbers beside the recipient lists: its rows (source, row, recipient), and where they're from."""

    rows: pl.LazyFrame
    sources: tuple[ListSource, ...]
    format: TableFormat


@contextmanager
def open_table(place: str, s3: Callable[[], S3Access], *, option: str) -> Generator[NumbersTable]:
    """Open a list of phone numbers, or several that a prefix, folder or glob names; collect the rows inside.

    `place` is the URI, optionally with how it's read (`table_format`). Errors show how to write that, with the option
    that the table was given by.

    Raises:
        InputError: a list can't be read, or has no column of phone numbers; also for what goes wrong inside.
    """
    uri, form = split_format(place)
    try:
        sources = find_lists(
            (uri,),
            s3,
            encoding=form.encoding,
            has_header=not form.no_header,
            options=form.options,
            every_file=True,
        )
        with translate_errors(sources, number_column=form.number_column, s3=s3):
            rows = read_lists(sources, number_column=form.number_column, s3=s3)
            yield NumbersTable(rows, sources, form)
    except InputError as error:
        raise InputError(in_words_of_table(str(error), option, place)) from None


def read_small_table(
    place: str,
    s3: Callable[[], S3Access],
    *,
    keys: Sequence[str],
    columns: Sequence[str],
    most_rows: int,
    meant_for: str,
    option: str,
) -> SmallTable:
    """Read a table of a key column and some others; blank rows are left out.

    Args:
        place: Where it is: an s3:// object or a local path, optionally with its encoding (`table_format`).
        s3: Gives the access to S3; called only when the table is there.
        keys: The names that the key column may have.
        columns: The other columns; it must have them all.
        most_rows: How long it may be.
        meant_for: What the rows are for, in the plural, for the message if there are more.
        option: The option that the table was given by.

    Raises:
        InputError: it can't be read, a column is missing, or it is too long.
    """
    uri, form = split_format(place, OF_NAMED_COLUMNS)
    try:
        sources = find_lists((uri,), s3, encoding=form.encoding, options=form.options)
        key = _key_of(sources, s3, keys, columns)
        with translate_errors(sources, number_column=key, columns=columns, s3=s3):
            rows = (
                read_lists(sources, number_column=key, columns=columns, s3=s3)
                .head(most_rows + 1)
                .collect(engine="streaming")
            )
    except InputError as error:
        raise InputError(in_words_of_table(str(error), option, place, OF_NAMED_COLUMNS)) from None
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
