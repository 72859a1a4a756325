"""What polars raises while it reads lists -> one line that names the list, the row where there is one, and what to do.

polars' own message is never shown: it may quote a phone number, and the path in it is that of the first list.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NoReturn

import polars as pl

from globe_sms.tasks.recipients.broken_rows import bad_json_row, bad_record
from globe_sms.tasks.recipients.csv_quotes import StrayQuoteError
from globe_sms.tasks.recipients.file_content import damaged, unpacked
from globe_sms.tasks.recipients.list_layout import UNREADABLE_PARQUET
from globe_sms.tasks.recipients.list_source import DecodedCopy, Format, ListSource, refusal
from globe_sms.tasks.recipients.read_lists import read_lists
from globe_sms.tasks.recipients.unchanged_check import check_unchanged
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
) -> Generator[None]:
    """Wrap the collecting or sinking of what `read_lists` gave: whatever polars raises in it becomes an InputError.

    Which list is at fault is found by reading each alone, and the row by reading that list once more. Where every list
    can be read, the fault lies elsewhere (the network for a moment, the disk), and the message says so.

    Args:
        sources: The lists, as they were given to `read_lists`.
        number_column: As it was given to `read_lists`.
        s3: As it was given to `read_lists`.
        columns: As they were given to `read_lists`.
        prefix: As it was given to `read_lists`.

    Raises:
        InputError: In place of any error of polars or of the system.
    """
    with redact_errors():  # whoever reads the lists outside of a Prefect task shows no words of polars either
        try:
            yield
        except _READING as error:
            for source in sources:
                _try_alone(
                    source, partial(read_lists, number_column=number_column, s3=s3, columns=columns, prefix=prefix), s3
                )
            check_unchanged(sources, s3)  # what cannot be read for once may have been replaced in the midst of it
            raise _elsewhere(error) from None
        except InputError as error:
            raise _short(error) from None


def _short(error: InputError) -> InputError:
    # polars adds the expression to what a check of ours raised within it.
    line = str(error).partition("\n")[0]
    return error if line == str(error) else InputError(line)


def _try_alone(
    source: ListSource, read: Callable[[Sequence[ListSource]], pl.LazyFrame], s3: Callable[[], S3Access]
) -> None:
    try:
        rows = read([source])
        rows.select(pl.all().len(), pl.all().null_count().name.suffix(" nulls")).collect(engine="streaming")
    except _READING:
        _blame(source, s3)
    except InputError as error:
        raise _short(error) from None


def _blame(source: ListSource, s3: Callable[[], S3Access]) -> NoReturn:
    """Say what is wrong with a list that cannot be read."""
    check_unchanged([source], s3)
    if source.format is Format.PARQUET:
        raise refusal(source.uri, UNREADABLE_PARQUET)
    pieces = _plain_pieces(source, s3)
    if source.format is Format.NDJSON:
        bad_json_row(source, pieces)
    elif source.format is Format.CSV:
        bad_record(source, pieces)
    if source.compression:
        raise damaged(source.uri, source.compression)  # Python's reader forgives what polars' does not
    raise refusal(source.uri, f"it cannot be read as {source.format.upper()}: save it anew as UTF-8")


def _plain_pieces(source: ListSource, s3: Callable[[], S3Access]) -> Iterator[bytes]:
    if source.copy is None:
        return unpacked(source, s3)
    return _copied(source.copy)


def _copied(copy: DecodedCopy) -> Iterator[bytes]:
    with copy.path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def _elsewhere(error: BaseException) -> InputError:
    reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
    return InputError(
        f"reading the lists failed ({reason}), although each can be read by itself: "
        "check the network and the room on the disk, and run the command again"
    )
