"""A run that is asked to end: no new call, results, and a resume that sends the rest."""

import signal

import pytest

from tests.chaos.campaign_under_test import Stage
from tests.chaos.long_form import long_form

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GRACE = 30.0  # seconds, a worker's


@pytest.mark.parametrize("recorded", [False, pytest.param(True, marks=long_form)])
def test_a_cancelled_run_ends_in_order_and_a_resume_sends_the_rest(stage: Stage, *, recorded: bool) -> None:
    """SIGTERM, then Ctrl-C on the resume: exit 1, Cancelled in Prefect, results that account for every row."""
    stage.recorded = recorded
    campaign = stage.campaign("local", chunks=90)
    for number in (signal.SIGTERM, signal.SIGINT):
        command = stage.start(campaign)
        assert stage.await_arrivals(stage.sandbox.gateway.stats().calls + 15, command)
        command.send(number)
        assert command.wait() == 1, number
        assert stage.faults(campaign) == []
        statuses = stage.statuses(campaign)
        assert statuses.keys() == {("accepted", None), ("not_sent", "cancelled")}, number
        assert statuses["accepted", None] >= 15 * campaign.numbers_per_call
        if recorded:
            (run, *_) = stage.prefect.flow_runs(campaign.id)
            assert (run["state_type"], run["state_name"]) == ("CANCELLED", "Cancelled"), number
    assert stage.run(campaign).code == 0
    assert stage.statuses(campaign).keys() == {("accepted", None)}
    assert stage.faults(campaign) == []


@long_form
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_calls_that_do_not_end_in_the_grace_period_are_recorded_as_unknown(
    stage: Stage, number: signal.Signals, *, recorded: bool
) -> None:
    """Answers that take longer than anyone waits: the run still ends in time, and says what it does not know."""
    stage.recorded = recorded
    stage.sandbox.gateway.set_latency(90.0)
    campaign = stage.campaign("s3", chunks=100)
    command = stage.start(campaign)
    assert stage.await_arrivals(10, command)
    command.send(number)
    assert command.wait(GRACE) == 1
    assert stage.faults(campaign) == []
    assert stage.statuses(campaign).keys() == {("unknown", "no_reply"), ("not_sent", "cancelled")}
    if recorded:
        assert stage.prefect.flow_runs(campaign.id)[0]["state_type"] == "CANCELLED"
    stage.sandbox.gateway.set_latency(0.1)
    assert stage.run(campaign).code == 3
    assert stage.statuses(campaign).keys() == {("unknown", "no_reply"), ("accepted", None)}
    assert stage.faults(campaign) == []
