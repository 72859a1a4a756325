"""Which ADBC driver reads a database, by the scheme of its URI, and how it connects: only to read, where it can."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

_DOTS: Final = "••••"
_SHORTEST_SECRET: Final = 3  # of a parameter's value; a password counts whatever its length
_MIXED: Final = "Type mismatch"  # SQLite's columns may hold values of several types
_BEFORE: Final = re.compile(r"^(got external error: )?(.*\bERROR: +|[A-Z_]+: |\[\w+\] )?")  # the driver's own words
_QUOTED: Final = re.compile(r"""(["'])(?:(?!\1).)*\1""")
_OUR_EXTRA: Final = 'pip install "globe-sms[sql]"'


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver of one kind of database.

    Attributes:
        module: its package.
        install: the command that installs it.
        connect: returns a DB-API connection, for its modules and the URI after `://`.
        first: what is executed before the query, so that it can only read.
        options: of the statement: how many rows come in a batch.
    """

    module: str
    install: str
    connect: Callable[[Any, str], Any]
    first: str | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])


def _postgresql(module: Any, rest: str) -> Any:
    return module.dbapi.connect(f"postgresql://{rest}")


def _sqlite(module: Any, rest: str) -> Any:
    if not Path(_file(rest)).is_file():
        raise InputError("its database file doesn't exist: check the path")  # the driver speaks of memory
    return module.dbapi.connect(f"file:{quote(_file(rest))}?mode=ro")


def _duckdb(module: Any, rest: str) -> Any:
    options = {"path": _file(rest), "access_mode": "READ_ONLY"}
    manager = import_module("adbc_driver_manager.dbapi")
    return manager.connect(driver=module.driver_path(), entrypoint="duckdb_adbc_init", db_kwargs=options)


def _snowflake(module: Any, rest: str) -> Any:
    return module.dbapi.connect(rest)


def _bigquery(module: Any, rest: str) -> Any:
    return module.dbapi.connect(db_kwargs={"uri": f"bigquery://{rest}"})


def _file(rest: str) -> str:
    """Return the path after `sqlite://`: `/members.db` is relative, `//srv/members.db` absolute, as in SQLAlchemy."""
    return rest.removeprefix("/")


_POSTGRESQL: Final = Driver(
    "adbc_driver_postgresql",
    _OUR_EXTRA,
    _postgresql,
    "SET TRANSACTION READ ONLY",
    {"adbc.postgresql.batch_size_hint_bytes": str(4 << 20)},
)
_DRIVERS: Final[Mapping[str, Driver]] = {
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "redshift": Driver("adbc_driver_postgresql", _OUR_EXTRA, _postgresql),
    # The types of columns are those of the first batch, and a column that is empty there would be one of numbers.
    "sqlite": Driver("adbc_driver_sqlite", _OUR_EXTRA, _sqlite, None, {"adbc.sqlite.query.batch_rows": "65536"}),
    "duckdb": Driver("adbc_driver_duckdb", f"{_OUR_EXTRA} duckdb", _duckdb),
    "snowflake": Driver("adbc_driver_snowflake", f"{_OUR_EXTRA} adbc-driver-snowflake", _snowflake),
    "bigquery": Driver("adbc_driver_bigquery", f"{_OUR_EXTRA} adbc-driver-bigquery", _bigquery),
}


def driver_of(uri: str) -> Driver:
    """Return the driver for a database's URI, as SQLAlchemy and others write it: `postgresql+psycopg://...` too.

    Raises:
        InputError: it isn't a URI, or no driver reads this kind of database. The message doesn't repeat it.
    """
    scheme, found, _ = uri.partition("://")
    kind = scheme.partition("+")[0].lower()
    if not found:
        raise InputError("its value isn't a database's URI: write it like postgresql://user:password@host/database")
    if kind not in _DRIVERS:
        known = ", ".join(f"{name}://" for name in _DRIVERS)
        raise InputError(f"its URI is of a kind of database that can't be asked; these can: {known}")
    return _DRIVERS[kind]


def load(driver: Driver) -> Any:
    """Import a driver and what it needs.

    Raises:
        InputError: it isn't installed; the message says how to.
    """
    try:
        import_module("adbc_driver_manager.dbapi")
        module = import_module(driver.module)
        import_module(f"{driver.module}.dbapi")
    except ImportError:
        raise InputError(f"its database needs a driver that isn't installed: {driver.install}") from None
    return module


def in_words(error: BaseException, uri: str, *, of_rows: bool) -> str:
    """Return what a driver said, in one line: without the URI, its password and phone numbers.

    What is quoted while rows are read (`of_rows`) is left out, because it may be a value.
    """
    said = str(error).strip()
    for end in ("\nLINE ", "\nQuery was", "\nquery:", "\n"):
        said = said.partition(end)[0]
    for secret in _secrets(uri):
        said = said.replace(secret, _DOTS)
    if of_rows:
        said = _QUOTED.sub(f'"{_DOTS}"', said)
    said = _BEFORE.sub("", said).rstrip(". ")
    if _MIXED in said:
        said += ": write CAST(its name AS TEXT) in the query"
    return mask_numbers_in(" ".join(said.split())) or type(error).__name__


def _secrets(uri: str) -> list[str]:
    """Return what must never be shown of a URI, the longest first."""
    rest = uri.partition("://")[2]
    # Both a password and what follows the host may have an @ that isn't encoded.
    user_infos = [rest[:place] for place, each in enumerate(rest) if each == "@"]
    passwords = [each.partition(":")[2] for each in user_infos]
    values = [value for _, _, value in (each.partition("=") for each in re.split(r"[?&;]", rest)[1:])]
    secrets = {uri, *user_infos, *passwords, *(value for value in values if len(value) >= _SHORTEST_SECRET)}
    return sorted((secrets | {unquote(each) for each in secrets}) - {""}, key=len, reverse=True)
