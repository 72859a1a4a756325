"""The events that a campaign sends to Prefect, for automations: counts and reasons, no number and no text.

Their resource is `globe-sms.campaign.<campaign>`; the flow run is related to it. The resource of `finished` says in the
label `globe-sms.settled` whether all rows are, because a trigger sees labels and no payload.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from prefect.events import emit_event

from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.sending.progress import Progress

EVENTS: Final = {
    "sms.campaign.approval_needed": "the run waits for somebody to approve it",
    "sms.campaign.started": "the first call is about to leave",
    "sms.campaign.finished": "the run finished; `settled` is false if rows are left unknown or not sent",
    "sms.campaign.nothing_to_send": "the run finished: the lists have rows, but none can be sent",
    "sms.campaign.all_failed": "the run finished, but the gateway refused every number that it was given",
    "sms.campaign.empty_list": "the lists have no rows; `message` says which",
    "sms.campaign.stopped": "the run stopped before its end; `message` says why, `code` is the gateway's",
    "sms.campaign.declined": "somebody declined it, or nobody answered in time; nothing was sent",
    "sms.campaign.delivered": "a tracking ended; `low`: less was delivered than the policy's least-delivered",
    "sms.campaign.cancelled": "the run was cancelled; what was in the air is accounted for",
    "sms.campaign.delivery_low": "a tracking found that few of the messages with a final state were delivered",
}
CAMPAIGNS: Final = "globe-sms.campaign.*"
SETTLED: Final = "globe-sms.settled"
LOW_DELIVERY: Final = 0.8
_TELLING_SHARE: Final = 0.5  # of the messages must have a final state: the first ones to fail say little


class PrefectEvents(RunObserver):
    """Sends the events of one flow run."""

    def __init__(self, flow_run: UUID | None, *, emit: Callable[..., object] = emit_event) -> None:
        self._emit = emit
        self._campaign = ""
        self._related = [] if flow_run is None else [_flow_run_resource(flow_run)]
        self._started = False

    def opened(self, campaign: str) -> None:
        """Keep the campaign's id: the events name it."""
        self._campaign = campaign

    def asking(self, preview: Preview, until: float) -> None:  # noqa: ARG002  # the campaign's page has it
        """Tell that somebody must approve the campaign."""
        self._send("approval_needed", numbers=preview.numbers, calls=preview.calls, seconds=round(preview.seconds))

    def sending(self, progress: Progress) -> None:
        """Tell the start, once."""
        if not self._started:
            self._started = True
            self._send("started", numbers=progress.snapshot.total)

    def no_rows(self, message: str) -> None:
        """Tell that there was nothing to read."""
        self._send("empty_list", message=message)

    def ended(self, report: CampaignReport) -> None:
        """Tell how it ended."""
        summary = {name: value for name, value in report.summary().items() if name != "campaign"}
        stop = {} if report.stop is None else {"message": in_form_words(report.stop.message), "code": report.stop.code}
        labels = {SETTLED: str(report.settled).lower()}
        self._send(report.ending, labels, **summary, settled=report.settled, dry_run=report.dry_run, **stop)

    def tracked(self, outcome: TrackingOutcome, progress: TrackingProgress) -> None:  # noqa: ARG002  # what was learned
        """Tell what was delivered, and with an event of its own that it was little."""
        self._send(
            "delivered",
            deliveries=dict(outcome.deliveries),
            unknown=outcome.unknown,
            rate=None if outcome.rate is None else round(outcome.rate, 4),
            least=outcome.least_delivered,
            low=outcome.is_low,
            final=outcome.final,
        )
        if outcome.report is None:
            return
        total = outcome.report.figures.total
        least = LOW_DELIVERY if outcome.least_delivered is None else outcome.least_delivered
        if total.rate is not None and total.rate < least and total.final >= _TELLING_SHARE * total.messages:
            counts = {name: count for name, count in total.as_json().items() if name != "rate"}
            self._send("delivery_low", counts=counts, rate=round(total.rate, 4))

    def _send(self, what: str, labels: Mapping[str, str] = MappingProxyType({}), **payload: Any) -> None:
        resource = {
            "prefect.resource.id": CAMPAIGNS.replace("*", self._campaign),
            "prefect.resource.name": self._campaign,
            **labels,
        }
        self._emit(event=f"sms.campaign.{what}", resource=resource, related=self._related, payload=payload)


def _flow_run_resource(flow_run: UUID) -> dict[str, str]:
    return {"prefect.resource.id": f"prefect.flow-run.{flow_run}", "prefect.resource.role": "flow-run"}
