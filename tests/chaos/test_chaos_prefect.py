"""Prefect's server dies in mid-run: it records the campaign, it must not be able to stop it."""

import json
from collections.abc import Generator

import pytest

from tests.chaos.campaign_under_test import Stage
from tests.chaos.long_form import long_form
from tests.prefect_server import PrefectServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), long_form]


@pytest.fixture
def server() -> Generator[PrefectServer]:
    """A server of the test's own, to be killed."""
    with PrefectServer() as own:
        yield own


def test_the_campaign_goes_on_while_prefects_server_is_restarted(stage: Stage, server: PrefectServer) -> None:
    """Calls go on while it is down, and the run ends Completed."""
    campaign = stage.campaign("local", chunks=900)
    command = stage.start(campaign, **server.environment)
    assert stage.await_arrivals(20, command)
    server.kill()
    calls = stage.sandbox.gateway.stats().calls
    assert stage.await_arrivals(calls + 60, command), command.stderr
    server.start_again()
    assert command.wait() == 0, command.stderr
    assert stage.statuses(campaign).keys() == {("accepted", None)}
    assert stage.faults(campaign) == []
    assert server.flow_runs(campaign.id)[0]["state_type"] == "COMPLETED"


def test_without_prefects_server_for_good_the_campaign_is_sent_and_ends_with_its_results(
    stage: Stage, server: PrefectServer
) -> None:
    """The run ends soon after Prefect's client has given up, in order, with its results and its figures."""
    campaign = stage.campaign("local", chunks=80)
    command = stage.start(campaign, **server.environment, PREFECT_CLIENT_MAX_RETRIES="2")
    assert stage.await_arrivals(20, command)
    server.kill()
    code = command.wait()
    assert stage.statuses(campaign).keys() == {("accepted", None)}
    assert stage.faults(campaign) == []
    assert code in (0, 1), command.stderr
    assert "Prefect" in command.stderr
    assert json.loads(command.stdout)["counts"]["accepted"] == len(campaign.numbers)
    assert stage.run(campaign).code == 0
    assert stage.faults(campaign) == []
