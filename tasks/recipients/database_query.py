"""Asks a database for a recipient list: its rows stream into a parquet file, which is then a list like any other."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.recipients.database_drivers import driver_of, in_words, load
from globe_sms.tasks.recipients.frames import write_rows
from globe_sms.tasks.recipients.list_source import LocalCopy
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_DRIVERS_FAIL: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Database:
    """A database that can be asked: the name of its connection, and its URI, which is never shown."""

    name: str
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class QueryRows:
    """The rows that a query returned: how many, and the parquet file, named after its content's SHA-256.

    The file lives as long as this, and each list that has its copy.
    """

    connection: str
    rows: int
    copy: LocalCopy

    @property
    def path(self) -> Path:
        """The file."""
        return self.copy.path

    @property
    def digest(self) -> str:
        """The SHA-256 of the file."""
        return self.path.stem


def check_database(database: Database) -> None:
    """Check that a driver for the database is installed; doesn't connect.

    Raises:
        InputError: there is none, or it isn't installed.
    """
    with _named(database):
        load(driver_of(database.uri))


@redact_errors()
def ask_database(database: Database, query: str, folder: Path) -> QueryRows:
    """Return the rows that a query returns now, written to a parquet file in `folder` as they come.

    The connection can only read, except to Redshift, Snowflake and BigQuery, and is closed at the end.

    Raises:
        InputError: the database can't be reached, or refuses the query; or its columns can't be a list's.
    """
    with _named(database):
        driver = driver_of(database.uri)
        module = load(driver)
        with _failing(module, database, "the database can't be connected to"):
            connection = driver.connect(module, database.uri.partition("://")[2])
    asked = f"--query: the database {database.name!r}"
    with (
        _failing(module, database, f"{asked} refused the query"),
        contextlib.closing(connection),
        contextlib.closing(connection.cursor()) as cursor,
    ):
        if driver.first is not None:
            cursor.execute(driver.first)
        cursor.adbc_statement.set_options(**driver.options)
        cursor.execute(f"{query}\n")  # PostgreSQL's driver puts it in brackets, and it may end in a comment
        with _failing(module, database, f"{asked} failed while its rows were read", of_rows=True):
            path = write_rows(_plain(pl.scan_arrow_c_stream(cursor.fetch_arrow())), folder)
    rows: int = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    return QueryRows(database.name, rows, LocalCopy(path, is_decoded=False))


def _plain(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows with the plain types of columns that a driver marks, such as PostgreSQL's numeric and JSON."""
    marked = [name for name, dtype in rows.collect_schema().items() if isinstance(dtype, pl.Extension)]
    return rows.with_columns(pl.col(name).ext.storage() for name in marked)


@contextlib.contextmanager
def _named(database: Database) -> Generator[None]:
    """Begin a message with the connection that it is about."""
    try:
        yield
    except InputError as error:
        raise InputError(f"--connection {database.name!r}: {error}") from None


@contextlib.contextmanager
def _failing(module: Any, database: Database, failed: str, *, of_rows: bool = False) -> Generator[None]:
    """Turn an error of the driver into one line without secrets, numbers and causes."""
    try:
        yield
    except pl.exceptions.DuplicateError:
        raise InputError(f"--query: two columns from {database.name!r} have the same name: name them with AS") from None
    except (module.dbapi.Error, *_DRIVERS_FAIL) as error:
        raise InputError(f"{failed}: {in_words(error, database.uri, of_rows=of_rows)}") from None
