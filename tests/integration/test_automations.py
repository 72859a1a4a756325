"""Automations of `globe-sms deploy` on a server that others share: they act on our runs and leave theirs alone."""

import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.flow_engine import load_flow_run, run_flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Crashed, Failed, Pending, Running, Scheduled

from globe_sms.deployments.automations import (
    NEVER_STARTED,
    WORKER_LOST,
    create_dead_worker_automations,
    create_or_update,
    dead_worker_automations,
    own_deployments,
)
from globe_sms.deployments.deploy import DeployOptions, deploy
from globe_sms.deployments.notifications import block_of_notifications, notifications, tells_people
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.deployments.server_changes import Effect
from globe_sms.flows.observers.prefect_events import PrefectEvents
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.blocks import AlibabaSmsAccount
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause
from tests.chaos.long_form import long_form
from tests.prefect_server import PrefectServer
from tests.unit.flows.previews import PREVIEW
from tests.unit.flows.test_prefect_events import tracked
from tests.unit.reports.test_campaign_page import report_of, sent
from tests.waiting import await_event

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness leaves sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
_REQUIRED = {"message": "Hello"}  # by the form of `scheduled`, which leaves it to the operator
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
        run = client.create_flow_run_from_deployment(deployment, parameters=_REQUIRED)
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


class _Receiver(ThreadingHTTPServer):
    """What a Slack or Teams webhook is to Prefect: it keeps what is posted to it."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Inbox)

    @property
    def subjects(self) -> set[str]:
        return {each["subject"] for each in self.received}


class _Inbox(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, _Receiver)
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def receiver(client: SyncPrefectClient) -> Generator[_Receiver]:  # noqa: ARG001 - the block is saved on its server
    """A receiver on loopback, and a notification block named `ops` that posts to it."""
    with _Receiver() as receiver:
        thread = Thread(target=receiver.serve_forever)
        thread.start()
        CustomWebhookNotificationBlock(
            name="ops",
            url=f"http://127.0.0.1:{receiver.server_address[1]}/",
            json_data={"subject": "{{subject}}", "body": "{{body}}"},
        ).save("ops", overwrite=True)
        yield receiver
        receiver.shutdown()
        thread.join()


def test_people_are_told_of_our_campaigns_and_of_no_other_flow(
    client: SyncPrefectClient, receiver: _Receiver, tmp_path: Path
) -> None:
    """Each occasion, with the campaign, the counts and a link, through one of Prefect's notification blocks."""
    told = [change for change in deploy(DeployOptions(notify="ops")) if tells_people(change)]
    assert {change.effect for change in told} == {Effect.CREATED}
    again = [change for change in deploy(DeployOptions()) if tells_people(change)]
    assert ([change.name for change in again], {change.effect for change in again}) == (
        [change.name for change in told],
        {Effect.UNCHANGED},
    ), "without --notify they stay"
    block = block_of_notifications(client)
    assert block is not None
    for automation in notifications(own_deployments(client), block, late=_SHORTEST):
        create_or_update(client, automation)
    others = client.create_deployment(
        flow_id=client.create_flow_from_name("nightly-report"), name="other", entrypoint="reports.py:nightly"
    )
    ours = client.read_deployment_by_name("send-campaign/scheduled").id
    for deployment, whose in ((others, "theirs"), (ours, "ours")):
        _let_everything_happen(client, deployment, whose, tmp_path)
    expected = {
        "ours-events: please approve",
        "ours-events: stopped",
        "ours-events: finished, but not for everybody",
        "ours-events: few messages were delivered",
        "ours-failed: failed",
        "ours-crashed: crashed",
        "ours-late: late",
    }
    await_event(lambda: receiver.subjects >= expected, "all notifications")
    assert receiver.subjects == expected
    bodies = {each["subject"].partition(": ")[2]: each["body"] for each in receiver.received}
    assert "the balance is used up\nSo far: 2 accepted, 1 not_sent." in bodies["stopped"]
    assert "2 accepted, 1 unknown" in bodies["finished, but not for everybody"]
    assert "50% of the messages with a final state" in bodies["few messages were delivered"]
    assert "1 delivered, 1 undelivered" in bodies["few messages were delivered"]
    assert "no list" in bodies["failed"]
    assert "the worker is gone" in bodies["crashed"]
    assert "is a worker running?" in bodies["late"]
    (run,) = client.read_flow_runs(flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=["ours-crashed"])))
    assert f"/runs/flow-run/{run.id}" in bodies["crashed"]


@long_form
def test_people_are_told_of_a_run_that_really_stops(
    client: SyncPrefectClient, receiver: _Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events of the test above as a run itself sends them, by the automations that `deploy` made."""
    deploy(DeployOptions(notify="ops"))
    path = tmp_path / "list.csv"
    path.write_text("phone\n" + "".join(f"65812345{number:02}\n" for number in range(20)))
    with Sandbox(calls_per_second=50) as sandbox:
        for name, value in sandbox.environment.items():
            if not name.startswith("PREFECT_"):
                monkeypatch.setenv(name, value)
        sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH")
        parameters = {
            "recipients": [str(path)],
            "message": "Hello",
            "type": "NOTIFY",
            "campaign": "really",
            "results": f"s3://{sandbox.bucket}/out",
            "account_and_rate": {"numbers_per_call": 10},
        }
        deployment = client.read_deployment_by_name("send-campaign/ad-hoc").id
        run = client.create_flow_run_from_deployment(deployment, parameters=parameters, state=Pending())
        state = run_flow(send_campaign, flow_run=load_flow_run(run.id), return_type="state")
    assert (state.type, state.name) == (StateType.FAILED, "Stopped")
    await_event(lambda: "really: stopped" in receiver.subjects, "the notification")
    (told,) = [each for each in receiver.received if each["subject"] == "really: stopped"]
    assert "balance" in told["body"]
    assert "So far: 20 not_sent." in told["body"]
    assert f"/runs/flow-run/{run.id}" in told["body"]
    assert "--" not in told["body"]


def _let_everything_happen(client: SyncPrefectClient, deployment: UUID, whose: str, tmp_path: Path) -> None:
    """All that people are told of, in runs of a deployment."""
    for name, state in (
        ("failed", Failed(message="no list")),
        ("crashed", Crashed(message="the worker is gone")),
        ("late", Scheduled(name="Late")),
    ):
        run = client.create_flow_run_from_deployment(deployment, name=f"{whose}-{name}", parameters=_REQUIRED)
        client.set_flow_run_state(run.id, state, force=True)
    run = client.create_flow_run_from_deployment(deployment, name=f"{whose}-events", parameters=_REQUIRED).id
    related = {"prefect.resource.id": f"prefect.deployment.{deployment}", "prefect.resource.role": "deployment"}

    def emit(**event: Any) -> None:
        # Prefect's client adds the deployment to what happens in a flow run.
        whole = {**event, "id": str(uuid4()), "occurred": datetime.now(UTC).isoformat()}
        client.request("POST", "/events", json=[{**whole, "related": [*event["related"], related]}])

    events = PrefectEvents(run, emit=emit)
    events.opened(f"{whose}-events")
    events.asking(PREVIEW, 0.0)
    stop = Stop(StopCause.STOPPED, "the balance is used up", "AMOUNT_NOT_ENOUGH")
    events.ended(report_of(tmp_path, [sent("accepted"), sent("accepted"), sent("not_sent", "stopped")], stop=stop))
    events.ended(report_of(tmp_path, [sent("accepted")]))
    events.ended(report_of(tmp_path, [sent("accepted"), sent("accepted"), sent("unknown", "no_reply")]))
    events.tracked(tracked("delivered", "undelivered"), TrackingProgress(0))
    events.tracked(tracked("delivered", "delivered"), TrackingProgress(0))


@pytest.mark.parametrize("name", ["nobody", "slack-webhook/nobody", "alibaba-sms-account/a"])
def test_a_block_that_does_not_notify_is_refused(client: SyncPrefectClient, name: str) -> None:
    """Before anything is changed on the server."""
    AlibabaSmsAccount().save("a", overwrite=True)
    before = client.read_automations()
    with pytest.raises(InputError, match="--notify"):
        deploy(DeployOptions(notify=name))
    assert client.read_automations() == before
