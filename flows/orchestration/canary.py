"""Send a campaign's canary, check its outcome, and ask again before the others are texted."""

from globe_sms.flows.orchestration.approval import approve
from globe_sms.flows.orchestration.executor import Executor
from globe_sms.flows.orchestration.shards import send_shards
from globe_sms.tasks.campaign.remaining_chunks import NOTHING, RemainingChunks
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.reports.make_preview import preview_after
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.steps.check_canary import check_canary
from globe_sms.tasks.steps.read_ledger import read_ledger
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


def send_canary(
    run: CampaignRun,
    plan: FrozenPlan,
    remaining: RemainingChunks,
    preview: Preview,
    executor: Executor,
) -> RemainingChunks:
    """Return what may be sent after the canary: nothing if too much of it failed, or if somebody declined the rest.

    The canary is checked once all its calls are answered. One that an earlier run sent is checked, not sent again.
    Without a canary, or if nobody comes after it, this returns `remaining` as it is.

    Raises:
        CampaignBusyError, AnswerNeededError: see `approve`.
    """
    if run.config.dry_run:
        return remaining
    if remaining.begins_with_canary:
        _send_chunks_of_canary(run, plan, remaining, executor)
        if run.stop.stop is not None or run.has_ended:
            return NOTHING
        remaining = executor.call(read_ledger, run, plan, after_canary=True)
    if run.has_ended or not remaining.is_after_canary:
        return remaining
    executor.observer.step("checking the canary")
    canary = executor.call(check_canary, run, plan, remaining)
    if run.stop.stop is not None:
        return NOTHING
    try:
        return approve(run, plan, remaining, preview_after(canary, preview, remaining), executor)
    except InputError as error:  # nobody can be asked here, but the canary's rows still belong in the results
        run.stop.set(Stop(StopCause.DECLINED, f"{error} Only the canary was sent."))
        return NOTHING


def _send_chunks_of_canary(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, executor: Executor) -> None:
    """Send what's left of the canary: resent chunks first, then the rest, unless too much has failed by then."""
    _send(run, plan, remaining.resent_of_canary, executor)
    if run.stop.stop is None and remaining.has_begun_canary:
        # Quiet hours, failures or a kill held the rest back. A canary that failed doesn't get more people to try.
        executor.call(check_canary, run, plan, remaining, so_far=True)
    if run.stop.stop is None:
        _send(run, plan, remaining.open_of_canary, executor)


def _send(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, executor: Executor) -> None:
    send_shards(run, plan, remaining, executor)
    if run.stop.stop is not None and run.stop.stop.for_failures:
        executor.call(check_canary, run, plan, remaining, so_far=True)
