"""When a query is asked, and whose rows count."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from globe_sms.tasks.campaign.approval import Approval, Decision
from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import ListRead, PlanFigures, PlanInputs
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.recipients import ListReading
from globe_sms.tasks.recipients.database_query import QueryRows
from globe_sms.tasks.recipients.list_source import Origin
from globe_sms.tasks.runs.keep_query import ask_query, drop_earlier_queries, keep_query, read_query
from globe_sms.tasks.runs.open_campaign_run import open_run
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal
from tests.unit.recipients.databases import sqlite_database

QUERY = "select phone from members"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Stage:
    """A campaign that was planned from a query, and a database whose rows have changed since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalStore(folder / "out")
        self.uri = sqlite_database(folder, [("+6581234561", "Anna", 1)]).uri
        self.config = CampaignConfig.checked(
            message="Hi", type="NOTIFY", results=str(folder / "out"), campaign="spring", query=QUERY, connection="CRM"
        ).asking(QUERY)
        self.first = self.ask()
        with Campaign(self.store, "spring", stop=StopSignal()) as self.campaign:
            self.campaign.open(self.config.frozen_settings())
            source = keep_query(self.first, self.config, self.campaign.store)
            origin = Origin(connection="CRM", rows=self.first.rows)
            reading = ListReading(format="parquet", number_column="phone", origin=origin)
            figures = PlanFigures(
                id="p", inputs=PlanInputs(numbers_per_call=250), rows={}, chunks=1, readings=(reading,)
            )
            lists = (ListRead(uri=source.uri, identity=source.identity, connection="CRM"),)
            self.campaign.adopt(figures, self.config.frozen_settings(), lists)
        with sqlite3.connect(self.uri.removeprefix("sqlite:///")) as connection:
            connection.execute("insert into members values ('+6581234562', 'Bert', 2)")
        connection.close()

    def ask(self, config: CampaignConfig | None = None, now: datetime = NOW) -> QueryRows:
        scratch = self.folder / str(len([*self.folder.iterdir()]))
        scratch.mkdir()
        rows = ask_query(config or self.config, QUERY, self.store, scratch, {"CRM": self.uri}, now=now)
        assert rows is not None
        return rows

    def decide(self, decision: Decision, *, content: str | None = None) -> None:
        content = content or self.campaign.document.content
        until = (NOW + timedelta(hours=1)).isoformat()
        approval = Approval(decision, "", "", NOW.isoformat(), 1, 0, content, "run", until=until)
        with Campaign(self.store, "spring", stop=StopSignal()) as campaign:
            campaign.open(self.config.frozen_settings())
            campaign.update(approval=approval)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_planned_campaign_asks_again(stage: Stage) -> None:
    assert (stage.first.rows, stage.ask().rows) == (1, 2)


@pytest.mark.parametrize(("decision", "rows"), [("awaited", 1), ("approved", 1), ("declined", 2)])
def test_rows_that_somebody_is_asked_about_stay_until_the_answer_and_after_a_yes(
    decision: str, rows: int, stage: Stage
) -> None:
    stage.decide(Decision(decision))
    found = stage.ask()
    assert found.rows == rows
    assert (found.digest == stage.first.digest) == (rows == 1)


def test_rows_are_asked_for_again_when_the_question_is_about_something_else(stage: Stage) -> None:
    """Another plan, another setting, no answer in time, a test, or rows that aren't there as they were."""
    stage.decide(Decision.AWAITED)
    assert stage.ask(now=NOW + timedelta(hours=2)).rows == 2
    assert stage.ask(stage.config.model_copy(update={"message": "Hello"})).rows == 2
    assert stage.ask(stage.config.testing([6581234567]).model_copy(update={"test_to": ("x",)})).rows == 2
    stage.decide(Decision.APPROVED, content="another")
    assert stage.ask().rows == 2
    stage.decide(Decision.APPROVED)
    assert stage.ask().rows == 1
    (kept,) = Path(stage.campaign.store.uri, "lists").iterdir()
    kept.write_bytes(b"PAR1")
    assert stage.ask().rows == 2


def test_a_campaign_that_is_being_sent_asks_nothing_more(stage: Stage) -> None:
    """The database may be gone by then; another query is another campaign's."""
    config = CampaignConfig.checked(**stage.config.options(), dry_run=True)
    with open_run(config, {"CRM": stage.uri}) as run:
        assert [each.origin for each in run.sources or ()] == [Origin(connection="CRM", rows=2)]
        run.campaign.update(sending_since=NOW)
    Path(stage.uri.removeprefix("sqlite:///")).unlink()
    with open_run(config, {"CRM": stage.uri}) as run:
        assert run.sources is None
    with (
        pytest.raises(InputError, match="--query: was given, now given with other content"),
        open_run(config.model_copy(update={"query": "select phone from others"}), {"CRM": stage.uri}),
    ):
        pass


def test_only_the_rows_of_the_current_plan_are_kept(stage: Stage) -> None:
    store = stage.campaign.store
    keep_query(stage.ask(), stage.config, store)
    assert len(list(store.list("lists/"))) == 2
    drop_earlier_queries(store, stage.campaign.document.lists or ())
    assert list(store.list("lists/")) == [f"lists/query-{stage.first.digest}.parquet"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b" ;\n", "it is empty"),
        (b"select '\xe9' as phone", "isn't a text in UTF-8"),
        (b"-" * (2 << 20), "longer than 1 MiB"),
    ],
)
def test_a_file_that_is_no_query_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "members.sql"
    path.write_bytes(content)
    config = CampaignConfig.checked(message="Hi", type="NOTIFY", results="out", query_file=str(path), connection="CRM")
    with pytest.raises(InputError, match=says):
        read_query(config, S3Access.from_environment)
    path.write_text("\ufeffselect 1 as phone;\n", "utf-8")
    assert read_query(config, S3Access.from_environment) == "select 1 as phone"
