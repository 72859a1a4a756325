"""The flow `track-delivery`: what became of a campaign's messages, asked until each has come to its end.

What must exist: a campaign that was sent (`send-campaign`), its results folder, and Alibaba Cloud credentials with
`dysms:QueryMessage` (an account block, or its default credential chain).
"""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from globe_sms.flows.orchestration.observer import observer
from globe_sms.flows.orchestration.scheduled_start import scheduled_time
from globe_sms.flows.orchestration.tracking_artifacts import TrackingArtifacts
from globe_sms.flows.signatures import form_parameters, takes
from globe_sms.tasks.campaign.date_placeholders import fill
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.track_delivery import query_gateway, read_delivery_receipts, write_deliveries
from globe_sms.tasks.tracking_run import open_tracking
from globe_sms.tasks.vocabulary.errors import TrackingStoppedError


def _run_name() -> str:
    return f"track-{flow_run.parameters.get('campaign', '')}"


@flow(name="track-delivery", flow_run_name=_run_name, persist_result=False)
@takes(form_parameters(TrackingConfig))
def track_delivery(**parameters: Any) -> TrackingOutcome:
    """Ask the gateway what became of a campaign's messages, and write it into the results.

    Run it as often as you like: what has come to its end is never asked again. The parameters are the fields of
    `tasks.delivery.config.TrackingConfig`.

    Returns:
        The outcome, with `.deliveries`, `.counts` and `.summary()`.

    Raises:
        InputError: the input or the configuration is wrong.
        TrackingStoppedError: it stopped before its end; `.outcome` says how far it came.
    """
    scheduled = scheduled_time(parameters["time_zone"])
    config = TrackingConfig.checked(**{**parameters, "campaign": fill(parameters["campaign"], scheduled)})
    watch = observer()
    watch.step("checking the campaign and the credentials")
    with open_tracking(config) as tracked, TrackingArtifacts(config.campaign, watch.tracking) as artifacts:
        watch.step("reading delivery receipts")
        settled = read_delivery_receipts(tracked)
        watch.step("asking the gateway what became of the messages")
        progress = query_gateway(tracked, artifacts.follow)
        watch.step("writing the results")
        outcome = write_deliveries(tracked, settled, progress)
        artifacts.ended(outcome, progress)
    return final_state(outcome)  # pyright: ignore[reportReturnType]  # Prefect unwraps a returned state's data


def final_state(outcome: TrackingOutcome) -> State[TrackingOutcome]:
    """Return the state that a tracking ends in: Completed, CompletedWithOpen, Stopped (failed) or Cancelled."""
    if outcome.stopped is None:
        name = "Completed" if outcome.final else "CompletedWithOpen"
        return Completed(name=name, message=outcome.sentence(), data=outcome)
    message = f"{outcome.stopped} ({outcome.sentence()})"
    error: Any = TrackingStoppedError(message, outcome)
    return (
        Cancelled(message=message, data=error)
        if outcome.cancelled
        else Failed(name="Stopped", message=message, data=error)
    )
