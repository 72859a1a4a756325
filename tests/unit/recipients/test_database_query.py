"""Recipients from a database: SQLite and DuckDB here, PostgreSQL in tests/integration."""

import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.recipients.database_drivers import driver_of, in_words
from globe_sms.tasks.recipients.database_query import Database, ask_database, check_database
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.recipients.databases import BY_KIND, sqlite_database

ROWS = [("+6581234567", "Anna", 1), ("+6581234568", None, 2), (None, "Zoë", None)]
QUERY = "select phone, name, points from members order by points -- the newest last"
URI = "postgresql://crm:p%40ss-word@db.example/members?sslpassword=s3cret-key"

kinds = pytest.mark.parametrize("make", BY_KIND.values(), ids=BY_KIND)


@kinds
def test_the_rows_of_a_query_are_a_parquet_file_named_after_its_content(
    make: Callable[..., Database], tmp_path: Path
) -> None:
    database = make(tmp_path, ROWS)
    found = ask_database(database, QUERY.replace("order by points", "where points > 0 order by points"), tmp_path)
    assert pl.read_parquet(found.path).rows() == ROWS[:2]
    assert (found.connection, found.rows, found.path.stem) == ("CRM", 2, found.digest)
    assert len(found.digest) == 64
    assert ask_database(database, "select phone, name, points from members where points > 0", tmp_path).digest == (
        found.digest
    )


@kinds
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select nobody from members", "refused the query: .*nobody"),
        ("delete from members returning phone", "read-?only"),
        ("select phone, name as phone from members", "two columns .* same name"),
    ],
)
def test_a_refused_query_is_one_line_that_names_the_connection(
    make: Callable[..., Database], query: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=f"^--query: .*{says}") as caught:
        ask_database(make(tmp_path, ROWS), query, tmp_path)
    assert "'CRM'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_column_that_is_empty_at_first_has_the_type_of_its_later_rows(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path, [(f"+658{n:07}", None if n < 2_000 else "Anna", n) for n in range(2_001)])
    found = ask_database(database, QUERY, tmp_path)
    assert pl.read_parquet(found.path)["name"].drop_nulls().to_list() == ["Anna"]


def test_values_of_several_types_are_refused_with_what_to_write(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path, [("+6581234567", "Anna", 1)])
    with pytest.raises(InputError, match=r"CAST\(its name AS TEXT\)"):
        ask_database(
            database,
            "with recursive n(n) as (select 1 union all select n + 1 from n where n < 70000) "
            "select case when n < 66000 then n else 'many' end as phone from n",
            tmp_path,
        )


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("members", "isn't a database's URI"),
        ("oracle://crm:s3cret@h/d", "can't be asked; these can: postgresql://, "),
        ("sqlite:///no-such.sqlite", "file doesn't exist"),
        ("snowflake://crm:s3cret@account/db", r"isn't installed: pip install .globe-sms\[sql\]. adbc-driver-snowflake"),
        ("postgresql://crm:s3%zzcret@127.0.0.1:1/d", "can't be connected to: .*invalid percent-encoded"),
        ("postgresql+psycopg://crm:s3cret@127.0.0.1:1/d", "can't be connected to: .*refused"),
    ],
)
def test_no_message_repeats_what_is_secret(uri: str, says: str, tmp_path: Path) -> None:
    database = Database("CRM", uri)
    with pytest.raises(InputError, match=says) as caught:
        ask_database(database, QUERY, tmp_path)
    for shown in (str(caught.value), repr(database)):
        assert not any(secret in shown for secret in (uri, "s3cret", "s3%zz", "crm:"))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"bad URI {URI}", "bad URI ••••"),
        ("FATAL: password p@ss-word, p%40ss-word, s3cret-key", "password ••••, ••••, ••••"),
        ('DataError: ERROR:  no integer: "Anna"\nLINE 1: select', 'no integer: "••••"'),
        ("got external error: [libpq] ERROR: 6581234567 is out of range. ", "+65••••4567 is out of range"),
    ],
)
def test_what_a_driver_says_is_shown_without_values_and_secrets(said: str, shown: str) -> None:
    assert in_words(ValueError(said), URI, of_rows=True) == shown


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://crm:s3cret@h/members?options=a@b",
        "postgresql://crm:s3@cret@h/members?options=a@b",
        "postgresql://h/members?user=a@b&password=s3cret",
    ],
)
def test_a_password_is_known_whatever_else_has_an_at_sign(uri: str) -> None:
    said = in_words(ValueError("no: s3cret s3@cret"), uri, of_rows=False)
    assert not any(secret in said for secret in ("s3cret", "s3@cret") if secret in uri)


@pytest.mark.parametrize(
    ("uri", "module"),
    [
        ("postgres://h/d", "adbc_driver_postgresql"),
        ("redshift+redshift_connector://u@h:5439/d", "adbc_driver_postgresql"),
        ("snowflake://u@account/db?warehouse=w", "adbc_driver_snowflake"),
        ("bigquery:///project?OAuthType=0", "adbc_driver_bigquery"),
    ],
)
def test_the_driver_follows_from_the_uri(uri: str, module: str) -> None:
    assert driver_of(uri).module == module


def test_a_driver_that_is_missing_is_one_line_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_manager.dbapi", None)
    with pytest.raises(InputError, match=r"^--connection 'CRM': .*isn.t installed: pip install .globe-sms\[sql\].$"):
        check_database(sqlite_database(tmp_path, ROWS))
