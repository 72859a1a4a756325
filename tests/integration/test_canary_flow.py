"""A canary before the others, on the sandbox and a real Prefect server."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.observers.current_observer import observed_by
from globe_sms.flows.observers.run_observer import Ask, RunObserver
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.runs.open_campaign_run import open_sender
from globe_sms.tasks.sending.chunk_queue import HoursQueue
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError, InputError
from tests.integration.flat_options import send_at_once, send_with
from tests.integration.prefect_operator import Operator

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("in_sandbox"),
]


@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    """The campaign of 30 numbers, of which 12 go first."""
    return {**config, "canary": 12}


def sizes(sandbox: Sandbox) -> list[int]:
    """How many numbers each call had, in their order."""
    return [len(arrival.numbers) for arrival in sandbox.gateway.log()]


def written(config: dict[str, Any]) -> dict[str, int]:
    """The rows by status in the results as they stand."""
    found = pl.read_parquet(Path(config["results"]) / config["campaign"] / "results.parquet")
    return dict(found.group_by(pl.col("status").cast(pl.String)).len().iter_rows())


class NoTerminal(RunObserver):
    """Where a run has nobody at hand to ask."""

    def question(self, *, required: bool) -> Ask | None:
        """Refuse what must be asked."""
        if required:
            raise InputError("nobody to ask")
        return None


def test_a_canary_goes_first_and_the_others_follow(sandbox: Sandbox, config: dict[str, Any]) -> None:
    """Exactly so many people, and everybody in the end."""
    report = send_at_once(**config)
    assert report.counts["accepted"] == 30
    assert sorted(sizes(sandbox)[:2]) == [2, 10]
    assert sizes(sandbox)[2:] in ([10, 8], [8, 10])
    assert report.canary is not None
    assert report.canary.sentence() == "The canary's 12 numbers: 12 accepted."


def test_a_canary_that_fails_stops_the_campaign_and_is_never_sent_again(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    """A repeated command, of a schedule or of Prefect's, texts nobody; a higher limit sends the others."""
    sandbox.gateway.add_fault("http_500", next=2)
    with pytest.raises(CampaignStoppedError, match=r"12 numbers: 12 unknown.*--max-failure-rate 0\.2") as caught:
        send_at_once(**config)
    stopped: Any = caught.value.report
    assert (stopped.counts["unknown"], stopped.counts["not_sent"], stopped.calls) == (12, 18, 2)
    assert set(stopped.results().filter(status="not_sent")["reason"]) == {"stopped"}
    with pytest.raises(CampaignStoppedError, match="12 unknown") as caught:
        send_at_once(**config)
    again: Any = caught.value.report
    assert again.calls == 0
    resumed = send_at_once(**config, max_failure_rate=1.0)
    assert (resumed.calls, resumed.counts["accepted"], resumed.counts["unknown"]) == (2, 18, 12)
    assert sandbox.gateway.stats().accepted_twice == 0


def test_what_was_not_sent_of_a_canary_that_failed_is_not_sent_to_have_it_judged_again(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    """Hours may keep some of a canary back; a higher limit sends that, and then the others."""
    sandbox.gateway.add_fault("http_500", number="6581234500")
    with pytest.raises(CampaignStoppedError, match="2 accepted, 10 unknown"):
        send_at_once(**config)
    folder = Path(config["results"]) / config["campaign"]
    for key in ("claims/000001-0", "records/000001-0-accepted"):
        (folder / key).unlink()  # as if it had been outside its hours
    with pytest.raises(CampaignStoppedError, match="12 numbers: 10 unknown, 2 not_sent"):
        send_at_once(**config)
    assert len(sizes(sandbox)) == 2
    assert send_at_once(**config, max_failure_rate=1.0).counts["accepted"] == 20
    assert sizes(sandbox)[2] == 2


def test_a_stop_within_the_canary_goes_on_with_the_canary(sandbox: Sandbox, config: dict[str, Any]) -> None:
    """What was refused for the account's sake is sent before it is judged."""
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH")
    with pytest.raises(CampaignStoppedError, match="AMOUNT_NOT_ENOUGH"):
        send_at_once(**config)
    sandbox.gateway.clear_faults()
    assert send_at_once(**config).counts["accepted"] == 30


def test_somebody_is_asked_again_with_what_became_of_the_canary(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """Once before it, once after it, when the results have the canary; a resume asks for what was not answered."""
    first = Operator(api, config["campaign"], decision="approve", name="Mei Tan")
    seen: list[tuple[int, dict[str, int]]] = []
    second = Operator(
        api,
        config["campaign"],
        key="approval-after-canary",
        meanwhile=lambda: seen.append((sandbox.gateway.stats().calls, written(config))),
        decision="decline",
        name="Mei Tan",
    )
    with pytest.raises(CampaignStoppedError, match="only the canary was sent") as caught:
        send_with(**config, approve_above=0)
    first.done()
    second.done()
    assert seen == [(2, {"accepted": 12, "not_sent": 18})]
    assert "The first 12 numbers go out alone" in first.description
    assert "The canary's 12 numbers: 12 accepted." in second.description
    assert "18 numbers in 2 calls" in second.description
    declined: Any = caught.value.report
    assert (declined.counts["accepted"], declined.counts["not_sent"]) == (12, 18)
    third = Operator(api, config["campaign"], key="approval-after-canary", decision="approve", name="Mei Tan")
    assert send_with(**config, approve_above=0).counts["accepted"] == 30
    third.done()
    assert len(sizes(sandbox)) == 4


def test_a_canary_after_which_nobody_can_be_asked_is_in_the_results(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """What was approved and stopped within the canary goes on where nobody can answer: up to the question."""
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH")
    approved = Operator(api, config["campaign"], decision="approve", name="Mei Tan")
    with pytest.raises(CampaignStoppedError, match="AMOUNT_NOT_ENOUGH"):
        send_with(**config, approve_above=0)
    approved.done()
    sandbox.gateway.clear_faults()
    with (
        observed_by(NoTerminal()),
        pytest.raises(CampaignStoppedError, match="Only the canary was sent") as caught,
    ):
        send_with(**config, approve_above=0)
    stopped: Any = caught.value.report
    assert written(config) == {"accepted": 12, "not_sent": 18}
    assert stopped.calls == 2


@pytest.fixture
def large(config: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A campaign of 2,000 numbers, of which 1,500 go first, in six calls: more than are judged at once."""
    path = tmp_path / "large.csv"
    path.write_text("phone\n" + "".join(f"65812{number:05}\n" for number in range(2_000)))
    return {**config, "recipients": [str(path)], "canary": 1_500, "numbers_per_call": 250}


def test_a_canary_that_is_stopped_for_its_failures_before_its_end_has_failed(
    sandbox: Sandbox, large: dict[str, Any]
) -> None:
    """The same command texts nobody, what is left of the canary included; a limit that allows it sends that first."""
    sandbox.gateway.add_fault("http_500", next=4)
    sandbox.gateway.add_fault("throttle")  # the other two are not over before the fourth is judged
    failed = r"1,500 numbers: 1,000 unknown, 500 not_sent.*higher --max-failure-rate"
    with pytest.raises(CampaignStoppedError, match=failed):
        send_at_once(**large)
    sandbox.gateway.clear_faults()
    calls = len(sizes(sandbox))
    for limit in (0.5, 0.9):
        with pytest.raises(CampaignStoppedError, match=failed):
            send_at_once(**large, max_failure_rate=limit)
    assert len(sizes(sandbox)) == calls
    resumed = send_at_once(**large, max_failure_rate=1.0)
    assert (resumed.counts["accepted"], resumed.counts["unknown"]) == (1_000, 1_000)
    canary = {f"65812{number:05}" for number in range(1_500)}
    assert [canary.issuperset(arrival.numbers) for arrival in sandbox.gateway.log()[calls:]] == [
        True,
        True,
        False,
        False,
    ]
    assert sandbox.gateway.stats().accepted_twice == 0


def test_a_kill_does_not_hide_that_a_canary_has_failed_before_its_end(sandbox: Sandbox, large: dict[str, Any]) -> None:
    """It is judged by the ledger, whether or not the run that sent it came to judge it."""
    sandbox.gateway.add_fault("http_500", next=4)
    sandbox.gateway.add_fault("throttle")
    with pytest.raises(CampaignStoppedError):
        send_at_once(**large)
    path = Path(large["results"]) / large["campaign"] / "campaign.json"
    document = json.loads(path.read_text())
    assert document.pop("canary_failed") is True
    path.write_text(json.dumps(document))  # as if it had been killed before
    sandbox.gateway.clear_faults()
    calls = len(sizes(sandbox))
    with pytest.raises(CampaignStoppedError, match="1,000 unknown, 500 not_sent"):
        send_at_once(**large)
    assert len(sizes(sandbox)) == calls


def test_a_resend_of_a_canary_that_failed_sends_no_more_of_it_unless_it_helps(
    sandbox: Sandbox, large: dict[str, Any]
) -> None:
    """What was unknown is sent again first, and judged; the rest of the canary and the others wait for that."""
    sandbox.gateway.add_fault("http_500", next=4, processed=False)
    sandbox.gateway.add_fault("throttle")
    with pytest.raises(CampaignStoppedError):
        send_at_once(**large)
    sandbox.gateway.clear_faults()
    calls = len(sizes(sandbox))
    sandbox.gateway.add_fault("http_500", processed=False)
    with pytest.raises(CampaignStoppedError, match="1,000 unknown, 500 not_sent"):
        send_at_once(**large, on_unknown="resend")
    assert len(sizes(sandbox)) == calls + 4
    sandbox.gateway.clear_faults()
    assert send_at_once(**large, on_unknown="resend").counts["accepted"] == 2_000
    assert len(sizes(sandbox)) == calls + 4 + 4 + 4
    assert sandbox.gateway.stats().accepted_twice == 0


def test_what_an_account_refused_of_a_canary_is_no_failure_of_it(sandbox: Sandbox, large: dict[str, Any]) -> None:
    """However much of it was in the air: the same command goes on with it."""
    sandbox.gateway.set_latency(0.5)
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH")
    with pytest.raises(CampaignStoppedError, match="AMOUNT_NOT_ENOUGH"):
        send_at_once(**large)
    sandbox.gateway.clear_faults()
    sandbox.gateway.set_latency(0.0)
    assert send_at_once(**large).counts["accepted"] == 2_000


def test_who_is_asked_above_a_limit_is_asked_after_the_canary_too(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """Also where the canary took the campaign below it; after a no nothing goes on by itself."""
    limited = {**config, "approve_above": 20}
    first = Operator(api, config["campaign"], decision="approve", name="Mei Tan")
    for decision, accepted in (("decline", 12), ("approve", 30)):
        again = Operator(api, config["campaign"], key="approval-after-canary", decision=decision, name="Mei Tan")
        state: Any = send_with(**limited, return_state=True)
        again.done()
        assert state.name == ("Declined" if decision == "decline" else "Completed")
        assert written(config)["accepted"] == accepted
    first.done()
    assert sandbox.gateway.stats().accepted_twice == 0


class OtherDay:
    """A clock that a wait moves on."""

    def __init__(self, now: datetime) -> None:
        self.now = now.timestamp()

    def time(self) -> float:
        """The Unix time in seconds."""
        return self.now

    def wait(self, seconds: float) -> bool:
        """Let so many seconds pass; no stop comes."""
        self.now += seconds
        return False


def test_the_canary_and_the_others_wait_for_their_hours_each_in_their_turn(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 90 minutes the canary waits one hour for Singapore, and then the others one for Thailand."""
    clock = OtherDay(datetime(2026, 3, 2, 0, 0, tzinfo=UTC))
    monkeypatch.setattr(
        "globe_sms.flows.orchestration.shards.HoursQueue", partial(HoursQueue, clock=clock.time, wait=clock.wait)
    )

    @contextmanager
    def at_any_time(run: CampaignRun) -> Generator[Sender]:
        with open_sender(run) as sender:
            sender.hours = None  # its own look at the clock is proved elsewhere
            yield sender

    monkeypatch.setattr("globe_sms.flows.orchestration.shards.open_sender", at_any_time)
    path = tmp_path / "two-countries.csv"
    numbers = [*(f"65812345{number:02}" for number in range(12)), *(f"668123456{number:02}" for number in range(18))]
    path.write_text("phone\n" + "".join(f"{number}\n" for number in numbers))
    report = send_at_once(**{**config, "recipients": [str(path)], "hours": "09:00-20:00", "hours_wait": "90m"})
    assert report.counts["accepted"] == 30
    assert [len(arrival.numbers) for arrival in sandbox.gateway.log()[:2]] in ([10, 2], [2, 10])
    assert timedelta(hours=2) <= datetime.fromtimestamp(clock.now, UTC) - datetime(2026, 3, 2, tzinfo=UTC)
