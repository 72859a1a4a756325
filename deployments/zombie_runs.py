"""The automations that mark runs of dead workers as crashed: `python -m globe_sms.deployments.zombie_runs`.

In Prefect 3.8, a worker that is stopped or lost leaves its flow run `Running` forever, or `Pending` if it hadn't
started, and its deployment's slot taken. Deployed runs send heartbeats (every 180 s,
PREFECT_FLOWS_HEARTBEAT_FREQUENCY). A run is marked crashed if nothing follows a heartbeat for three times as long, or
if it doesn't start within half an hour of being handed to a worker. Running the campaign again doesn't depend on this:
the campaign's own lease expires after 20 s.

Source: Prefect 3, "Detect and respond to zombie flows" (docs.prefect.io).
"""

import sys
from collections.abc import Iterable
from datetime import timedelta

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from globe_sms.deployments.automations import bring_up_to_date
from globe_sms.deployments.server_changes import Change

NAME = "globe-sms: mark runs of dead workers as crashed"
NEVER_BEGUN = "globe-sms: mark runs that never began as crashed"
HEARTBEAT_SECONDS = 180
START_MINUTES = 30
_LOST = (
    "No heartbeat for too long: the worker or its machine is gone. What was sent is recorded; run the campaign "
    "again to go on with the rest."
)
_STRANDED = (
    "Handed to a worker and never begun: the worker or its machine is gone, or the image cannot be pulled. Nothing was "
    "sent by this run; run it again."
)


def mark_runs_of_dead_workers(heartbeat_seconds: int = HEARTBEAT_SECONDS) -> str:
    """Create the automations on the Prefect server, or bring them up to date; say what was done.

    `heartbeat_seconds` is PREFECT_FLOWS_HEARTBEAT_FREQUENCY of the workers.
    """
    with get_client(sync_client=True) as client:
        return "; ".join(change.sentence() for change in apply_all(client, heartbeat_seconds))


def apply_all(client: SyncPrefectClient, heartbeat_seconds: int = HEARTBEAT_SECONDS) -> list[Change]:
    """Create both automations, or bring them up to date."""
    return [bring_up_to_date(client, automation) for automation in automations(heartbeat_seconds)]


def automations(
    heartbeat_seconds: int = HEARTBEAT_SECONDS, start: timedelta = timedelta(minutes=START_MINUTES)
) -> Iterable[AutomationCore]:
    """Return the two automations."""
    lost = timedelta(seconds=3 * heartbeat_seconds)
    yield _crash(NAME, "prefect.flow-run.heartbeat", lost, _LOST, force=False)
    # From Pending to Crashed only by force: Prefect takes it for a run that another worker may still begin.
    yield _crash(NEVER_BEGUN, "prefect.flow-run.Pending", start, _STRANDED, force=True)


def _crash(name: str, after: str, within: timedelta, message: str, *, force: bool) -> AutomationCore:
    return AutomationCore(
        name=name,
        description="Created by globe-sms deploy; safe to run again.",
        enabled=True,
        trigger=EventTrigger(
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            for_each={"prefect.resource.id"},
            after={after},
            expect={"prefect.flow-run.*"},
            posture=Posture.Proactive,
            threshold=1,
            within=within,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name=None, message=message, force=force)],
    )


if __name__ == "__main__":
    sys.stdout.write(f"globe-sms: {mark_runs_of_dead_workers()}\n")
