"""How a run ends, as Prefect's final state: its name and its message tell what became of the campaign.

Late                  it started too long after its time and sent nothing
Completed             every row is settled, or a dry run planned well
CompletedWithUnknown  finished, but rows are left unknown or not sent
Stopped (failed)      it stopped before its end; running it again goes on
Declined (cancelled)  somebody declined it, or nobody answered in time
Cancelled             the run was cancelled
"""

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError
from globe_sms.tasks.vocabulary.stop_signal import StopCause


def late_state(message: str) -> State[None]:
    """Return the state of a run that came too late to send; `message` says so to people."""
    return Completed(name="Late", message=message)


def final_state(report: CampaignReport) -> State[CampaignReport]:
    """Return the state that a run with this report ends in."""
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
