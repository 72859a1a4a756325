"""`globe-sms track` as a user meets it, on the sandbox's S3 and gateway, judged by the gateway's own logs."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pytest

from globe_sms.deployments.sandbox.gateway.delivery_receipts import Way
from globe_sms.deployments.sandbox.receipt_files import write_receipts
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.store import S3Store
from tests.chaos.long_form import long_form
from tests.waiting import LONGEST_WAIT, await_event

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # Prefect's harness leaves sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

AT_ONCE: dict[str, Any] = {"low": 0, "high": 0, "visible_after": 0}
COMMAND = str(Path(sys.executable).with_name("globe-sms"))
_QUERIES_PER_SECOND = 300
_LATE_SECONDS = 0.5  # the first query may have left so long after its turn
OF_FATE = {"delivered": "delivered", "undelivered": "undelivered", "expired": "undelivered"}  # as a query tells them


@pytest.fixture(scope="module")
def sandbox() -> Generator[Sandbox]:
    """An S3 server and a gateway for the module."""
    with Sandbox(calls_per_second=50, numbers_per_call=1000) as running:
        yield running


@pytest.fixture
def environment(sandbox: Sandbox) -> dict[str, str]:
    """Nothing of this process's clouds, the sandbox's variables, and no Prefect server."""
    sandbox.gateway.reset()
    sandbox.gateway.set_deliveries(**AT_ONCE)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ALIBABA_", "GLOBE_SMS_", "PREFECT_"))}
    return {**clean, **sandbox.environment, "PREFECT_API_URL": "", "AWS_EC2_METADATA_DISABLED": "true"}


class Stage:
    """A results folder of the test's own, and the commands on the campaign `c` in it."""

    def __init__(self, sandbox: Sandbox, environment: dict[str, str], folder: Path) -> None:
        self.gateway = sandbox.gateway
        self.environment = self.tracking_environment = environment
        self.folder = folder
        prefix = uuid.uuid4().hex
        self.results = f"s3://{sandbox.bucket}/{prefix}"
        values = sandbox.environment
        s3 = boto3.client(
            "s3",
            endpoint_url=values["AWS_ENDPOINT_URL"],
            aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )
        self.store = S3Store(s3, sandbox.bucket, f"{prefix}/c")

    def send(self, count: int, *, code: int = 0, numbers_per_call: int = 1000, campaign: str = "c") -> None:
        """Send a campaign to so many numbers, which ends with that code."""
        numbers = self.folder / "numbers.csv"
        chosen = random.Random(1).sample(range(81_000_000, 81_999_999), count)
        numbers.write_text("\n".join(["phone", *(f"65{number}" for number in chosen)]) + "\n")
        options = ["--message", f"Hi from {campaign}", "--type", "NOTIFY", "--calls-per-second", "50"]
        options.append(f"--numbers-per-call={numbers_per_call}")
        command = [COMMAND, "send", str(numbers), *options, "--results", self.results, "--campaign", campaign]
        ended = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False
        )
        assert ended.returncode == code, ended.stderr

    def start(self, *options: str, campaign: str = "c") -> "subprocess.Popen[str]":
        """Start a tracking."""
        command = [COMMAND, "track", campaign, "--results", self.results, *options, "--json"]
        return subprocess.Popen(
            command, env=self.tracking_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def track(self, *options: str, campaign: str = "c") -> tuple[int, dict[str, Any], str]:
        """Track to the end: the exit code, the JSON and what was said."""
        return self.end_of(self.start(*options, campaign=campaign))

    def end_of(self, process: "subprocess.Popen[str]") -> tuple[int, dict[str, Any], str]:
        """Wait for the end of a tracking: the exit code, the JSON and what was said."""
        out, said = process.communicate(timeout=LONGEST_WAIT)
        assert "Traceback" not in said
        return process.returncode, json.loads(out.splitlines()[-1]) if out else {}, said

    def archived(self) -> set[str]:
        """The ids whose end is in the archive."""
        with tempfile.TemporaryDirectory() as scratch:
            return set(DeliveryArchive(self.store, Path(scratch)).scan().collect()["message_id"])

    def rows(self) -> pl.DataFrame:
        """The campaign's results."""
        path = self.folder / "results.parquet"
        assert self.store.fetch("results.parquet", path)
        return pl.read_parquet(path)

    def told(self) -> Counter[str]:
        """How often the gateway told of each message's end."""
        return Counter(query.message_id for query in self.gateway.queries() if query.status in {"1", "2"})


@pytest.fixture
def stage(sandbox: Sandbox, environment: dict[str, str], tmp_path: Path) -> Stage:
    return Stage(sandbox, environment, tmp_path)


@pytest.fixture(params=["at once", pytest.param("recorded", marks=long_form)])
def either_stage(request: pytest.FixtureRequest, stage: Stage) -> Stage:
    """One without a Prefect server, and one with it: its trackings are flow runs."""
    if request.param == "recorded":
        stage.tracking_environment = {**stage.environment, "PREFECT_API_URL": request.getfixturevalue("prefect_url")}
    return stage


def agrees_with_the_gateway(stage: Stage) -> None:
    """Every row has the id and the end that the gateway's own log has of its number."""
    fates = {record["number"]: record for record in stage.gateway.deliveries()}
    rows = stage.rows()
    assert len(rows) == len(fates)
    for row in rows.iter_rows(named=True):
        record = fates[row["phone_number"].removeprefix("+")]
        assert row["message_id"] == record["message_id"]
        assert row["delivery"] == OF_FATE.get(record["fate"], "pending")
        assert row["status"] == "accepted"


@pytest.mark.parametrize("either_stage", ["at once", pytest.param("recorded", marks=long_form)], indirect=True)
def test_every_message_gets_its_end_and_none_is_asked_twice(either_stage: Stage) -> None:
    either_stage.gateway.set_deliveries(**AT_ONCE, undelivered=0.3, expired=0.1)
    either_stage.send(300)
    code, said, _ = either_stage.track("--wait", "10m")
    assert (code, said["open"], said["queries"]) == (0, 0, 300)
    agrees_with_the_gateway(either_stage)
    code, said, _ = either_stage.track()
    assert (code, said["queries"]) == (0, 0)
    assert set(either_stage.told().values()) == {1}


def test_what_is_on_its_way_is_asked_again_until_it_has_ended(stage: Stage) -> None:
    """Invisible at first, then sending, then delivered, the last of them some seconds later."""
    stage.gateway.set_deliveries(low=5, high=10, visible_after=0, undelivered=0, expired=0)
    stage.send(40)
    stage.gateway.add_fault("code:DATA_NOT_EXIST", action="query")
    code, said, _ = stage.track("--wait", "0")
    assert (code, said["open"], said["queries"]) == (3, 40, 40)
    waiting = stage.start("--wait", "10m")
    await_event(lambda: stage.gateway.query_stats().calls >= 2 * 40, "a second question about each")
    stage.gateway.clear_faults()
    code, said, _ = stage.end_of(waiting)
    assert (code, said["open"], said["deliveries"]["delivered"]) == (0, 0, 40)
    assert said["queries"] >= 2 * 40
    assert set(stage.told().values()) == {1}


def test_unclear_answers_to_queries_lose_nothing(stage: Stage) -> None:
    stage.send(60)
    for kind in ("http_500", "reset", "broken_json", "throttle", "html_502", "accept_then_drop"):
        stage.gateway.add_fault(kind, action="query", next=6)
    code, said, _ = stage.track("--wait", "10m")
    assert (code, said["open"]) == (0, 0)
    agrees_with_the_gateway(stage)


def test_ids_that_could_not_be_paired_are_paired_by_what_the_gateway_tells(stage: Stage) -> None:
    stage.gateway.add_fault("many_ids", next=1)
    stage.send(50)
    assert set(stage.rows()["reason"]) == {"message_id_unmatched"}
    code, said, _ = stage.track("--wait", "0")
    assert (code, said["open"]) == (0, 0)
    agrees_with_the_gateway(stage)


def test_ids_of_an_answer_whose_counts_contradict_each_other_settle_their_rows(stage: Stage) -> None:
    """SuccessCount 5 of 10: whose the five are tells the gateway, and the other five stay unknown."""
    stage.gateway.add_fault("few_accepted", next=1)
    stage.send(10, code=3)
    assert set(stage.rows()["reason"]) == {"contradictory_answer"}
    code, said, _ = stage.track("--wait", "0")
    assert (code, said["open"], said["unknown"]) == (3, 0, 5)
    rows = stage.rows()
    assert Counter(rows["status"]) == {"accepted": 5, "unknown": 5}
    assert rows.filter(status="accepted")["message_id"].null_count() == 0


def test_receipts_settle_what_is_unknown_and_spare_the_queries(stage: Stage) -> None:
    for kind in ("accept_then_drop", "http_500", "truncate"):
        stage.gateway.add_fault(kind, next=1)
    stage.send(50, code=3, numbers_per_call=10)
    assert Counter(stage.rows()["status"]) == {"accepted": 20, "unknown": 30}
    folder = stage.folder / "receipts"
    write_receipts(stage.gateway.receipts(Way(doubled=0.5, late_seconds=0)), str(folder), form="array", shuffled=1)
    code, said, _ = stage.track("--receipts", f"{folder}/")
    assert (code, said["open"], said["unknown"], said["settled_by_receipt"], said["queries"]) == (0, 0, 0, 30, 0)
    assert set(stage.rows()["status"]) == {"accepted"}
    assert stage.store.get("delivery.svg") is not None


def test_without_queries_what_is_open_stays_open(stage: Stage) -> None:
    stage.send(5)
    code, said, _ = stage.track("--no-query")
    assert (code, said["open"], said["queries"]) == (3, 5, 0)
    assert list(stage.gateway.queries()) == []


@long_form
def test_a_kill_in_the_middle_loses_seconds_and_a_resume_asks_nothing_again_that_was_kept(stage: Stage) -> None:
    stage.send(5000)
    killed = stage.start()
    await_event(lambda: bool(list(stage.store.list("delivery/"))), "the first part of the archive")
    killed.kill()
    killed.communicate()
    kept, told = stage.archived(), stage.told()
    assert 0 < len(kept) < 5000
    code, said, _ = stage.track()
    assert (code, said["open"]) == (0, 0)
    # Each of the rest was told once, and no other: what is asked above that got no end (throttled on a busy machine).
    assert stage.told() - told == Counter(set(stage.rows()["message_id"]) - kept)
    agrees_with_the_gateway(stage)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=long_form), signal.SIGINT])
def test_a_cancelled_tracking_keeps_all_that_it_was_told(either_stage: Stage, number: signal.Signals) -> None:
    either_stage.gateway.set_latency(0.2)
    either_stage.send(3000)
    process = either_stage.start()
    await_event(lambda: either_stage.gateway.query_stats().calls > 600, "some queries")
    process.send_signal(number)
    out, said = process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    assert either_stage.archived() == set(either_stage.told())
    deliveries = json.loads(out.splitlines()[-1])["deliveries"]
    assert sum(deliveries.values()) - deliveries["pending"] == len(either_stage.archived()) < 3000


@long_form
def test_two_trackers_at_once_share_the_accounts_queries(stage: Stage) -> None:
    """With a schedule each they would ask twice as often as the account may."""
    for campaign in ("c", "other"):
        stage.send(2000, campaign=campaign)
    stage.gateway.set_latency(0.1)
    both = [stage.start(campaign=campaign) for campaign in ("c", "other")]
    said = [process.communicate(timeout=LONGEST_WAIT)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert (len(stage.told()), set(stage.told().values())) == (4000, {1})
    asked = sorted(query.monotonic for query in stage.gateway.queries())
    most = _QUERIES_PER_SECOND * (asked[-1] - asked[0] + _LATE_SECONDS)
    assert len(asked) - 1 <= most, "throttled ones count: a slow machine asks later, never more often"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--wait", "soon"), "--wait: 'soon' isn't a duration"),
        (("--queries-per-second", "301"), "--queries-per-second"),
    ],
)
def test_bad_options_end_with_2(stage: Stage, options: tuple[str, ...], said: str) -> None:
    code, _, error = stage.track(*options)
    assert code == 2
    assert said in error


def test_a_campaign_that_is_not_there_ends_with_2(stage: Stage) -> None:
    code, _, error = stage.track(campaign="nowhere")
    assert code == 2
    assert "no campaign 'nowhere'" in error


@pytest.mark.parametrize(
    "fault",
    [pytest.param("gateway_code:InvalidAccessKeyId.NotFound:404", marks=long_form), "code:RAM_PERMISSION_DENY"],
)
def test_a_refused_account_stops_it_with_advice(stage: Stage, fault: str) -> None:
    stage.send(500)
    stage.gateway.add_fault(fault, action="query")
    code, said, error = stage.track()
    assert code == 1
    assert said["deliveries"]["pending"] == 500
    assert "dysms:QueryMessage" in error if "RAM" in fault else "access key" in error
