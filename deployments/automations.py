"""The automations on the Prefect server; `python -m globe_sms.deployments.automations` creates two for dead workers.

In Prefect 3.9 a killed worker leaves its flow runs `Running` forever, or `Pending` if they hadn't started. Their
deployment's slot expires after five minutes at most, since the runs renew it for so long. Two automations mark such
runs as crashed, which frees the slot:

- A run that sent a heartbeat, and then nothing for three heartbeats. The deployments in prefect.yaml have their runs
  send one every 30 s, the most often that Prefect can.
- A run that a worker picked up half an hour ago and that still hasn't started.

They watch only the runs of deployments whose entrypoint is in `globe_sms`, by the deployments' ids: on a shared server
they never touch a run of another flow. Resuming a campaign doesn't depend on them: the campaign's own lease expires
after 20 s, and a run that takes the campaign over ends the dead run's record itself
(`flows.orchestration.dead_predecessor`). A third automation, switched off, is an example: it pauses a schedule after a
campaign that went wrong.

Source: Prefect 3, "Detect and respond to zombie flows" (docs.prefect.io).
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import DeploymentSort
from prefect.events.actions import ChangeFlowRunState, PauseDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from globe_sms.deployments.server_changes import Change, Effect
from globe_sms.tasks.vocabulary.buttons import RETRY

WORKER_LOST = "globe-sms: mark runs of dead workers as crashed"
NEVER_STARTED = "globe-sms: mark runs that never started as crashed"
PAUSE_AFTER_STOP = "globe-sms: pause the schedule when a campaign is stopped"
HEARTBEAT_VARIABLE = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
START_MINUTES = 30
_PREFECTS_HEARTBEAT_SECONDS = 180
_MISSED_HEARTBEATS = 3
_WENT_WRONG = ("sms.campaign.stopped", "sms.campaign.all_failed", "sms.campaign.empty_list")
_OWN_ENTRYPOINTS = "globe_sms."
_PAGE = 200  # the most that the server returns at once
_LOST_MESSAGE = (
    "No heartbeat for too long: the worker or its machine is gone. What was sent is recorded. To send the rest, "
    f"{RETRY}."
)
_NEVER_STARTED_MESSAGE = (
    "A worker picked this run up, but it never started: the worker or its machine is gone, or the image can't be "
    f"pulled. This run sent nothing. Mend that, then {RETRY}."
)


def create_dead_worker_automations() -> str:
    """Create or update both automations on the Prefect server of PREFECT_API_URL; return what was done."""
    with get_client(sync_client=True) as client:
        deployments = own_deployments(client)
        if not deployments:
            return "the server has no deployments of globe-sms to watch: run `globe-sms deploy`"
        return "; ".join(
            create_or_update(client, automation).sentence() for automation in dead_worker_automations(deployments)
        )


@dataclass(frozen=True, slots=True, order=True)
class OwnDeployment:
    """A deployment on the server that runs a flow of this package, and how often its runs send a heartbeat."""

    id: UUID
    heartbeat_seconds: int = _PREFECTS_HEARTBEAT_SECONDS


def own_deployments(client: SyncPrefectClient) -> tuple[OwnDeployment, ...]:
    """Return all deployments on the server that run a flow of this package, sorted by id."""
    found: list[OwnDeployment] = []
    offset = 0
    while page := client.read_deployments(limit=_PAGE, offset=offset, sort=DeploymentSort.NAME_ASC):
        found += [
            OwnDeployment(each.id, heartbeat_seconds_of(each.job_variables))
            for each in page
            if (each.entrypoint or "").startswith(_OWN_ENTRYPOINTS)
        ]
        offset += len(page)
    return tuple(sorted(found))


def heartbeat_seconds_of(job_variables: Mapping[str, Any]) -> int:
    """Return how often runs with these job variables send a heartbeat; Prefect's 180 s if they don't say."""
    environment: dict[str, Any] = job_variables.get("env") or {}
    named = str(environment.get(HEARTBEAT_VARIABLE))
    return int(named) if named.isdecimal() else _PREFECTS_HEARTBEAT_SECONDS


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
    deployments: Sequence[OwnDeployment], start: timedelta = timedelta(minutes=START_MINUTES)
) -> Iterable[AutomationCore]:
    """Return the two automations that mark runs of these deployments as crashed.

    The deployment whose runs send the fewest heartbeats says how long a silence must be. `start` is how long a run may
    take to start.

    Raises:
        ValueError: no deployments are given, so an automation would watch the runs of every flow.
    """
    if not deployments:
        raise ValueError("name at least one deployment: without one, the runs of every flow would be watched")
    silence = timedelta(seconds=_MISSED_HEARTBEATS * max(each.heartbeat_seconds for each in deployments))
    ids = [each.id for each in deployments]
    yield _mark_crashed(WORKER_LOST, ids, "prefect.flow-run.heartbeat", silence, _LOST_MESSAGE, force=False)
    # From Pending to Crashed only by force: Prefect assumes that another worker may still start the run.
    yield _mark_crashed(NEVER_STARTED, ids, "prefect.flow-run.Pending", start, _NEVER_STARTED_MESSAGE, force=True)


def pause_after_stop(deployment: UUID) -> AutomationCore:
    """Return the example: after a campaign went wrong, the deployment's schedule is paused until someone resumes it.

    It is created switched off. In the UI its action can be changed to a notification.
    """
    return AutomationCore(
        name=PAUSE_AFTER_STOP,
        description=(
            "An example, switched off. What goes wrong with a campaign (it stops, all numbers fail, its lists are "
            "empty) would go wrong with the next one too. Created by globe-sms deploy, which is safe to run again."
        ),
        enabled=False,
        trigger=EventTrigger(
            match=ResourceSpecification({"prefect.resource.id": "globe-sms.campaign.*"}),
            expect=set(_WENT_WRONG),
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[PauseDeployment(source="selected", deployment_id=deployment)],
    )


def _mark_crashed(
    name: str, deployments: Sequence[UUID], after: str, within: timedelta, message: str, *, force: bool
) -> AutomationCore:
    return AutomationCore(
        name=name,
        description="Created by globe-sms deploy, which is safe to run again.",
        enabled=True,
        trigger=EventTrigger(
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            match_related=ResourceSpecification(
                {
                    "prefect.resource.role": "deployment",
                    "prefect.resource.id": [f"prefect.deployment.{each}" for each in deployments],
                }
            ),
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
