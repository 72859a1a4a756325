"""Workers die: their runs are marked as crashed, and the campaign goes on from its ledger."""

from collections.abc import Generator
from datetime import timedelta

import pytest
from prefect.client.orchestration import get_client

from globe_sms.deployments.automations import create_or_update, dead_worker_automations, own_deployments
from tests.chaos.long_form import long_form
from tests.integration.compose_servers import SplitServer
from tests.integration.deployed_site import CALLS_PER_SECOND, Site, campaign_parameters, open_site
from tests.waiting import await_event

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    long_form,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """A site whose Prefect server is that of compose.yaml: API and services apart, on PostgreSQL and Redis."""
    with open_site(tmp_path_factory.mktemp("site"), SplitServer) as site:
        yield site


def numbers(first: int, count: int) -> list[str]:
    """Mobile numbers of Singapore."""
    return [f"65{82_000_000 + first + at}" for at in range(count)]


def test_a_run_whose_worker_is_lost_is_marked_as_crashed_and_its_campaign_goes_on(site: Site) -> None:
    """SIGKILL to worker and run, as when the machine is gone; another worker's run sends the rest, nothing twice."""
    site.upload("lists/lost.csv", numbers(0, 400))
    site.sandbox.gateway.reset()
    site.sandbox.gateway.set_latency(0.2, 0.6)
    order = campaign_parameters(site, recipients=[f"s3://{site.sandbox.bucket}/lists/lost.csv"], campaign="lost")
    worker = site.start_worker()
    run = site.run("ad-hoc", **order)
    # It is by its heartbeats that a run is known to live: one must have come, the first after 30 s at most.
    await_event(lambda: len(site.arrivals("lost")) >= CALLS_PER_SECOND, "calls")
    await_event(lambda: _heartbeats(site, run) > 0, "a heartbeat")
    site.kill(worker)
    assert site.state(run)["type"] == "RUNNING"
    state = site.await_end(run)
    assert state["type"] == "CRASHED"
    assert "No heartbeat" in state["message"]
    site.start_worker()
    assert site.await_end(site.run("ad-hoc", **order))["type"] == "COMPLETED"
    statuses = site.statuses("lost")
    assert statuses.keys() <= {("accepted", None), ("unknown", "interrupted")}
    assert sum(statuses.values()) == 400
    assert site.sandbox.gateway.stats().accepted_twice == 0


def test_a_run_that_was_picked_up_and_never_started_is_marked_as_crashed(site: Site) -> None:
    """And its deployment's slot is free again."""
    with site.here(), get_client(sync_client=True) as client:
        soon = dead_worker_automations(own_deployments(client), start=timedelta(seconds=10))
        for automation in soon:
            create_or_update(client, automation)
    run = site.run("manual", **campaign_parameters(site, recipients=["nowhere.csv"], campaign="stranded"))
    site.call("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "PENDING"}, "force": True})
    state = site.await_end(run)
    assert state["type"] == "CRASHED"
    assert "never started" in state["message"]


def _heartbeats(site: Site, run: str) -> int:
    query = {
        "filter": {
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{run}"]},
        }
    }
    return len(site.call("POST", "/events/filter", query)["events"])
