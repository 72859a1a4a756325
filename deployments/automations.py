"""The automations on the Prefect server; `python -m globe_sms.deployments.automations` creates those for dead workers.

In Prefect 3.8 a worker that is stopped or lost leaves its flow runs `Running` forever, or `Pending` if they hadn't
started, and their deployment's slot stays taken. Two automations mark such runs as crashed:

- A run that sent a heartbeat and then nothing at all for three heartbeats. Runs of deployments send one every 180 s
  (PREFECT_FLOWS_HEARTBEAT_FREQUENCY).
- A run that a worker picked up half an hour ago and that still hasn't started.

Resuming a campaign doesn't depend on them: the campaign's own lease expires after 20 s. A third automation, switched
off, is an example: it pauses a schedule after a campaign was stopped.

Source: Prefect 3, "Detect and respond to zombie flows" (docs.prefect.io).
"""

import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, PauseDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from globe_sms.deployments.server_changes import Change, Effect

WORKER_LOST = "globe-sms: mark runs of dead workers as crashed"
NEVER_STARTED = "globe-sms: mark runs that never started as crashed"
PAUSE_AFTER_STOP = "globe-sms: pause the schedule when a campaign is stopped"
HEARTBEAT_SECONDS = 180
START_MINUTES = 30
_MISSED_HEARTBEATS = 3
_LOST_MESSAGE = (
    "No heartbeat for too long: the worker or its machine is gone. What was sent is recorded; run the campaign again "
    "to send the rest."
)
_NEVER_STARTED_MESSAGE = (
    "A worker picked this run up, but it never started: the worker or its machine is gone, or the image can't be "
    "pulled. This run sent nothing; run it again."
)


def create_dead_worker_automations(heartbeat_seconds: int = HEARTBEAT_SECONDS) -> str:
    """Create or update both automations on the Prefect server of PREFECT_API_URL; return what was done.

    `heartbeat_seconds` is PREFECT_FLOWS_HEARTBEAT_FREQUENCY of the workers.
    """
    with get_client(sync_client=True) as client:
        return "; ".join(
            create_or_update(client, automation).sentence() for automation in dead_worker_automations(heartbeat_seconds)
        )


def create_or_update(client: SyncPrefectClient, wanted: AutomationCore) -> Change:
    """Create the automation, or update the one of that name; whether it is switched on stays as the team set it."""
    existing = client.read_automations_by_name(wanted.name)
    if not existing:
        client.create_automation(wanted)
        return Change("automation", wanted.name, Effect.CREATED, "" if wanted.enabled else "an example, switched off")
    found = existing[0]
    if _content(found) == _content(wanted):
        return Change("automation", wanted.name, Effect.UNCHANGED)
    client.update_automation(found.id, wanted.model_copy(update={"enabled": found.enabled}))
    return Change("automation", wanted.name, Effect.UPDATED)


def dead_worker_automations(
    heartbeat_seconds: int = HEARTBEAT_SECONDS, start: timedelta = timedelta(minutes=START_MINUTES)
) -> Iterable[AutomationCore]:
    """Return the two automations that mark runs as crashed; `start` is how long a run may take to start."""
    silence = timedelta(seconds=_MISSED_HEARTBEATS * heartbeat_seconds)
    yield _mark_crashed(WORKER_LOST, "prefect.flow-run.heartbeat", silence, _LOST_MESSAGE, force=False)
    # From Pending to Crashed only by force: Prefect assumes that another worker may still start the run.
    yield _mark_crashed(NEVER_STARTED, "prefect.flow-run.Pending", start, _NEVER_STARTED_MESSAGE, force=True)


def pause_after_stop(deployment: UUID) -> AutomationCore:
    """Return the example: after any campaign is stopped, the deployment's schedule is paused until someone resumes it.

    It is created switched off. In the UI its action can be changed to a notification.
    """
    return AutomationCore(
        name=PAUSE_AFTER_STOP,
        description=(
            "An example, switched off. What stops a campaign (no balance, a rejected key, too many failures) would "
            "stop the next scheduled one too. Created by globe-sms deploy, which is safe to run again."
        ),
        enabled=False,
        trigger=EventTrigger(
            match=ResourceSpecification({"prefect.resource.id": "globe-sms.campaign.*"}),
            expect={"sms.campaign.stopped"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[PauseDeployment(source="selected", deployment_id=deployment)],
    )


def _mark_crashed(name: str, after: str, within: timedelta, message: str, *, force: bool) -> AutomationCore:
    return AutomationCore(
        name=name,
        description="Created by globe-sms deploy, which is safe to run again.",
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


def _content(automation: AutomationCore) -> Any:
    """Return what is compared: everything but ids and whether it is switched on."""
    dumped = automation.model_dump(mode="json", include={"name", "description", "trigger", "actions"})
    return _without_ids(dumped)


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ids(entry) for key, entry in value.items() if key != "id"}
    if isinstance(value, list):
        return sorted((_without_ids(entry) for entry in value), key=repr)
    return value


if __name__ == "__main__":
    sys.stdout.write(f"globe-sms: {create_dead_worker_automations()}\n")
