"""The events that an automation can act on."""

import uuid
from typing import Any

from globe_sms.flows.observers.prefect_events import EVENTS, PrefectEvents
from globe_sms.tasks.sending.progress import Progress
from tests.unit.flows.previews import PREVIEW


def test_events_name_the_campaign_and_the_run_and_hold_counts() -> None:
    """So that an automation can act on them; the start is told once, with a canary too."""
    told: list[dict[str, Any]] = []
    events = PrefectEvents(uuid.uuid4(), emit=lambda **event: told.append(event))
    events.opened("Camp_1")
    events.asking(PREVIEW)
    events.sending(Progress())
    events.sending(Progress())
    assert [event["event"] for event in told] == ["sms.campaign.approval_needed", "sms.campaign.started"]
    assert {event["event"] for event in told} <= set(EVENTS)
    assert told[0]["resource"]["prefect.resource.id"] == "globe-sms.campaign.Camp_1"
    assert told[0]["related"][0]["prefect.resource.role"] == "flow-run"
    assert told[0]["payload"] == {"numbers": 0, "calls": 0, "seconds": 0}
