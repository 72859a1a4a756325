"""Prefect's server dies in mid-run: it records the campaign, it must not be able to stop it."""

from collections.abc import Generator

import pytest

from tests.chaos.forms import long_form
from tests.chaos.processes import PrefectServer
from tests.chaos.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), long_form]


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
    assert stage.await_arrivals(calls + 60, command, seconds=30.0), command.stderr
    server.start()
    assert command.wait() == 0, command.stderr
    assert stage.statuses(campaign).keys() == {("accepted", None)}
    assert stage.faults(campaign) == []
    assert server.flow_runs(campaign.id)[0]["state_type"] == "COMPLETED"


@pytest.mark.parametrize("retries", ["2", "8"])
def test_without_prefects_server_for_good_the_campaign_is_sent_and_its_results_written(
    stage: Stage, server: PrefectServer, retries: str
) -> None:
    """However long Prefect's client tries to report the end, the run ends without a traceback."""
    campaign = stage.campaign("local", chunks=80)
    command = stage.start(campaign, **server.environment, PREFECT_CLIENT_MAX_RETRIES=retries)
    assert stage.await_arrivals(20, command)
    server.kill()
    code = command.wait(1_000.0)
    assert stage.statuses(campaign).keys() == {("accepted", None)}
    assert stage.faults(campaign) == []
    assert code in (0, 1), command.stderr
    if code == 1:
        assert "Prefect" in command.stderr
    assert stage.run(campaign).code == 0
    assert stage.faults(campaign) == []
