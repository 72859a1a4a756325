"""S3 in trouble in mid-run: no call without its claim, no receipt lost, and the campaign goes on."""

import time
from collections.abc import Generator

import polars as pl
import pytest

from globe_sms.deployments.sandbox.flaky_s3_proxy import FlakyProxy, Trouble
from tests.chaos.campaign_under_test import Campaign, Stage, chunk_of, claim_of
from tests.chaos.command_process import Command
from tests.chaos.long_form import LONG, long_form

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ACCEPTED = {("accepted", None)}
OUTAGE = 60.0 if LONG else 5.0  # seconds
SPELL = 10.0 if LONG else 2.0


@pytest.fixture
def road(stage: Stage) -> Generator[FlakyProxy]:
    """The road to S3 that the runs take; the judge has one of its own."""
    with FlakyProxy(stage.sandbox.s3.endpoint) as proxy:
        yield proxy


def watch(stage: Stage, campaign: Campaign, command: Command, seconds: float) -> None:
    """For so long, look again and again whether a call has arrived whose claim is not in the store."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not command.ends_within(0.1):
        assert stage.unclaimed(campaign) == set()


def test_a_campaign_goes_on_through_a_slow_a_full_and_a_lost_s3(stage: Stage, road: FlakyProxy) -> None:
    """Slow, 503 SlowDown, unreachable, back again: every call had its claim, and every row its receipt."""
    campaign = stage.campaign("s3", chunks=260 if LONG else 140, endpoint=road.endpoint)
    command = stage.start(campaign)
    assert stage.await_arrivals(10, command)

    road.set_trouble(Trouble("delay", delay=0.7))
    watch(stage, campaign, command, SPELL)
    road.set_trouble(Trouble("slow_down", probability=0.7, seed=1))
    watch(stage, campaign, command, SPELL)
    road.set_trouble()
    calls = stage.sandbox.gateway.stats().calls
    assert stage.await_arrivals(calls + 5, command)
    road.refuse()
    claims = stage.keys(campaign, "claims")
    watch(stage, campaign, command, OUTAGE)
    assert stage.keys(campaign, "claims") == claims
    assert command.running, command.stderr
    road.accept()

    assert command.wait() == 0, command.stderr
    assert stage.unclaimed(campaign) == set()
    assert stage.statuses(campaign).keys() == ACCEPTED
    assert stage.faults(campaign) == []
    assert stage.spilled() == []


@pytest.mark.parametrize("what", [*(["claims/", "records/", "pacing/"] if LONG else []), "campaign.json"])
def test_writes_whose_answers_are_lost_stop_nothing(stage: Stage, road: FlakyProxy, what: str) -> None:
    """S3 takes the write and its answer never comes, for longer than the S3 client tries again."""
    campaign = stage.campaign("s3", chunks=150, calls_per_second=6, endpoint=road.endpoint)
    command = stage.start(campaign)
    assert stage.await_arrivals(10, command)
    road.passages.clear()
    road.set_trouble(Trouble("lose_answer", method="PUT", path_holds=what))

    def tried() -> bool:
        return sum(passage.trouble == "lose_answer" for passage in list(road.passages)) >= 6

    assert stage.await_event(tried, command, "more lost answers than one write is tried"), command.stderr
    road.set_trouble()
    assert command.wait() == 0, command.stderr
    assert stage.statuses(campaign).keys() == ACCEPTED
    assert stage.faults(campaign) == []
    assert stage.spilled() == []


@long_form
def test_receipts_that_s3_did_not_take_before_a_kill_are_found_by_the_resume(stage: Stage, road: FlakyProxy) -> None:
    """They lie on this machine's disk: no chunk whose answer was heard becomes unknown."""
    stage.sandbox.gateway.set_latency(1.0)
    campaign = stage.campaign("s3", chunks=60, endpoint=road.endpoint)
    command = stage.start(campaign)
    assert stage.await_arrivals(10, command)
    road.set_trouble(Trouble("slow_down", method="PUT"))

    def heard() -> bool:
        arrived = {claim_of(arrival) for arrival in stage.arrivals(campaign)}
        kept = {path.name.rpartition("-")[0] for path in stage.spilled()}
        return bool(kept) and arrived <= kept | {key.rpartition("-")[0] for key in stage.keys(campaign, "records")}

    assert stage.await_event(heard, command, "the receipts on this machine's disk")
    arrived = {chunk_of(arrival) for arrival in stage.arrivals(campaign)}
    assert stage.unclaimed(campaign) == set(), "calls went on without their claims"
    command.kill()
    road.set_trouble()

    assert stage.run(campaign).code in (0, 3)
    assert stage.statuses(campaign).keys() <= {("accepted", None), ("unknown", "interrupted")}
    unknown = set(stage.results(campaign).filter(pl.col("status") == "unknown")["chunk"])
    assert unknown & arrived == set()
    assert stage.faults(campaign) == []
    assert stage.spilled() == []


@long_form
def test_a_store_that_is_gone_for_good_ends_the_run_with_a_clear_message(stage: Stage, road: FlakyProxy) -> None:
    """Exit 1 and no traceback; the receipts wait on this machine, and the resume accounts for all."""
    campaign = stage.campaign("s3", chunks=60, endpoint=road.endpoint)
    command = stage.start(campaign)
    assert stage.await_arrivals(10, command)
    road.refuse()
    assert command.wait(800.0) == 1
    assert "S3" in command.stderr
    road.accept()
    assert stage.run(campaign).code in (0, 3)
    assert {status for status, _ in stage.statuses(campaign)} <= {"accepted", "unknown"}
    assert stage.faults(campaign) == []
