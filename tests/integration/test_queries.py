"""A campaign whose recipients a query of PostgreSQL finds, from Python."""

import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms import send
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.vocabulary.errors import InputError
from tests.integration.postgres_server import Postgres, postgres_programs

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_sandbox")]

QUERY = "select phone, name, paid from members order by id;"
Run = Callable[[str], None]


@pytest.fixture(scope="module")
def postgres() -> Generator[Postgres]:
    """A server of the module's own."""
    with Postgres(postgres_programs()) as running:
        yield running


@pytest.fixture
def sql(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Execute SQL on the server, whose URI is in CRM_DATABASE, with a password that nobody may see."""
    uri = postgres.url.replace("+asyncpg", "")
    monkeypatch.setenv("CRM_DATABASE", uri.replace("prefect@", "prefect:s3cret-word@"))

    def run(statement: str) -> None:
        subprocess.run([postgres_programs() / "psql", uri, "-qc", statement], check=True, capture_output=True)

    return run


def test_a_query_is_asked_until_the_first_call_and_never_after_it(
    sql: Run, sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL's numeric is text; its rows are kept beside the campaign, without those of earlier questions."""
    sql(
        "create table members as select n as id, '+65' || (81000000 + n) as phone, 'Anna ' || n as name, "
        "(n * 1.5)::numeric(12, 2) as paid, '{}'::jsonb as note from generate_series(1, 30) n"
    )
    options: dict[str, Any] = {
        "message": "Hi {name}, you paid {paid}",
        "type": "NOTIFY",
        "results": str(tmp_path / "out"),
        "campaign": "spring",
        "query": QUERY,
        "connection": "CRM_DATABASE",
        "calls_per_second": 50,
    }
    folder = tmp_path / "out" / "spring"
    assert send(**options, dry_run=True).counts["not_sent"] == 30
    (first,) = (folder / "lists").iterdir()
    sql("update members set phone = 'none' where id = 30")
    report = send(**options)
    assert (report.counts["accepted"], report.counts["invalid"]) == (29, 1)
    (kept,) = (folder / "lists").iterdir()
    assert kept.name != first.name
    assert pl.read_parquet(kept)["paid"].to_list()[:2] == ["1.50", "3.00"]
    assert report.results()["source"].unique().to_list() == [str(kept)]
    (plan,) = (folder / "plans").iterdir()
    assert pl.read_parquet(plan)["message"][0] == "Hi Anna 1, you paid 1.50"
    assert sandbox.gateway.stats().accepted_numbers == 29
    sql("drop table members")
    assert send(**options).calls == 0
    with pytest.raises(InputError, match="--query: was given, now given with other content"):
        send(**options | {"query": "select phone from members"})
    seen = [caplog.text, *(each.read_text("utf-8") for each in folder.glob("campaign.json"))]
    assert not any("s3cret" in each for each in seen)


def test_a_list_and_a_query_are_one_campaign_and_without_an_id_their_content_makes_it(sql: Run, tmp_path: Path) -> None:
    sql("create table guests (id int, phone text); insert into guests values (1, '+6582000001'), (2, '+6582000002')")
    path, query = tmp_path / "more.csv", tmp_path / "members.sql"
    path.write_text("phone\n+6582000003\n+6582000001\n")
    query.write_text("select phone from guests\nwhere phone <> '+6582999999' -- people may write numbers here\n;\n")
    options: dict[str, Any] = {"message": "Hi", "type": "NOTIFY", "results": str(tmp_path / "out"), "dry_run": True}
    asked = {"query_file": str(query), "connection": "CRM_DATABASE"}
    first = send(path, **options, **asked)
    assert {status: rows for status, rows in first.counts.items() if rows} == {"not_sent": 3, "duplicate": 1}
    assert first.results()["row"].to_list() == [0, 1, 0, 1]
    assert send(path, **options, **asked).campaign == first.campaign
    sql("insert into guests values (3, '+6582000004')")
    assert send(path, **options, **asked).campaign != first.campaign
    sql("delete from guests")
    with pytest.raises(InputError, match="the query on CRM_DATABASE: no rows found"):
        send(**options, **asked)
    sql("drop table guests")
    with pytest.raises(InputError, match=r"^--query: .*'CRM_DATABASE' .*relation .guests. does not exist$"):
        send(**options, **asked)
