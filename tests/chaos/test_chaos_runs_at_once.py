"""Several runs of one campaign: at once, one after a dead one, and one that was frozen and wakes up."""

import signal

import pytest

from tests.chaos.campaign_under_test import Stage
from tests.chaos.long_form import LONG, long_form

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LEASE = 20.0  # seconds
BUSY = "is being sent by another run"
ACCEPTED = ("accepted", None)
INTERRUPTED = ("unknown", "interrupted")
TAKEN_OVER = "was taken over by another run"


@pytest.mark.parametrize(("place", "runs"), [("s3", 2), *([("local", 2), ("s3", 3), ("local", 3)] if LONG else [])])
def test_runs_of_one_campaign_at_once_send_it_once(stage: Stage, place: str, runs: int) -> None:
    """Each waits for its turn and finds nothing left to do, or leaves with a clear message; the last is a flow run."""
    campaign = stage.campaign(place, chunks=50)
    stage.recorded = False
    commands = [stage.start(campaign) for _ in range(runs - 1)]
    stage.recorded = True
    commands.append(stage.start(campaign))
    codes = [command.wait() for command in commands]
    assert 0 in codes
    for command in commands:
        assert command.code == 0 or (command.code == 1 and BUSY in command.stderr), command.stderr
    assert stage.faults(campaign) == []
    assert stage.statuses(campaign) == {ACCEPTED: len(campaign.numbers)}
    assert len(stage.arrivals(campaign)) == 50


@long_form
def test_a_run_leaves_when_another_one_goes_on_and_on(stage: Stage) -> None:
    """It has sent nothing, says who is sending, and the other one is not disturbed."""
    campaign = stage.campaign("local", chunks=1_400)
    first = stage.start(campaign)
    assert stage.await_arrivals(1, first)
    second = stage.start(campaign)
    assert second.wait() == 1
    assert BUSY in second.stderr
    assert first.wait() == 0
    assert stage.faults(campaign) == []


@long_form
@pytest.mark.parametrize("place", ["local", "s3"])
def test_a_waiting_run_takes_over_from_one_that_dies(stage: Stage, place: str) -> None:
    """On the same machine it sees that the other one is gone, and does not wait for the lease."""
    campaign = stage.campaign(place, chunks=800)
    first = stage.start(campaign)
    assert stage.await_arrivals(5, first)
    second = stage.start(campaign)
    assert second.await_step("checking the results folder and the credentials")
    assert not second.ends_within(2.0)
    calls = stage.sandbox.gateway.stats().calls
    assert first.running
    first.kill()
    assert stage.await_arrivals(calls + 20, second, seconds=LEASE), second.stderr
    assert second.wait() in (0, 3)
    assert stage.statuses(campaign).keys() <= {ACCEPTED, INTERRUPTED}
    assert stage.faults(campaign) == []


@long_form
@pytest.mark.parametrize("place", ["local", "s3"])
@pytest.mark.parametrize("woken", ["while the other one sends", "after the other one"])
def test_a_run_that_was_frozen_past_its_lease_sends_nothing_more(stage: Stage, place: str, woken: str) -> None:
    """Another run has taken over: the woken one sends nothing, says so, and does not spoil the results.

    A chunk that it had claimed and not yet written when it was frozen is not sent, and left for a resume.
    """
    campaign = stage.campaign(place, chunks=200)
    frozen = stage.start(campaign)
    assert stage.await_arrivals(20, frozen)
    frozen.send(signal.SIGSTOP)
    before = stage.sandbox.gateway.stats().calls
    other = stage.start(campaign)
    if woken == "while the other one sends":
        assert stage.await_arrivals(before + 10, other)
    else:
        assert other.wait() in (0, 3), other.stderr
    owners_before = {claim["run"] for claim in stage.claims(campaign).values()}
    calls = stage.sandbox.gateway.stats().calls
    frozen.send(signal.SIGCONT)

    assert frozen.wait() == 1
    assert TAKEN_OVER in frozen.stderr
    assert other.wait() in (0, 3), other.stderr

    assert stage.faults(campaign) == []
    assert {claim["run"] for claim in stage.claims(campaign).values()} == owners_before
    assert len(owners_before) == 2
    if woken == "after the other one":
        assert stage.sandbox.gateway.stats().calls == calls
    assert stage.statuses(campaign).keys() <= {ACCEPTED, INTERRUPTED, ("not_sent", "lease_lost")}
    assert stage.run(campaign).code in (0, 3)
    assert stage.statuses(campaign).keys() <= {ACCEPTED, INTERRUPTED}
    assert stage.faults(campaign) == []
