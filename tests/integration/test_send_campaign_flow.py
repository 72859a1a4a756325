"""Whole campaigns against the sandbox: as flows under Prefect's own test harness, or at once."""

import logging
import random
import signal
import uuid
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import polars as pl
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.exceptions import CancelledRun
from pydantic import SecretStr

from globe_sms.deployments.sandbox.demo_lists import demo_lists
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.vocabulary.errors import AllFailedError, CampaignStoppedError, InputError
from globe_sms.tasks.vocabulary.statuses import STATUSES
from tests.integration.flat_options import send_at_once, send_with
from tests.waiting import await_event

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("recorded_in_sandbox"),
]


@pytest.fixture(scope="module")
def sandbox() -> Generator[Sandbox]:
    """One S3 server and one gateway for the module; the account may make 50 calls a second."""
    with Sandbox(calls_per_second=50, log_messages=True) as running:
        yield running


@pytest.fixture
def results(sandbox: Sandbox) -> str:
    """A results folder that no other test uses."""
    return f"s3://{sandbox.bucket}/{uuid.uuid4().hex}"


def state_of(api: httpx.Client, campaign: str) -> tuple[str, str]:
    """The state that the campaign's last run ended in, as Prefect's server has it."""
    query = {"flow_runs": {"name": {"any_": [campaign]}}, "sort": "START_TIME_DESC"}
    run = api.post("/flow_runs/filter", json=query).raise_for_status().json()[0]
    return run["state_type"], run["state_name"]


def made_of(api: httpx.Client, asset: str) -> list[list[str]]:
    """The assets that each materialization of this one names, as Prefect's server has its events."""
    kind = {"event": {"name": ["prefect.asset.materialization.succeeded"]}, "resource": {"id": [asset]}}
    events = api.post("/events/filter", json={"filter": kind}).raise_for_status().json()["events"]
    return [
        [each["prefect.resource.id"] for each in event["related"] if each["prefect.resource.role"] == "asset"]
        for event in events
    ]


LONDON = [f"4474001234{number:02}" for number in range(30)]
PARIS = [f"336123456{number:02}" for number in range(30)]


def numbers(count: int, seed: int = 1) -> list[str]:
    """Different mobile numbers of Singapore, as the API page writes them."""
    return [f"65{number}" for number in random.Random(seed).sample(range(81_000_000, 81_999_999), count)]


@pytest.fixture
def list_of(tmp_path: Path) -> Any:
    """Write a list with one column."""

    def write(values: list[str]) -> str:
        path = tmp_path / f"{uuid.uuid4().hex}.csv"
        path.write_text("phone\n" + "".join(f"{value}\n" for value in values))
        return str(path)

    return write


def test_a_messy_list_becomes_results_that_account_for_every_row(
    sandbox: Sandbox, results: str, api: httpx.Client
) -> None:
    """CSV and parquet from S3, every promise of the results at once; Prefect has both as assets."""
    lists = demo_lists(1_200)
    client = sandbox.s3.client()
    folder = uuid.uuid4().hex
    client.put_object(Bucket=sandbox.bucket, Key=f"{folder}/a.csv", Body=lists.csv)
    client.put_object(Bucket=sandbox.bucket, Key=f"{folder}/b.parquet", Body=lists.parquet)

    report = send_with(
        [f"s3://{sandbox.bucket}/{folder}/"],
        message="Hello",
        type="NOTIFY",
        results=results,
        campaign="messy",
        calls_per_second=50,
        numbers_per_call=50,
    )

    found = report.results()
    assert found.schema == RESULTS_SCHEMA
    assert found.height == 1_200 == sum(report.counts.values())
    assert set(report.counts) == set(STATUSES)
    by_source = found.group_by("source", maintain_order=True).agg("row")
    assert by_source["source"].to_list() == [
        f"s3://{sandbox.bucket}/{folder}/{name}" for name in ("a.csv", "b.parquet")
    ]
    for rows in by_source["row"]:
        assert rows.to_list() == list(range(len(rows)))

    accepted = {number: message for arrival in sandbox.gateway.log() for number, message in arrival.accepted.items()}
    ours = found.filter(pl.col("status") == "accepted")
    assert dict(zip(ours["phone_number"].str.strip_chars_start("+"), ours["message_id"], strict=True)) == accepted
    assert sandbox.gateway.stats().accepted_twice == 0
    duplicates = found.filter(pl.col("status") == "duplicate")
    assert duplicates.height > 0
    first = found.select("phone_number", key=pl.format("{}#{}", "source", "row"))
    named = duplicates.join(first, left_on=["reason", "phone_number"], right_on=["key", "phone_number"])
    assert named.height == duplicates.height
    await_event(lambda: bool(made_of(api, report.uri)), "the event of the results' asset")
    assert made_of(api, report.uri) == [[f"s3://{sandbox.bucket}/{folder}/"]]


def test_every_call_is_from_the_sender_of_its_numbers_country(sandbox: Sandbox, results: str, list_of: Any) -> None:
    """On the wire; also after a resume, which cuts the same chunks."""
    path = list_of([number for pair in zip(numbers(30), LONDON, PARIS, strict=True) for number in pair])
    for dry_run in (True, False):
        report = send_at_once(
            [path],
            message="Hello",
            type="NOTIFY",
            results=results,
            campaign="senders",
            sender_id=["SG=Acme", "GB=Parcels", "*=12345"],
            numbers_per_call=7,
            calls_per_second=50,
            dry_run=dry_run,
        )
    assert report.counts["accepted"] == 90
    by_code = {"65": "Acme", "44": "Parcels", "33": "12345"}
    calls = [(arrival.sender, arrival.numbers) for arrival in sandbox.gateway.log()]
    assert all(by_code[number[:2]] == sender for sender, sent in calls for number in sent)
    assert {sender for sender, _ in calls} == set(by_code.values())
    found = report.results()
    assert found["row"].to_list() == list(range(90))
    accepted = {number: message for arrival in sandbox.gateway.log() for number, message in arrival.accepted.items()}
    assert dict(zip(found["phone_number"].str.strip_chars_start("+"), found["message_id"], strict=True)) == accepted


def test_who_is_outside_the_hours_is_not_called(sandbox: Sandbox, results: str, list_of: Any) -> None:
    """It is day in Singapore and night in London, whenever this runs; a code goes at any time."""
    now = datetime.now(ZoneInfo("Asia/Singapore"))
    hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    path = list_of([number for pair in zip(numbers(30), LONDON, strict=True) for number in pair])
    config: dict[str, Any] = {"message": "Hello", "results": results, "hours": hours, "calls_per_second": 50}
    for _ in range(2):
        report = send_at_once([path], type="MKT", campaign="hours", hours_wait="0h", numbers_per_call=7, **config)
        found = report.results()
        assert dict(found.group_by("region", "status", "reason").len().select("region", "len").iter_rows()) == {
            "SG": 30,
            "GB": 30,
        }
        assert set(found.filter(region="SG")["status"]) == {"accepted"}
        assert set(found.filter(region="GB")["reason"]) == {"quiet_hours"}
        assert not report.settled
    assert {number[:2] for arrival in sandbox.gateway.log() for number in arrival.numbers} == {"65"}
    assert send_at_once([path], type="OTP", campaign="codes", **config).counts["accepted"] == 60


@pytest.mark.usefixtures("interruptible")
def test_a_run_that_waits_for_its_hours_can_be_stopped(results: str, list_of: Any, sandbox: Sandbox) -> None:
    """At once, with nothing sent; and the campaign is free for the next."""
    now = datetime.now(ZoneInfo("Europe/London"))
    hours = f"{now + timedelta(hours=1):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    config: dict[str, Any] = {
        "message": "Hello",
        "type": "MKT",
        "results": results,
        "campaign": "waits",
        "hours": hours,
    }
    path = list_of(LONDON)

    class Interrupts(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "wait for the hours" in record.getMessage():
                assert "+" not in record.getMessage()
                signal.raise_signal(signal.SIGINT)

    handler = Interrupts()
    logging.getLogger("prefect.flow_runs").addHandler(handler)
    try:
        with pytest.raises((CampaignStoppedError, CancelledRun)):
            send_with([path], **config)
    finally:
        logging.getLogger("prefect.flow_runs").removeHandler(handler)
    assert sandbox.gateway.log() == []
    report = send_with([path], hours_wait="0h", **config)
    assert report.counts["not_sent"] == 30


def test_a_finished_campaign_sends_nothing_when_it_is_run_again(results: str, list_of: Any) -> None:
    """Also when its list has changed, or is gone, in the meantime."""
    path = Path(list_of(numbers(30)))
    first = send_with([str(path)], message="Hello", type="OTP", results=results, campaign="again", calls_per_second=50)
    path.unlink()
    second = send_with([str(path)], message="Hello", type="OTP", results=results, campaign="again", calls_per_second=50)
    assert (first.calls, second.calls) == (1, 0)
    assert second.counts == first.counts
    assert second.results().equals(first.results())


def test_the_same_command_without_an_id_is_the_same_campaign(sandbox: Sandbox, results: str, list_of: Any) -> None:
    """A double click, or a repeated command, texts nobody twice; a changed list is another campaign."""
    path = list_of(numbers(10))
    first = send_at_once([path], message="Hello", type="OTP", results=results, calls_per_second=50)
    second = send_at_once([path], message="Hello", type="OTP", results=results, calls_per_second=50)
    other = send_at_once([path], message="Hello you", type="OTP", results=results, calls_per_second=50)
    assert first.campaign == second.campaign != other.campaign
    assert sandbox.gateway.stats().calls == 2


def test_a_list_with_nothing_to_send_is_a_finished_campaign_with_a_state_of_its_own(
    results: str, list_of: Any, api: httpx.Client
) -> None:
    """Results, no call, no error."""
    campaign = f"none-{uuid.uuid4().hex}"
    content = ["not a number", "", "8613800138000"]
    report = send_with([list_of(content)], message="Hello", type="OTP", results=results, campaign=campaign)
    assert (report.calls, report.settled, report.rows, report.ending) == (0, True, 3, "nothing_to_send")
    assert report.results().height == len(content)
    assert state_of(api, campaign) == ("COMPLETED", "NothingToSend")


def test_a_list_without_rows_fails_with_a_state_of_its_own_and_freezes_nothing(
    sandbox: Sandbox, results: str, list_of: Any, api: httpx.Client
) -> None:
    """A schedule's alarm must see it; once the list has rows, the same id sends them."""
    campaign = f"empty-{uuid.uuid4().hex}"
    config: dict[str, Any] = {"message": "Hello", "type": "OTP", "results": results, "campaign": campaign}
    path = list_of([])
    with pytest.raises(InputError, match=f"{path}: no rows found"):
        send_with([path], **config, calls_per_second=50)
    assert state_of(api, campaign) == ("FAILED", "EmptyList")
    Path(path).write_text("phone\n6581234567\n")
    assert send_with([path], **config, calls_per_second=50).counts["accepted"] == 1
    assert sandbox.gateway.stats().calls == 1


def test_a_campaign_of_which_every_number_was_refused_fails_with_a_state_of_its_own(
    sandbox: Sandbox, results: str, list_of: Any, api: httpx.Client
) -> None:
    """By the gateway's FailedList: each on its own, so that nothing stops the run."""
    sandbox.gateway.add_fault("failed_share", share=1.0)
    campaign = f"refused-{uuid.uuid4().hex}"
    config: dict[str, Any] = {"message": "Hello", "type": "OTP", "results": results, "campaign": campaign}
    with pytest.raises(AllFailedError, match="20 failed") as caught:
        send_with([list_of(numbers(20))], **config, calls_per_second=50)
    assert isinstance(caught.value.report, CampaignReport)
    assert (caught.value.report.counts["failed"], caught.value.report.ending) == (20, "all_failed")
    assert state_of(api, campaign) == ("FAILED", "AllFailed")


def test_a_dry_run_plans_and_calls_nothing_and_the_real_run_sends_its_plan(
    sandbox: Sandbox, results: str, list_of: Any
) -> None:
    """What was previewed is what is sent."""
    path = list_of(numbers(20))
    config: dict[str, Any] = {"message": "Hello", "type": "OTP", "results": results, "campaign": "dry"}
    dry = send_at_once([path], **config, calls_per_second=50, dry_run=True)
    assert dry.results()["reason"].unique().to_list() == ["dry_run"]
    assert sandbox.gateway.stats().calls == 0
    assert send_at_once([path], **config, calls_per_second=50).counts["accepted"] == 20


def test_an_account_that_is_out_of_balance_stops_the_campaign_and_a_resume_goes_on(
    sandbox: Sandbox, results: str, list_of: Any
) -> None:
    """Stopped at the first sight; nothing is lost, nothing goes out twice."""
    path = list_of(numbers(200))
    config: dict[str, Any] = {"message": "Hello", "type": "MKT", "results": results, "campaign": "balance"}
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH", every=3)
    with pytest.raises(CampaignStoppedError, match="AMOUNT_NOT_ENOUGH") as caught:
        send_with([path], **config, calls_per_second=50, numbers_per_call=10)
    stopped: Any = caught.value.report
    assert stopped.counts["not_sent"] > 0
    assert sum(stopped.counts.values()) == 200
    sandbox.gateway.clear_faults()
    resumed = send_with([path], **config, calls_per_second=50, numbers_per_call=10)
    assert resumed.counts["accepted"] == 200
    assert sandbox.gateway.stats().accepted_twice == 0


def test_a_dropped_reply_is_unknown_held_and_resent_only_when_asked(
    sandbox: Sandbox, results: str, list_of: Any
) -> None:
    """The gateway took the chunk and the reply was lost: only the operator may decide to send again."""
    path = list_of(numbers(40))
    config: dict[str, Any] = {"message": "Hello", "type": "MKT", "results": results, "campaign": "dropped"}
    sandbox.gateway.add_fault("accept_then_drop", next=1)
    first = send_at_once([path], **config, calls_per_second=50, numbers_per_call=10)
    assert (first.counts["unknown"], first.counts["accepted"]) == (10, 30)
    assert first.results().filter(pl.col("status") == "unknown")["reason"].unique().to_list() == ["no_reply"]
    held = send_at_once([path], **config, calls_per_second=50, numbers_per_call=10)
    assert (held.calls, held.counts["unknown"]) == (0, 10)
    resent = send_at_once([path], **config, calls_per_second=50, numbers_per_call=10, on_unknown="resend")
    assert (resent.calls, resent.resent, resent.counts["accepted"]) == (1, 1, 40)
    assert sandbox.gateway.stats().accepted_twice == 10


def test_bad_input_raises_before_anything_is_frozen(results: str, list_of: Any) -> None:
    """And mending it under the same campaign id is no difference in settings."""
    path = Path(list_of(numbers(5)))
    path.write_text(path.read_text().replace("phone", "who"))
    config: dict[str, Any] = {"message": "Hello", "type": "MKT", "results": results, "campaign": "mended"}
    with pytest.raises(InputError, match="who"):
        send_with([str(path)], **config, calls_per_second=50)
    report = send_with([str(path)], **config, calls_per_second=50, number_column="who")
    assert report.counts["accepted"] == 5


def test_prefect_records_neither_secrets_nor_whole_numbers(
    sandbox: Sandbox, results: str, list_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Parameters, states, run names and logs of the run, as the Prefect server has them."""
    values = numbers(30, seed=7)
    with caplog.at_level(logging.DEBUG):
        report = send_with(
            [list_of(values)], message="Hello", type="MKT", results=results, campaign="secrets", calls_per_second=50
        )
    ours = FlowRunFilter(name=FlowRunFilterName(any_=["secrets"]))
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=ours)
        tasks = client.read_task_runs(flow_run_filter=ours)
    assert runs
    assert tasks
    recorded = "\n".join(
        [caplog.text, *(run.model_dump_json() for run in runs), *(task.model_dump_json() for task in tasks)]
    )
    assert report.counts["accepted"] == 30
    assert sandbox.account.secret not in recorded
    assert sandbox.s3.secret_key not in recorded
    assert [value for value in values if value in recorded] == []


def test_prefect_logs_no_number_of_a_list_that_cannot_be_read(
    results: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Polars quotes the row with the quotation mark that is never closed; Prefect logs errors with what caused them."""
    path = tmp_path / "quote.csv"
    values = numbers(6_000)
    values[5_000] = f'"{values[5_000]}'
    path.write_text("phone,name\n" + "".join(f"{value},n\n" for value in values))
    with caplog.at_level(logging.DEBUG), pytest.raises(InputError, match="quotation mark"):
        send_with([str(path)], message="Hello", type="OTP", results=results, dry_run=True)
    assert "misplaced quotation mark" in caplog.text  # else nothing was logged that could show a number
    assert [value for value in values if value.strip('"') in caplog.text] == []


def test_the_final_state_tells_the_counts(results: str, list_of: Any) -> None:
    """An operator reads the outcome off the list of runs."""
    state: Any = send_with(
        [list_of(numbers(5))],
        message="Hello",
        type="MKT",
        results=results,
        campaign="state",
        calls_per_second=50,
        return_state=True,
    )
    assert state.name == "Completed"
    assert "5 accepted" in state.message


def test_each_recipient_reads_its_own_text(sandbox: Sandbox, results: str, tmp_path: Path) -> None:
    """From the list's columns, with its parts in the results; a resume reads the texts of the frozen plan."""
    path = tmp_path / "personal.csv"
    people = numbers(7)
    names = ["Ann", "Bo]", "Łukasz", "x" * 200, "", "Ev", "{name}"]
    path.write_text("phone,First Name\n" + "".join(f"{n},{name}\n" for n, name in zip(people, names, strict=True)))
    config: dict[str, Any] = {"message": "Hi {first_name}", "type": "OTP", "results": results, "campaign": "personal"}
    dry = send_at_once([str(path)], **config, calls_per_second=50, numbers_per_call=3, dry_run=True)
    assert dry.results()["segments"].to_list() == [1, 1, 1, 2, None, 1, 1]
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH", next=1)
    with pytest.raises(CampaignStoppedError):
        send_at_once([str(path)], **config, calls_per_second=50, numbers_per_call=3)
    sandbox.gateway.clear_faults()
    path.unlink()
    report = send_at_once([str(path)], **config, calls_per_second=50, numbers_per_call=3)
    read = {
        number: text
        for arrival in sandbox.gateway.log()
        for number, text in zip(arrival.numbers, arrival.messages or [], strict=True)
    }
    assert read == {n: f"Hi {name}" for n, name in zip(people, names, strict=True) if name}
    found = report.results()
    assert found.filter(pl.col("status") == "invalid")["reason"].to_list() == ["missing_first_name"]
    assert report.counts["accepted"] == 6


@pytest.mark.parametrize(
    ("cap", "changed"),
    [
        ({"max_recipients": 19}, {"max_recipients": 20}),
        ({"max_cost": 1.59}, {"max_cost": 1.6}),
        ({"min_recipients": 21}, {"min_recipients": 20}),
        ({"max_invalid_rate": 0.04}, {"max_invalid_rate": 0.05}),
    ],
)
def test_a_cap_stops_a_campaign_before_its_first_call(
    sandbox: Sandbox, results: str, list_of: Any, tmp_path: Path, cap: dict[str, Any], changed: dict[str, Any]
) -> None:
    """And the same campaign goes on once the cap is changed: caps are not frozen."""
    prices = tmp_path / "prices.csv"
    prices.write_text("country,price,currency\nSG,0.04,USD\n")
    path = list_of([*numbers(20), "not a number"])
    config: dict[str, Any] = {"message": "x" * 161, "type": "OTP", "results": results, "campaign": "capped"}
    with pytest.raises(InputError, match=next(iter(cap)).replace("_", "-")):
        send_at_once([path], **config, prices=str(prices), calls_per_second=50, **cap)
    assert sandbox.gateway.stats().calls == 0
    report = send_at_once([path], **config, prices=str(prices), calls_per_second=50, **changed)
    assert report.counts["accepted"] == 20


def test_a_campaign_whose_end_has_come_calls_nothing_and_goes_on_with_a_later_one(
    sandbox: Sandbox, results: str, list_of: Any
) -> None:
    """Finished, with rows that say why; nobody is asked about what can't be sent."""
    config: dict[str, Any] = {"message": "Hello", "type": "NOTIFY", "results": results, "campaign": "ended"}
    config |= {"calls_per_second": 50, "approve_above": 0}
    report = send_at_once([list_of(numbers(20))], **config, until="2026-01-01T00:00")
    assert (report.calls, report.settled) == (0, False)
    assert report.results()["reason"].unique().to_list() == ["expired"]
    config["approve_above"] = None
    later = send_at_once(config.pop("recipients", [report.results()["source"][0]]), **config, until="2100-01-01T00:00")
    assert later.counts["accepted"] == 20
    (arrival,) = sandbox.gateway.log()
    assert arrival.validity == 14_400


def test_prefect_records_no_own_number(sandbox: Sandbox, results: str, list_of: Any, tmp_path: Path) -> None:
    """Stars where it is secret, refused where it is not; a list of own numbers is what a form names."""
    config: dict[str, Any] = {"message": "Hello", "type": "OTP", "results": results, "campaign": "own"}
    path = list_of(numbers(20))
    secret = send_with([path], **config, calls_per_second=50, test_to=[SecretStr("+6591234567")])
    assert secret.counts["accepted"] == 1
    own = tmp_path / "own.csv"
    own.write_text("phone\n6591234567\n")
    assert send_with([path], **config, calls_per_second=50, test_to=[str(own)]).calls == 0
    with pytest.raises(InputError, match="Prefect has recorded a phone number"):
        send_with([path], **config, calls_per_second=50, test_to=["6591234568"])
    named = FlowRunFilter(name=FlowRunFilterName(any_=["own"]))
    with get_client(sync_client=True) as client:
        recorded = [run.parameters["limits"]["test_to"] for run in client.read_flow_runs(flow_run_filter=named)]
    assert sorted(recorded) == sorted([["**********"], [str(own)], ["6591234568"]])
    assert [arrival.numbers for arrival in sandbox.gateway.log()] == [["6591234567"]]
