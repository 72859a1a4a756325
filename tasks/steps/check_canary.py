"""The step that checks the canary, and stops the run if too much of it failed."""

from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.results.canary import Canary, read_canary, stop_for
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.sending.failure_limit import FEWEST_FOR_A_FAILURE_RATE
from globe_sms.tasks.vocabulary.redact_errors import redact_errors


@redact_errors()
def check_canary(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, *, so_far: bool = False) -> Canary:
    """Count the canary's outcomes, and stop the run if too many of its numbers failed or are unknown.

    With `so_far` more of it is still to be sent: then the failure rate counts from its first 1,000 numbers on, as in
    any campaign, or if an earlier run found that it had failed.
    """
    canary = read_canary(plan, run.ledger, run.store, run.scratch, campaign=run.campaign.id, chunks=remaining.canary)
    if so_far and canary.presented < FEWEST_FOR_A_FAILURE_RATE and not run.campaign.document.canary_failed:
        return canary
    stop = stop_for(canary, run.config.max_failure_rate)
    if stop is not None:
        if canary.presented:
            run.campaign.update(canary_failed=True)
        run.stop.stop_for_failures(stop)
    return canary
