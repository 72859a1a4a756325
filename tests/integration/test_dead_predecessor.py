"""A run that takes a campaign over from a dead one, on a real Prefect server: whose flow run it ends, and whose not."""

import uuid
from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.lease import Owner
from globe_sms.tasks.store import S3Store
from globe_sms.tasks.vocabulary.stop_signal import StopSignal
from tests.integration.prefect_operator import ask
from tests.integration.test_approval_deployed import Deployed

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("in_sandbox"),
]


@pytest.fixture
def config(config: dict[str, Any], sandbox: Sandbox) -> dict[str, Any]:
    """The campaign, with results that outlive the run's process."""
    return {**config, "results": f"s3://{sandbox.bucket}/{config['campaign']}"}


def begin(api: httpx.Client, run: str) -> None:
    """Set the flow run to Running, as its process does."""
    ask(api, "POST", f"/flow_runs/{run}/set_state", {"state": {"type": "RUNNING"}, "force": True})


def die_with_the_lease(sandbox: Sandbox, config: dict[str, Any], flow_run: str) -> None:
    """Leave the campaign as a process of this machine does that was killed while it carried out the flow run."""
    here = Owner.here(flow_run)
    dead = replace(here, process=f"{here.process.rpartition(':')[0]}:1")  # the process id belongs to another one now
    with closing(sandbox.s3.client()) as client:
        store = S3Store(client, sandbox.bucket, config["campaign"])
        Campaign(store, config["campaign"], stop=StopSignal(), owner=dead)._take({})


def test_the_run_that_takes_over_ends_the_dead_ones_flow_run(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """At once, and not when its heartbeats are missed; its deployment's slot is free again."""
    dead = Deployed(api, **config)
    begin(api, dead.id)
    die_with_the_lease(sandbox, config, dead.id)
    assert Deployed(api, **config).run() == "Completed"
    assert dead.state["type"] == "CRASHED"
    assert config["campaign"] in dead.state["message"]


def test_a_flow_run_that_was_started_again_is_left_alone(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """Somebody pressed Retry after it had died: it's alive, and waits for its turn."""
    retried = Deployed(api, **config)
    die_with_the_lease(sandbox, config, retried.id)
    begin(api, retried.id)
    assert Deployed(api, **config).run() == "Completed"
    assert retried.state["type"] == "RUNNING"


def test_a_dead_run_that_this_server_does_not_know_stops_nothing(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]
) -> None:
    """It was recorded on another server, or on a temporary one."""
    die_with_the_lease(sandbox, config, str(uuid.uuid4()))
    assert Deployed(api, **config).run() == "Completed"
