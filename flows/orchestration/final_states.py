"""The Prefect states that runs end in. Their names and messages say how the campaign or the tracking ended.

send-campaign:

    Late (failed)         it started too long after its time and sent nothing
    Completed             every row is settled, or a dry run planned well
    CompletedWithUnknown  finished, but rows are left unknown or not sent
    NothingToSend         no row of the lists can be sent; the results say why
    EmptyList (failed)    the lists have no rows; nothing was sent
    Failed                a field of the form, what it names, or the results folder is wrong; the message says so
    AllFailed (failed)    finished, and the gateway refused every number
    Stopped (failed)      it stopped before its end; run it again to go on
    Declined (cancelled)  somebody declined it, or nobody answered in time
    Cancelled             the run was cancelled before everything was sent

track-delivery:

    Completed             every message has a final status
    CompletedWithOpen     finished, but messages are on their way or rows unknown
    Stopped (failed)      it stopped before its end; run it again to go on
    Cancelled             the run was cancelled
"""

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from globe_sms.flows.observers.explained_ends import leave_out_explained_ends
from globe_sms.flows.observers.first_lines import first_lines
from globe_sms.flows.orchestration.cancelled_message import leave_message
from globe_sms.flows.orchestration.ending_errors import error_of_campaign, error_of_tracking
from globe_sms.flows.orchestration.this_flow_run import is_deployed, is_flow_run, this_flow_run
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.recipients import EmptyListError
from globe_sms.tasks.reports.campaign_outcome import Ending
from globe_sms.tasks.reports.campaign_page import outcome as outcome_of
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.vocabulary.errors import GlobeSmsError, InputError

_Function = TypeVar("_Function", bound=Callable[..., Any])


def late_state(message: str) -> State[None]:
    """Return the state of a run that started too late to send; `message` says so.

    It's a failure, so that an alarm on failed runs also reports a daily campaign that didn't go out.
    """
    return _failed("Late", InputError(message))


def name_refusals(flow_function: _Function) -> _Function:
    """Say in the state why a run was refused, without a traceback: of a deployment, in the words of the form.

    Runs whose lists have no rows have a state with a name of its own. Prefect logs no trace of an end that the run has
    explained.
    """

    @functools.wraps(flow_function)
    def named(**parameters: Any) -> Any:
        if is_deployed():
            leave_out_explained_ends()
        try:
            return flow_function(**parameters)
        except GlobeSmsError as error:
            return _failed("EmptyList" if isinstance(error, EmptyListError) else "Failed", error)

    return cast("_Function", named)


def campaign_state(report: CampaignReport) -> State[CampaignReport]:
    """Return the state that a run of `send-campaign` with this report ends in; its message says what to do."""
    counts = report.sentence()
    stopped = counts if report.stop is None else f"{report.stop.message} ({counts})"
    match report.ending:
        case Ending.FINISHED:
            message = counts if report.settled else _in_words(f"{outcome_of(report)} ({counts})")
            return Completed(
                name="Completed" if report.settled else "CompletedWithUnknown", message=message, data=report
            )
        case Ending.NOTHING_TO_SEND:
            return Completed(name="NothingToSend", message=counts, data=report)
        case Ending.ALL_FAILED:
            message = _in_words(f"{outcome_of(report)} ({counts})")
            return Failed(name="AllFailed", message=message, data=error_of_campaign(report))
        case Ending.CANCELLED:
            message = _in_words(stopped)
            if is_deployed():
                leave_message(this_flow_run().id, message)
            return Cancelled(message=message)
        case Ending.DECLINED:
            return Cancelled(name="Declined", message=_in_words(stopped), data=error_of_campaign(report))
        case Ending.STOPPED:
            return Failed(name="Stopped", message=_in_words(stopped), data=error_of_campaign(report))


def tracking_state(outcome: TrackingOutcome) -> State[TrackingOutcome]:
    """Return the state that a run of `track-delivery` with this outcome ends in."""
    if outcome.stopped is None:
        name = "Completed" if outcome.final else "CompletedWithOpen"
        return Completed(name=name, message=outcome.sentence(), data=outcome)
    message = f"{outcome.stopped} ({outcome.sentence()})"
    error = error_of_tracking(outcome)
    if outcome.cancelled:
        return Cancelled(message=_in_words(message), data=error)
    return Failed(name="Stopped", message=_in_words(message), data=error)


def _failed(name: str, error: GlobeSmsError) -> State[Any]:
    """Return a failed state with what the error says, and say it in the log, which the run's page opens with."""
    message = _in_words(error.with_option()) if is_deployed() else str(error)
    if is_flow_run():
        log = get_run_logger()
        log.error("%s", message)
        first_lines(log, this_flow_run())(message, logging.ERROR)
    return Failed(name=name, message=message, data=error)


def _in_words(message: str) -> str:
    """Return the message in the words of the form if a deployment has started the run."""
    return in_form_words(message) if is_deployed() else message
