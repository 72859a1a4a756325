"""The automations of `globe-sms deploy --notify`: a notification block tells people when a campaign needs them.

They see only runs of this package's deployments, by the deployments' ids. Subject and body are Jinja templates that
Prefect's server fills in from the event; the events are those of `flows.observers.prefect_events` and Prefect's own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import BlockDocument
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_UI_URL
from prefect.utilities.urls import url_for

from globe_sms.deployments.automations import OwnDeployment
from globe_sms.deployments.server_changes import Change
from globe_sms.flows.observers.prefect_events import CAMPAIGNS, SETTLED
from globe_sms.tasks.vocabulary.errors import InputError

HOW: Final = "Nobody is notified: globe-sms deploy --notify BLOCK does it, with a notification block of Prefect's."
_PREFIX: Final = "globe-sms: notify when "
_NOTIFY: Final = "notify"  # what a block must be able to do
_PAGE: Final = 200
_LATE: Final = timedelta(minutes=5)
_DAY: Final = timedelta(days=1)

_COUNTS: Final = (
    "{% for status, rows in event.payload.counts.items() if rows %}"
    "{{ '{:,}'.format(rows) }} {{ status }}{{ '' if loop.last else ', ' }}{% endfor %}"
)
_SAID: Final = "{{ event.payload.validated_state.message or '' }}"
_CAMPAIGN: Final = "{{ event.resource.name }}"  # the resource of our events
_RUN: Final = "{{ flow_run.name }}"  # a run bears its campaign's id


@dataclass(frozen=True, slots=True)
class _Occasion:
    """When people are told, and what.

    Attributes:
        name: completes the automation's name.
        events: any of which it follows.
        subject: of the message.
        body: of the message, before the link.
        resources: labels that the event's resource must have.
        waits: whether it's told only if nothing else happens to the run in the next minutes.
        once_in: how often it's told of one campaign or run.
    """

    name: str
    events: frozenset[str]
    subject: str
    body: str
    resources: tuple[tuple[str, str], ...] = (("prefect.resource.id", CAMPAIGNS),)
    waits: bool = False
    once_in: timedelta = timedelta(0)


_FLOW_RUNS: Final = (("prefect.resource.id", "prefect.flow-run.*"),)
_OCCASIONS: Final = (
    _Occasion(
        "a campaign needs approval",
        frozenset({"sms.campaign.approval_needed"}),
        _CAMPAIGN + ": please approve",
        "The campaign " + _CAMPAIGN + " waits for approval: {{ '{:,}'.format(event.payload.numbers) }} numbers in "
        "{{ '{:,}'.format(event.payload.calls) }} calls. Nothing more is sent until somebody resumes its run.",
    ),
    _Occasion(
        "a campaign stopped",
        frozenset({"sms.campaign.stopped", "sms.campaign.all_failed"}),
        _CAMPAIGN + ": stopped",
        "The campaign " + _CAMPAIGN + " stopped: {{ event.payload.message or 'the gateway refused every number' }}\n"
        "So far: " + _COUNTS + ".\nRun it again to go on; nobody is texted twice.",
    ),
    _Occasion(
        "a run failed",
        frozenset({"prefect.flow-run.Failed", "prefect.flow-run.EmptyList"}),
        _RUN + ": failed",
        "The run " + _RUN + " failed: " + _SAID,
        _FLOW_RUNS,
    ),
    _Occasion(
        "a run crashed",
        frozenset({"prefect.flow-run.Crashed"}),
        _RUN + ": crashed",
        "The run " + _RUN + " crashed: " + _SAID + "\n`globe-sms show` counts what was sent.",
        _FLOW_RUNS,
    ),
    _Occasion(
        "a run is late",
        frozenset({"prefect.flow-run.Late"}),
        _RUN + ": late",
        "The run " + _RUN + " was due at {{ flow_run.expected_start_time.strftime('%Y-%m-%d %H:%M') }} UTC and sent "
        "nothing. {{ event.payload.validated_state.message or 'It has not started: is a worker running?' }}",
        _FLOW_RUNS,
        waits=True,
    ),
    _Occasion(
        "a campaign left rows unknown or not sent",
        frozenset({"sms.campaign.finished"}),
        _CAMPAIGN + ": finished, but not for everybody",
        "The campaign " + _CAMPAIGN + " finished, but some rows are unknown or not sent: " + _COUNTS + ".\n"
        "The run's report says why, and what to do.",
        (("prefect.resource.id", CAMPAIGNS), (SETTLED, "false")),
    ),
    _Occasion(
        "few messages were delivered",
        frozenset({"sms.campaign.delivery_low"}),
        _CAMPAIGN + ": few messages were delivered",
        "Of the campaign "
        + _CAMPAIGN
        + ", {{ '{:.0%}'.format(event.payload.rate) }} of the messages with a final state "
        "were delivered: " + _COUNTS + ".\nThe delivery report says which countries and codes.",
        once_in=_DAY,
    ),
)


def find_notification_block(client: SyncPrefectClient, name: str) -> BlockDocument:
    """Return the notification block of this name, or of `type/name`.

    Raises:
        InputError: there is none, there are several, or it isn't a block that notifies.
    """
    kind, _, plain = name.rpartition("/")
    if kind:
        try:
            found = [client.read_block_document_by_name(plain, kind, include_secrets=False)]
        except ObjectNotFound:
            found = []
    else:
        found = [each for each in _blocks(client) if each.name == plain and _notifies(each)]
    if not found:
        raise InputError(
            f"--notify {name!r}: the server has no notification block of this name. Make one in Prefect's UI under "
            "Blocks, such as Slack Webhook, Microsoft Teams Webhook or Sendgrid Email."
        )
    if len(found) > 1:
        kinds = ", ".join(sorted(f"{_slug(each)}/{plain}" for each in found))
        raise InputError(f"--notify {name!r}: several notification blocks have this name; give one of {kinds}")
    if not _notifies(found[0]):
        raise InputError(f"--notify {name!r}: this block sends no notifications")
    return found[0]


def block_of_notifications(client: SyncPrefectClient) -> UUID | None:
    """Return the block that an earlier `deploy --notify` used; None if nobody is notified."""
    for occasion in _OCCASIONS:
        for automation in client.read_automations_by_name(_PREFIX + occasion.name):
            for action in automation.actions:
                if isinstance(action, SendNotification):
                    return action.block_document_id
    return None


def notifications(
    deployments: Sequence[OwnDeployment], block: UUID, *, late: timedelta = _LATE
) -> Iterator[AutomationCore]:
    """Return an automation for each occasion, for runs of these deployments.

    `late` is how long a run may be late, or how long ago it ended as *Late*, before people are told; 10 s at least.

    Raises:
        ValueError: no deployments are given, so people would be told of the runs of every flow.
    """
    if not deployments:
        raise ValueError("name at least one deployment: without one, people would be told of every flow's runs")
    link = _link()
    for occasion in _OCCASIONS:
        yield AutomationCore(
            name=_PREFIX + occasion.name,
            description="Created by globe-sms deploy --notify, which is safe to run again.",
            enabled=True,
            trigger=_trigger(occasion, deployments, late),
            actions=[
                SendNotification(
                    block_document_id=block, subject=occasion.subject, body=f"{occasion.body.strip()}\n\n{link}"
                )
            ],
        )


def tells_people(change: Change) -> bool:
    """Whether it is one of these automations."""
    return change.name.startswith(_PREFIX)


def _trigger(occasion: _Occasion, deployments: Iterable[OwnDeployment], late: timedelta) -> EventTrigger:
    return EventTrigger(
        match=ResourceSpecification(dict(occasion.resources)),
        match_related=ResourceSpecification(
            {
                "prefect.resource.role": "deployment",
                "prefect.resource.id": [f"prefect.deployment.{each.id}" for each in deployments],
            }
        ),
        for_each={"prefect.resource.id"},
        # A run that is late for a moment starts with the next look of a worker: then something else happens to it.
        after=set(occasion.events) if occasion.waits else set(),
        expect={"prefect.flow-run.*"} if occasion.waits else set(occasion.events),
        posture=Posture.Proactive if occasion.waits else Posture.Reactive,
        threshold=1,
        within=late if occasion.waits else occasion.once_in,
    )


def _link() -> str:
    """Return the address of the event's flow run in the UI, as a template; only the run's id is known to the server."""
    run = "00000000-0000-0000-0000-000000000000"
    address = url_for("flow-run", obj_id=run) if PREFECT_UI_URL.value() else None
    return "{{ flow_run|ui_url }}" if address is None else address.replace(run, "{{ flow_run.id }}")


def _blocks(client: SyncPrefectClient) -> Iterator[BlockDocument]:
    offset = 0
    while page := client.read_block_documents(offset=offset, limit=_PAGE, include_secrets=False):
        yield from page
        offset += len(page)


def _notifies(block: BlockDocument) -> bool:
    return block.block_schema is not None and _NOTIFY in (block.block_schema.capabilities or ())


def _slug(block: BlockDocument) -> str:
    return "" if block.block_type is None else block.block_type.slug
