"""`campaigns`, `show` and `explain` as a support desk meets them, after real campaigns on the sandbox."""

import json
import os
import random
import re
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA, Origin
from globe_sms.tasks.delivery.rewrite_results import rewrite_results
from globe_sms.tasks.store import S3Store
from globe_sms.tasks.vocabulary.statuses import Delivery
from tests.waiting import LONGEST_WAIT

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness leaves sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COMMAND = str(Path(sys.executable).with_name("globe-sms"))
NUMBERS = [f"65{number}" for number in random.Random(7).sample(range(81_000_000, 81_999_999), 25)]


class Desk:
    """A results folder with two campaigns: `resent` has a chunk that was unknown and sent again, `left` one that is."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ALIBABA_", "GLOBE_SMS_", "PREFECT_"))
        }
        self._environment = {**clean, **sandbox.environment, "PREFECT_API_URL": ""}
        # What a question needs is S3 alone: no gateway, no Prefect.
        wanted = ("AWS_", "PATH", "PYTHONPATH", "HOME", "LANG")
        self._asking = {name: value for name, value in self._environment.items() if name.startswith(wanted)}
        self._folder = folder
        prefix = uuid.uuid4().hex
        self.results = f"s3://{sandbox.bucket}/{prefix}"
        self.store = S3Store(sandbox.s3.client(), sandbox.bucket, prefix)
        self._list = folder / "numbers.csv"
        self._list.write_text("\n".join(["phone", *NUMBERS]) + "\n")

    def send(self, campaign: str, *options: str) -> None:
        """Send the list; ten numbers a call."""
        settings = ["--message", "Hello", "--type", "NOTIFY", "--calls-per-second", "50", "--numbers-per-call", "10"]
        place = ["--results", self.results, "--campaign", campaign]
        subprocess.run(
            [COMMAND, "send", str(self._list), *settings, *place, *options],
            env=self._environment,
            capture_output=True,
            timeout=LONGEST_WAIT,
            check=False,
        )

    def ask(self, *arguments: str, code: int = 0, typed: str = "") -> str:
        """Ask, and return what was printed: no traceback, no whole number."""
        ended = subprocess.run(
            [COMMAND, *arguments],
            env=self._asking,
            input=typed,
            capture_output=True,
            text=True,
            timeout=LONGEST_WAIT,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        assert "Traceback" not in ended.stderr
        assert not re.search(r"65[89]\d{7}", ended.stdout + ended.stderr)
        return ended.stdout

    def answer(self, *arguments: str) -> dict[str, Any]:
        """Ask for JSON: the last line."""
        return json.loads(self.ask(*arguments, "--json").splitlines()[-1])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desk]:
    """Both campaigns, and a folder whose campaign.json is broken."""
    with Sandbox(calls_per_second=50) as sandbox:
        made = Desk(sandbox, tmp_path_factory.mktemp("desk"))
        sandbox.gateway.add_fault("http_500", next=1)
        made.send("resent")
        made.send("resent", "--on-unknown", "resend")
        sandbox.gateway.add_fault("http_500", next=1)
        # The same text to the same people: without the option nobody would get it again.
        made.send("left", "--repeat-after", "0")
        made.store.put_if_absent("broken/campaign.json", b"{")
        yield made


def unknown_number(desk: Desk) -> tuple[str, int]:
    """A number that the campaign `left` left unknown, and its chunk."""
    stored = desk.store.get("left/results.parquet")
    assert stored is not None
    rows = pl.read_parquet(stored.body)
    found = rows.filter(pl.col("status").cast(pl.String) == "unknown").row(0, named=True)
    return found["phone_number"], found["chunk"]


def test_campaigns_are_listed_latest_first(desk: Desk) -> None:
    """With what is left; by position or by option."""
    found = desk.answer("campaigns", desk.results)
    assert found == desk.answer("campaigns", "--results", desk.results)
    assert [(entry["campaign"], entry["state"]) for entry in found["campaigns"]] == [
        ("left", "open"),
        ("resent", "settled"),
        ("broken", "broken"),
    ]
    left, resent, _ = found["campaigns"]
    assert (left["unknown"], left["open"], left["counts"]["accepted"]) == (10, 0, 15)
    assert resent["counts"]["accepted"] == 25
    assert resent["ended_at"] >= resent["begun_at"]
    printed = desk.ask("campaigns", desk.results)
    assert all(name in printed for name in ("left", "resent", "broken", "settled"))


def test_a_campaign_is_shown_again(desk: Desk) -> None:
    """Its settings, counts and what to do about what is unknown."""
    found = desk.answer("show", "left", "--results", desk.results)
    assert found["settings"]["numbers_per_call"] == 10
    assert found["counts"]["unknown"] == 10
    printed = desk.ask("show", "left", "--results", desk.results)
    assert "--on-unknown resend" in " ".join(printed.split())


def test_a_number_is_explained_over_all_campaigns(desk: Desk) -> None:
    """One that was left unknown in one campaign, and in the other sent, unknown, or resent; in time order."""
    number, chunk = unknown_number(desk)
    events = desk.answer("explain", number, "--results", desk.results)["events"]
    assert {event["campaign"] for event in events} == {"left", "resent"}
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    left = [event for event in events if event["campaign"] == "left"]
    assert [event["event"] for event in left] == ["planned", "claimed", "called", "unknown"]
    assert left[2]["task_id"] == f"left-{chunk}-1"


def test_a_resend_is_told(desk: Desk) -> None:
    """Some ten numbers of the campaign were presented twice."""
    told = Counter[tuple[str, ...]]()
    for number in NUMBERS[::5]:
        events = desk.answer("explain", number, "--results", desk.results)["events"]
        told[tuple(event["event"] for event in events if event["campaign"] == "resent")] += 1
    once = ("planned", "claimed", "called", "accepted")
    twice = ("planned", "claimed", "called", "unknown", "resent", "called", "accepted")
    assert set(told) == {once, twice}


def test_what_a_receipt_settled_is_told_and_listed(desk: Desk, tmp_path: Path) -> None:
    """After tracking: delivered, with code and time; the list has the rate."""
    number, chunk = unknown_number(desk)
    now = datetime(2027, 1, 1, tzinfo=UTC)
    state = dict.fromkeys(STATE_SCHEMA) | {
        "message_id": "late-1",
        "phone_number": number,
        "task_id": f"left-{chunk}-1",
        "delivery": Delivery.DELIVERED.value,
        "delivery_code": "DELIVERED",
        "delivered_at": now,
        "origin": Origin.RECEIPT.value,
        "seen_at": now,
    }
    DeliveryArchive(desk.store.within("left"), tmp_path).append(pl.DataFrame([state], schema=STATE_SCHEMA))
    rewrite_results(desk.store, "left", tmp_path)
    events = desk.answer("explain", number, "--results", desk.results)["events"]
    assert {event["event"] for event in events[-2:]} == {"accepted", "delivered"}
    assert {event["at"] for event in events[-2:]} == {now.isoformat()}
    left = desk.answer("campaigns", desk.results)["campaigns"][0]
    assert (left["unknown"], left["delivery_rate"], left["deliveries"]["pending"]) == (9, 1.0, 15)
    assert "100 % delivered" in desk.ask("show", "left", "--results", desk.results)


def test_the_number_may_come_by_stdin(desk: Desk) -> None:
    """So that no shell's history and no list of processes has it."""
    printed = desk.ask("explain", "-", "--results", desk.results, typed=f"+{NUMBERS[0]}\n")
    assert "of 3 campaigns" in printed


def test_a_number_that_no_campaign_has_is_no_error(desk: Desk) -> None:
    """The answer is that it is in none."""
    assert "No events; searched" in desk.ask("explain", "+6591234567", "--results", desk.results)


@pytest.mark.parametrize(
    "arguments",
    [
        ("campaigns", "nowhere"),
        ("campaigns", "gs://bucket/x"),
        ("show", "nobody", "--results", "{results}"),
        ("show", "broken", "--results", "{results}"),
        ("show", "left"),
        ("explain", "+6591234567", "--results", "nowhere"),
        ("explain", "+6591234567", "+6591234568", "--results", "{results}"),
        ("explain", "81234567", "--results", "{results}", "--default-region", "XX"),
    ],
)
def test_bad_input_is_exit_2(desk: Desk, arguments: tuple[str, ...]) -> None:
    """With a message and no traceback."""
    desk.ask(*(argument.format(results=desk.results) for argument in arguments), code=2)
