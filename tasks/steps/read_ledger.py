"""The step that reads the ledger: which chunks are left, without the numbers that must not be texted now."""

from dataclasses import replace

import polars as pl

from globe_sms.tasks.campaign.options.left_out import OnUnknown
from globe_sms.tasks.campaign.remaining_chunks import NOTHING, RemainingChunks
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.planning.exclusions import take_off
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.sending.chunk_reader import stop_for_unreadable
from globe_sms.tasks.sending.find_remaining import find_remaining
from globe_sms.tasks.store.store_retries import store_retries
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors


@redact_errors()
def read_ledger(run: CampaignRun, plan: FrozenPlan, *, after_canary: bool = False) -> RemainingChunks:
    """Say which chunks are left, or which of those after the canary.

    What the gateway has certainly accepted, because a message of the call has a delivery, is never presented again.
    What keeps people out is looked at each time: those who opted out since the plan was made aren't left.

    Raises:
        InputError: an opt-out list can't be read, at the first look; later on this stops the run, and nothing is left.
    """
    try:
        excluded = run.exclusions.look(plan)
    except InputError as error:
        if run.exclusions.seconds_ago is None:
            raise
        run.stop.set(stop_for_unreadable(error))
        return NOTHING
    run.ledger.recover()
    remaining = find_remaining(
        plan,
        run.ledger,
        DeliveryArchive(run.store, run.scratch).taken_submissions(run.campaign.id),
        resend=run.config.on_unknown is OnUnknown.RESEND,
        canary=plan.canary_chunks(run.config.canary_numbers) if run.config.canary_numbers else 0,
        after_canary=after_canary,
        parts=pl.sum("segments") if run.config.wording.parts is None else pl.len() * run.config.wording.parts,
    )
    remaining = take_off(remaining, plan, excluded, segments=run.config.wording.parts)
    run.progress.expect(run.progress.snapshot.done + remaining.numbers)
    return remaining


def leave_out_now(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> RemainingChunks:
    """Look again at what keeps people out, and return what is left without chunks that have lost all their numbers.

    If it's unknown who must not be texted, the run stops.
    """
    before = run.exclusions.current
    try:
        now = store_retries()(run.exclusions.look, plan)
    except InputError as error:
        run.stop.set(stop_for_unreadable(error))
        return remaining
    if now is before:
        return remaining
    left = take_off(remaining, plan, now, segments=run.config.wording.parts)
    run.progress.expect_fewer(max(0, sum(left.left_out.values()) - sum(remaining.left_out.values())))
    return replace(remaining, chunks=left.chunks)
