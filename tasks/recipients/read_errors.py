"""Turns errors of polars while reading lists into one line that names the list, the row if known, and what to do.

polars' own message is never shown: it may quote a phone number, and always names the first list.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NoReturn

import polars as pl

from globe_sms.tasks.recipients.broken_rows import line_of_row, raise_bad_json_row, raise_bad_record
from globe_sms.tasks.recipients.check_unchanged import check_unchanged
from globe_sms.tasks.recipients.csv_quotes import StrayQuoteError
from globe_sms.tasks.recipients.file_content import damaged, decompress
from globe_sms.tasks.recipients.list_source import Format, ListSource, LocalCopy, refusal
from globe_sms.tasks.recipients.polars_reach import fetched
from globe_sms.tasks.recipients.read_lists import read_lists
from globe_sms.tasks.recipients.stored_schema import UNREADABLE_PARQUET
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_READING = (StrayQuoteError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@contextmanager
def translate_errors(
    sources: Sequence[ListSource],
    *,
    number_column: str | None,
    s3: Callable[[], S3Access],
    columns: Sequence[str] = (),
    prefix: str = "",
    keep: Sequence[str] = (),
) -> Generator[None]:
    """Turn errors into InputErrors while the frame of `read_lists` is collected or sunk.

    The faulty list is found by reading each list alone, and the row by reading that list again. If all lists can be
    read, the cause is elsewhere (a network failure, the disk), and the message says so.

    Args:
        sources: the lists, as passed to `read_lists`.
        number_column: as passed to `read_lists`.
        s3: as passed to `read_lists`.
        columns: as passed to `read_lists`.
        prefix: as passed to `read_lists`.
        keep: as passed to `read_lists`.

    Raises:
        InputError: replaces any error of polars or the operating system.
    """
    with redact_errors():  # lists are also read outside Prefect tasks
        try:
            yield
        except _READING as error:
            read = partial(read_lists, number_column=number_column, s3=s3, columns=columns, prefix=prefix, keep=keep)
            for source in sources:
                _read_alone(source, read, s3)
            check_unchanged(sources, s3)  # a list that failed once may have been replaced during the read
            raise _other_cause(error) from None
        except InputError as error:
            raise _short(error) from None


def place_of_row(source: ListSource, row: int, s3: Callable[[], S3Access]) -> str:
    """Say where people find a row: by its line in a text file, else by its number.

    Raises:
        InputError: the list can't be read any more.
    """
    is_text = source.format in {Format.CSV, Format.NDJSON}
    line = line_of_row(source, row, _plain_pieces(source, s3)) if is_text else None
    return f"row {row} (row 0 is the first row of data)" if line is None else f"line {line}"


def _short(error: InputError) -> InputError:
    # polars appends the expression to errors raised in our own checks.
    line = str(error).partition("\n")[0]
    return error if line == str(error) else InputError(line)


def _read_alone(
    source: ListSource, read: Callable[[Sequence[ListSource]], pl.LazyFrame], s3: Callable[[], S3Access]
) -> None:
    try:
        rows = read([source])
        rows.select(pl.all().len(), pl.all().null_count().name.suffix(" nulls")).collect(engine="streaming")
    except OSError:
        if source.bucket is not None:
            _raise_other_than_s3(source, read, s3)
        _raise_fault(source, s3)
    except _READING:
        _raise_fault(source, s3)
    except InputError as error:
        raise _short(error) from None


def _raise_other_than_s3(
    source: ListSource, read: Callable[[Sequence[ListSource]], pl.LazyFrame], s3: Callable[[], S3Access]
) -> NoReturn:
    """Raise the fault of a list on S3 whose reading broke off: what S3 tells boto3, or what is wrong with the list.

    polars has the same error for a broken connection and for a broken file.
    """
    check_unchanged([source], s3)
    _read_alone(fetched(source, s3), read, s3)
    raise refusal(source.uri, "reading it from S3 broke off, although it can be fetched: run the command again")


def _raise_fault(source: ListSource, s3: Callable[[], S3Access]) -> NoReturn:
    """Raise the error that says why a list can't be read."""
    check_unchanged([source], s3)
    if source.table is not None:
        raise refusal(
            source.uri,
            f"a file of its {source.table.in_words} can't be read: it may have been removed since (VACUUM, expired "
            "snapshots); run the command again",
        )
    if source.format is Format.PARQUET:
        raise refusal(source.uri, UNREADABLE_PARQUET)
    pieces = _plain_pieces(source, s3)
    if source.format is Format.NDJSON:
        raise_bad_json_row(source, pieces)
    elif source.format is Format.CSV:
        raise_bad_record(source, pieces)
    if source.compression:
        raise damaged(source.uri, source.compression)  # Python's reader tolerates what polars' doesn't
    raise refusal(source.uri, f"it can't be read as {source.format.upper()}: save it again as UTF-8")


def _plain_pieces(source: ListSource, s3: Callable[[], S3Access]) -> Iterator[bytes]:
    if source.copy is None or not source.copy.is_decoded:
        return decompress(source, s3)
    return _copied(source.copy)


def _copied(copy: LocalCopy) -> Iterator[bytes]:
    with copy.path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def _other_cause(error: BaseException) -> InputError:
    reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return InputError(
        f"reading the lists failed{reason}, although each one can be read on its own: "
        "check the network and the free disk space, and run the command again"
    )
