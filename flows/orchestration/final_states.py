"""The Prefect states that runs end in. Their names and messages say how the campaign or the tracking ended.

send-campaign:

    Late                  it started too long after its time and sent nothing
    Completed             every row is settled, or a dry run planned well
    CompletedWithUnknown  finished, but rows are left unknown or not sent
    Stopped (failed)      it stopped before its end; run it again to go on
    Declined (cancelled)  somebody declined it, or nobody answered in time
    Cancelled             the run was cancelled

track-delivery:

    Completed             every message has a final status
    CompletedWithOpen     finished, but messages are on their way or rows unknown
    Stopped (failed)      it stopped before its end; run it again to go on
    Cancelled             the run was cancelled
"""

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError, TrackingStoppedError
from globe_sms.tasks.vocabulary.stop_signal import StopCause


def late_state(message: str) -> State[None]:
    """Return the state of a run that started too late to send; `message` says so."""
    return Completed(name="Late", message=message)


def campaign_state(report: CampaignReport) -> State[CampaignReport]:
    """Return the state that a run of `send-campaign` with this report ends in."""
    if report.stop is None:
        name = "Completed" if report.settled else "CompletedWithUnknown"
        return Completed(name=name, message=report.sentence(), data=report)
    if report.stop.cause is StopCause.CANCELLED:
        return Cancelled(message=report.sentence())
    message = f"{report.stop.message} ({report.sentence()})"
    error = CampaignStoppedError(message, report)
    if report.stop.cause is StopCause.DECLINED:
        return Cancelled(name="Declined", message=message, data=error)
    return Failed(name="Stopped", message=message, data=error)


def tracking_state(outcome: TrackingOutcome) -> State[TrackingOutcome]:
    """Return the state that a run of `track-delivery` with this outcome ends in."""
    if outcome.stopped is None:
        name = "Completed" if outcome.final else "CompletedWithOpen"
        return Completed(name=name, message=outcome.sentence(), data=outcome)
    message = f"{outcome.stopped} ({outcome.sentence()})"
    error = TrackingStoppedError(message, outcome)
    if outcome.cancelled:
        return Cancelled(message=message, data=error)
    return Failed(name="Stopped", message=message, data=error)
