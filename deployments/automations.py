"""Automations on the Prefect server, created once and brought up to date after that."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.events.actions import PauseDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from globe_sms.deployments.server_changes import Change, Effect

STOPPED = "globe-sms: pause the schedule when a campaign is stopped"


def bring_up_to_date(client: SyncPrefectClient, wanted: AutomationCore) -> Change:
    """Create the automation, or change the one of its name; whether it is enabled stays as the team has set it."""
    existing = client.read_automations_by_name(wanted.name)
    if not existing:
        client.create_automation(wanted)
        return Change("automation", wanted.name, Effect.CREATED, "" if wanted.enabled else "switched off: an example")
    found = existing[0]
    if _essence(found) == _essence(wanted):
        return Change("automation", wanted.name, Effect.UNCHANGED)
    client.update_automation(found.id, wanted.model_copy(update={"enabled": found.enabled}))
    return Change("automation", wanted.name, Effect.UPDATED)


def pause_after_a_stop(deployment: UUID) -> AutomationCore:
    """Return the example: when any campaign is stopped, the deployment's schedule is paused until somebody looks.

    It is created switched off. In the UI its action can be changed into a notification.
    """
    return AutomationCore(
        name=STOPPED,
        description=(
            "An example, switched off. When a campaign is stopped (no balance, a key that is refused, too many "
            "failures) the next scheduled one would meet the same. Created by globe-sms deploy; safe to run again."
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


def _essence(automation: AutomationCore) -> Any:
    """What makes two automations the same: all but ids and whether it is enabled."""
    dumped = automation.model_dump(mode="json", include={"name", "description", "trigger", "actions"})
    return _without_ids(dumped)


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ids(entry) for key, entry in value.items() if key != "id"}
    if isinstance(value, list):
        return sorted((_without_ids(entry) for entry in value), key=repr)
    return value
