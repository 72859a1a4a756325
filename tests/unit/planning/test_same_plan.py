"""Each kind of input ends in the same plan as the same rows from a CSV."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.recipients import find_lists
from globe_sms.tasks.recipients.database_query import ask_database
from globe_sms.tasks.recipients.frames import write_frame
from globe_sms.tasks.runs.keep_query import as_list
from globe_sms.tasks.store import LocalStore
from tests.unit.planned_csv import NOW, no_s3
from tests.unit.recipients.databases import duckdb_database, sqlite_database

QUERY = "select phone, name, points from members"
TYPES = {"phone": pl.String, "name": pl.String, "points": pl.Int64}
NUMBERS = st.one_of(
    st.from_regex(r"\+65[89][0-9]{7}", fullmatch=True),
    st.sampled_from(["+6581234567", "6581234567", "+12025550123", "+8613812345678", "none", "6.58E+09", "81234567.0"]),
)
NAMES = st.text("Anné 表😀'{}%", min_size=1, max_size=6).filter(str.strip)
ROWS = st.lists(st.tuples(NUMBERS, NAMES | st.none(), st.integers(0, 10**9) | st.none()), min_size=1, max_size=12)


def csv(rows: pl.DataFrame, folder: Path) -> str:
    rows.write_csv(folder / "list.csv")
    return str(folder / "list.csv")


def frame(rows: pl.DataFrame, folder: Path) -> str:
    return str(write_frame(rows.lazy(), folder))


def delta(rows: pl.DataFrame, folder: Path) -> str:
    write_deltalake(str(folder / "delta"), rows)
    return f"delta+{folder}/delta"


def partitioned(rows: pl.DataFrame, folder: Path) -> str:
    path = folder / "lake" / "source=crm" / "part.parquet"
    path.parent.mkdir(parents=True)
    rows.write_parquet(path)
    return str(folder / "lake")


LISTS: Mapping[str, Callable[[pl.DataFrame, Path], str]] = {
    "csv": csv,
    "frame": frame,
    "delta": delta,
    "partitioned": partitioned,
}
DATABASES = {"sqlite": sqlite_database, "duckdb": duckdb_database}


def plan_of(kind: str, rows: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Plan the rows as one kind of input; a plan without what names the input."""
    given = {"message": "Hi {name|you}, {points|0} points", "type": "NOTIFY", "results": str(folder)}
    config = CampaignConfig.checked(recipients=("list",), **given)
    if kind in DATABASES:
        found = ask_database(DATABASES[kind](folder, rows.rows()), QUERY, folder)
        sources = (as_list(found, config),)
    else:
        sources = find_lists([LISTS[kind](rows, folder)], no_s3, options=config.read_options)
    plan, _ = make_plan(config, LocalStore(folder / "store"), no_s3, folder, sources=sources, now=NOW)
    reason = pl.col("reason").str.replace(r"^.*#", "#")  # a duplicate's names the list
    return plan.scan().select(pl.exclude("source", "reason"), reason).collect()


@settings(max_examples=8)
@given(ROWS, st.sampled_from(sorted({*LISTS, *DATABASES} - {"csv"})))
def test_an_input_ends_in_the_same_plan_as_its_rows_from_a_csv(
    rows: list[tuple[str, str | None, int | None]], kind: str
) -> None:
    table = pl.DataFrame(rows, TYPES, orient="row")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        assert plan_of(kind, table, Path(one)).equals(plan_of("csv", table, Path(other)))
