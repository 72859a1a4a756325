"""Databases in a file with one table of members, for tests that ask one."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from globe_sms.tasks.recipients.database_query import Database

COLUMNS = ("phone", "name", "points")


def sqlite_database(folder: Path, rows: Sequence[tuple[Any, ...]]) -> Database:
    path = folder / "members.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table members (phone text, name text, points integer)")
        connection.executemany("insert into members values (?, ?, ?)", rows)
    connection.close()
    return Database("CRM", f"sqlite:///{path}")


def duckdb_database(folder: Path, rows: Sequence[tuple[Any, ...]]) -> Database:
    path = folder / "members.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table members (phone text, name text, points integer)")
        for row in rows:
            connection.execute("insert into members values (?, ?, ?)", row)
    return Database("CRM", f"duckdb:///{path}")


BY_KIND = {"sqlite": sqlite_database, "duckdb": duckdb_database}
