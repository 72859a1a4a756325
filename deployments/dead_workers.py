"""The automation that marks runs of dead workers as crashed: `python -m deployments.dead_workers`.

A worker that is stopped or lost leaves its flow run `Running` for ever in Prefect 3.8, and its deployment's slot taken.
Runs of deployments send heartbeats (every 180 s, PREFECT_FLOWS_HEARTBEAT_FREQUENCY); a run that has sent one and then
nothing at all for three times as long is marked crashed. Running the campaign again does not depend on it: the
campaign's own lease expires after 20 s.

Source: Prefect 3, "Detect and respond to zombie flows" (docs.prefect.io).
"""

import sys
from datetime import timedelta

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

NAME = "globe-sms: mark runs of dead workers as crashed"
_MESSAGE = (
    "No heartbeat for too long: the worker or its machine is gone. What was sent is recorded; run the campaign "
    "again to go on with the rest."
)


def mark_runs_of_dead_workers(heartbeat_seconds: int = 180) -> str:
    """Create the automation on the Prefect server, or bring it up to date; say what was done.

    `heartbeat_seconds` is PREFECT_FLOWS_HEARTBEAT_FREQUENCY of the workers.
    """
    automation = AutomationCore(
        name=NAME,
        description="Created by globe-sms; safe to run again.",
        enabled=True,
        trigger=EventTrigger(
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            for_each={"prefect.resource.id"},
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=3 * heartbeat_seconds),
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name=None, message=_MESSAGE, force=False)],
    )
    with get_client(sync_client=True) as client:
        existing = client.read_automations_by_name(NAME)
        if existing:
            client.update_automation(existing[0].id, automation)
            return f"updated the automation {NAME!r}"
        client.create_automation(automation)
        return f"created the automation {NAME!r}"


if __name__ == "__main__":
    sys.stdout.write(f"globe-sms: {mark_runs_of_dead_workers()}\n")
