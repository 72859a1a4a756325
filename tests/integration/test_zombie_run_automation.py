"""Automations of `globe-sms deploy` on a server that others share: our dead runs are marked, theirs are left alone."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Pending, Running

from globe_sms.deployments.automations import (
    NEVER_STARTED,
    WORKER_LOST,
    create_dead_worker_automations,
    create_or_update,
    dead_worker_automations,
    own_deployments,
)
from globe_sms.deployments.deploy import DeployOptions, deploy
from tests.chaos.prefect_server_process import PrefectServer
from tests.waiting import await_event

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness leaves sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
_SHORTEST = timedelta(seconds=10)  # that a proactive trigger of Prefect may wait


@pytest.fixture(scope="module")
def client() -> Generator[SyncPrefectClient]:
    """A server of the test's own, whose services evaluate triggers every second."""
    with (
        PrefectServer(PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY="PT1S") as server,
        temporary_settings({PREFECT_API_URL: server.url}),
        get_client(sync_client=True) as client,
    ):
        yield client


def _watches_everything(name: str) -> AutomationCore:
    """An automation as earlier versions of `deploy` made it."""
    return AutomationCore(
        name=name,
        trigger=EventTrigger(
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            for_each={"prefect.resource.id"},
            after={"prefect.flow-run.Pending"},
            expect={"prefect.flow-run.*"},
            posture=Posture.Proactive,
            threshold=1,
            within=_SHORTEST,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name=None, message="ours", force=True)],
    )


def _heartbeat(client: SyncPrefectClient, run: FlowRun) -> None:
    """What a run of a deployment sends while it is alive."""
    event = {
        "occurred": datetime.now(UTC).isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run.id}"},
        "related": [
            {
                "prefect.resource.id": f"prefect.deployment.{run.deployment_id}",
                "prefect.resource.role": "deployment",
            }
        ],
        "id": str(uuid4()),
    }
    client.request("POST", "/events", json=[event])


def test_without_deployments_nothing_is_watched(client: SyncPrefectClient) -> None:
    """An automation for no deployment would match the runs of every flow."""
    assert "no deployments" in create_dead_worker_automations()
    assert not client.read_automations_by_name(WORKER_LOST)
    with pytest.raises(ValueError, match="every flow"):
        list(dead_worker_automations(()))


def test_our_dead_runs_are_marked_and_those_of_other_flows_are_left_alone(client: SyncPrefectClient) -> None:
    """Also where an earlier `deploy` left automations that match every flow run of the server."""
    for name in (WORKER_LOST, NEVER_STARTED):
        client.create_automation(_watches_everything(name))
    others = client.create_deployment(
        flow_id=client.create_flow_from_name("nightly-report"), name="other", entrypoint="reports.py:nightly"
    )
    deploy(DeployOptions())
    ours = own_deployments(client)
    assert ours
    assert others not in {each.id for each in ours}
    # As deployed, but as impatient as a trigger may be.
    for automation in dead_worker_automations(ours, start=_SHORTEST):
        automation.trigger.within = _SHORTEST  # pyright: ignore[reportAttributeAccessIssue]
        create_or_update(client, automation)

    scheduled = client.read_deployment_by_name("send-campaign/scheduled").id
    assert scheduled in {each.id for each in ours}

    def begin(deployment: UUID, *, beating: bool) -> FlowRun:
        run = client.create_flow_run_from_deployment(deployment)
        client.set_flow_run_state(run.id, Running() if beating else Pending(), force=True)
        if beating:
            _heartbeat(client, run)
        return run

    theirs = [begin(others, beating=beating) for beating in (False, True)]
    own = [begin(scheduled, beating=beating) for beating in (False, True)]

    def state(run: FlowRun) -> StateType | None:
        return client.read_flow_run(run.id).state_type

    await_event(lambda: all(state(run) is StateType.CRASHED for run in own), "our runs marked as crashed")
    # Theirs were silent for longer than ours: what would have marked them has had its time.
    assert [state(run) for run in theirs] == [StateType.PENDING, StateType.RUNNING]


def test_an_automation_is_created_once_and_brought_up_to_date(client: SyncPrefectClient) -> None:
    """Running it again changes it instead of adding one; it waits for the runs that send the fewest heartbeats."""
    deploy(DeployOptions())
    assert _silence(client) == timedelta(seconds=90)
    assert "unchanged" in create_dead_worker_automations()
    teams_own = client.create_deployment(
        flow_id=client.create_flow_from_name("send-campaign"),
        name="of the team",
        entrypoint="globe_sms.flows.send_campaign.send_campaign",
    )
    assert "updated" in create_dead_worker_automations()
    assert _silence(client) == timedelta(seconds=540)
    client.delete_deployment(teams_own)
    deploy(DeployOptions(heartbeat_seconds=60))
    assert _silence(client) == timedelta(seconds=180)


def _silence(client: SyncPrefectClient) -> timedelta:
    (found,) = client.read_automations_by_name(WORKER_LOST)
    return found.trigger.within  # pyright: ignore[reportAttributeAccessIssue]
