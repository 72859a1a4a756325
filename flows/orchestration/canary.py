"""Send a campaign's canary, judge it, and ask again before the others are texted."""

from globe_sms.flows.orchestration.approval import approve
from globe_sms.flows.orchestration.campaign_artifacts import CampaignArtifacts
from globe_sms.flows.orchestration.observer import observer
from globe_sms.flows.orchestration.shards import send_shards
from globe_sms.tasks.campaign.remaining_chunks import NOTHING, RemainingChunks
from globe_sms.tasks.campaign_run import CampaignRun
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.reports.preview import Preview, preview_after
from globe_sms.tasks.results.canary import Canary
from globe_sms.tasks.send_campaign import judge_canary, read_ledger
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


def send_canary(
    run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, preview: Preview, artifacts: CampaignArtifacts
) -> RemainingChunks:
    """Return what may be sent after the canary: nothing where its fate, or somebody who is asked, says no.

    All of the canary's calls are answered before it is judged. One that an earlier run sent is judged, and not sent
    again. Without a canary, or where nobody comes after it, this returns `remaining` as it is.

    Raises:
        CampaignBusyError, prefect.exceptions.Pause: as `flows.orchestration.approval.approve`.
    """
    if run.config.dry_run:
        return remaining
    if remaining.begins_with_canary:
        _present(run, plan, remaining, artifacts)
        if run.stop.stop is not None:
            return NOTHING
        remaining = read_ledger(run, plan, after_canary=True)
    if not remaining.is_after_canary:
        return remaining
    canary = _judged(run, plan, remaining)
    if run.stop.stop is not None:
        return NOTHING
    try:
        return approve(run, plan, remaining, preview_after(canary, preview, remaining), artifacts)
    except InputError as error:  # nobody can be asked here: no reason to leave the canary out of the results
        run.stop.set(Stop(StopCause.DECLINED, f"{error} Nothing but the canary was sent."))
        return NOTHING


def _present(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, artifacts: CampaignArtifacts) -> None:
    """Send what is left of the canary: what is resent first, and the rest unless all that went by then has failed."""
    _send(run, plan, remaining.resent_of_canary, artifacts)
    if run.stop.stop is None and remaining.has_begun_canary:
        # Its hours, its failures or a kill kept the rest back: nobody is texted to have it judged more kindly.
        judge_canary(run, plan, remaining, so_far=True)
    if run.stop.stop is None:
        _send(run, plan, remaining.open_of_canary, artifacts)


def _send(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, artifacts: CampaignArtifacts) -> None:
    if not remaining.chunks:
        return
    artifacts.sending(run.progress)
    observer().sending(run.progress)
    send_shards(run, plan, remaining)
    if run.stop.stop is not None and run.stop.stop.for_failures:
        judge_canary(run, plan, remaining, so_far=True)


def _judged(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> Canary:
    observer().step("judging the canary")
    return judge_canary(run, plan, remaining)
