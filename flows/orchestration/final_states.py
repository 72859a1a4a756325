"""The Prefect states that runs end in. Their names and messages say how the campaign or the tracking ended.

send-campaign:

    Late                  it started too long after its time and sent nothing
    Completed             every row is settled, or a dry run planned well
    CompletedWithUnknown  finished, but rows are left unknown or not sent
    NothingToSend         no row of the lists can be sent; the results say why
    EmptyList (failed)    the lists have no rows; nothing was sent
    Failed                a field of the form is wrong, or what it names; the message begins with it
    AllFailed (failed)    finished, and the gateway refused every number
    Stopped (failed)      it stopped before its end; run it again to go on
    Declined (cancelled)  somebody declined it, or nobody answered in time
    Cancelled             the run was cancelled

track-delivery:

    Completed             every message has a final status
    CompletedWithOpen     finished, but messages are on their way or rows unknown
    Stopped (failed)      it stopped before its end; run it again to go on
    Cancelled             the run was cancelled
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from globe_sms.flows.orchestration.ending_errors import error_of_campaign, error_of_tracking
from globe_sms.flows.orchestration.this_flow_run import this_flow_run
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.recipients import EmptyListError
from globe_sms.tasks.reports.campaign_outcome import Ending
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.vocabulary.errors import GlobeSmsError

_Function = TypeVar("_Function", bound=Callable[..., Any])


def late_state(message: str) -> State[None]:
    """Return the state of a run that started too late to send; `message` says so."""
    return Completed(name="Late", message=message)


def name_refusals(flow_function: _Function) -> _Function:
    """Say in the state why a run was refused, without a traceback: of a deployment, in the words of the form.

    Runs whose lists have no rows have a state with a name of its own.
    """

    @functools.wraps(flow_function)
    def named(**parameters: Any) -> Any:
        try:
            return flow_function(**parameters)
        except EmptyListError as error:
            return Failed(name="EmptyList", message=str(error), data=error)
        except GlobeSmsError as error:
            message = str(error) if this_flow_run().deployment_id is None else in_form_words(str(error))
            return Failed(message=message, data=error)

    return cast("_Function", named)


def campaign_state(report: CampaignReport) -> State[CampaignReport]:
    """Return the state that a run of `send-campaign` with this report ends in."""
    counts = report.sentence()
    message = counts if report.stop is None else f"{report.stop.message} ({counts})"
    match report.ending:
        case Ending.FINISHED:
            return Completed(
                name="Completed" if report.settled else "CompletedWithUnknown", message=counts, data=report
            )
        case Ending.NOTHING_TO_SEND:
            return Completed(name="NothingToSend", message=counts, data=report)
        case Ending.ALL_FAILED:
            return Failed(name="AllFailed", message=counts, data=error_of_campaign(report))
        case Ending.CANCELLED:
            return Cancelled(message=counts)
        case Ending.DECLINED:
            return Cancelled(name="Declined", message=message, data=error_of_campaign(report))
        case Ending.STOPPED:
            return Failed(name="Stopped", message=message, data=error_of_campaign(report))


def tracking_state(outcome: TrackingOutcome) -> State[TrackingOutcome]:
    """Return the state that a run of `track-delivery` with this outcome ends in."""
    if outcome.stopped is None:
        name = "Completed" if outcome.final else "CompletedWithOpen"
        return Completed(name=name, message=outcome.sentence(), data=outcome)
    message = f"{outcome.stopped} ({outcome.sentence()})"
    error = error_of_tracking(outcome)
    if outcome.cancelled:
        return Cancelled(message=message, data=error)
    return Failed(name="Stopped", message=message, data=error)
