"""Have somebody approve a campaign before its first call, where the order or the terminal wants it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from prefect import get_run_logger

from globe_sms.flows.orchestration.approval_form import (
    Stage,
    asked_before,
    pause_for_answer,
    suspend_for_answer,
    this_run,
)
from globe_sms.flows.orchestration.campaign_artifacts import CampaignArtifacts
from globe_sms.flows.orchestration.observer import observer
from globe_sms.tasks.campaign.approval import (
    NOBODY,
    Answer,
    Approval,
    Decision,
    approved_before,
    may_ask,
    must_ask,
)
from globe_sms.tasks.campaign.remaining_chunks import NOTHING, RemainingChunks
from globe_sms.tasks.campaign_run import CampaignRun
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.send_campaign import read_ledger, write_campaign_results
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


def approve(
    run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, preview: Preview, artifacts: CampaignArtifacts
) -> RemainingChunks:
    """Return what may be sent: all that is left, or nothing, and then the run's stop says why.

    While somebody is asked, the campaign's lease is given back. What an earlier run had approved is not asked again.
    What waits for a canary is asked for with what became of it: before that is known, this lets it pass.

    Raises:
        InputError: somebody must be asked, and nobody can be.
        CampaignBusyError: another run has taken the campaign up in the meantime.
        prefect.exceptions.Pause: the run is suspended; the answer starts it anew from the top.
    """
    if run.config.dry_run or not remaining.chunks or (remaining.is_after_canary and preview.canary is None):
        return remaining
    flow_run = this_run()
    if remaining.begins_with_canary and may_ask(run.config) and asked_before(flow_run, Stage.AFTER_CANARY):
        return read_ledger(run, plan, after_canary=True)
    stage = Stage.FIRST if preview.canary is None else Stage.AFTER_CANARY
    asked = may_ask(run.config) and asked_before(flow_run, stage)
    if not asked and approved_before(run.campaign.document.approval, run.config, remaining):
        get_run_logger().info("%s: approved before, nobody is asked again", run.campaign.id)
        return remaining
    required = must_ask(run.config, remaining, run.campaign.document.approval)
    decide = observer().decider(required=required)
    if decide is None and not required and not asked:
        return remaining
    question = Approval(
        decision=Decision.AWAITED,
        by="",
        note="",
        at=_now(),
        numbers=remaining.numbers,
        resent_chunks=len(remaining.resent),
        settings=run.config.fingerprint(),
        asked_by=str(flow_run.id),
        after_canary=stage is Stage.AFTER_CANARY,
    )
    if decide is not None:
        answer = _ask_meanwhile(run, plan, question, lambda: decide(preview))
    elif flow_run.deployment_id is None:
        artifacts.asking(preview)
        get_run_logger().warning("%s: waiting for an answer: press Resume on this run's page", run.campaign.id)
        answer = _ask_meanwhile(
            run, plan, question, lambda: pause_for_answer(preview, run.config.approval_timeout, stage)
        )
    elif asked:
        question = _as_it_was_asked(run, question)
        answer = suspend_for_answer(preview, run.config.approval_timeout, stage)
    else:
        artifacts.asking(preview)
        _write_unapproved(run, plan, question)
        get_run_logger().warning("%s: waiting for an answer: press Resume on this run's page", run.campaign.id)
        answer = suspend_for_answer(preview, run.config.approval_timeout, stage)
    return _act_on(run, plan, question, answer)


def _ask_meanwhile(run: CampaignRun, plan: FrozenPlan, question: Approval, ask: Callable[[], Answer]) -> Answer:
    """Ask while the lease is free for others, then take it again.

    After a canary there is something to account for, also where this process is ended while it asks.
    """
    if question.after_canary:
        _write_unapproved(run, plan, question)
    else:
        run.campaign.update(approval=question)
    run.campaign.give_back()
    answer = ask()
    run.campaign.open(run.config.frozen_settings())
    return answer


def _as_it_was_asked(run: CampaignRun, question: Approval) -> Approval:
    """Return what this run asked before it was suspended.

    No resend is approved by it where another run has asked since, or where this one has acted on the answer before
    and was started again: a yes is for one resend.
    """
    kept = run.campaign.document.approval
    if kept is None or kept.asked_by != question.asked_by:
        return replace(question, resent_chunks=0)
    return kept if kept.decision is Decision.AWAITED else replace(kept, resent_chunks=0)


def _write_unapproved(run: CampaignRun, plan: FrozenPlan, question: Approval) -> None:
    """Write the results of a run that nobody answers: no process of ours may be there to write them then."""
    waited = in_words(run.config.approval_timeout)
    message = (
        f"nobody has approved it yet; without an answer in {waited} it counts as declined. {_sent(question)} was sent."
    )
    write_campaign_results(run, plan, 0, Stop(StopCause.DECLINED, message))
    run.campaign.update(approval=question)


def _act_on(run: CampaignRun, plan: FrozenPlan, question: Approval, answer: Answer) -> RemainingChunks:
    # Others may have sent some of it while somebody was asked.
    remaining = read_ledger(run, plan, after_canary=question.after_canary)
    if answer.decision is Decision.APPROVED and not question.covers(remaining, run.config.fingerprint()):
        answer = Answer(
            Decision.DECLINED, NOBODY, f"{answer.by} approved it, but there is more to send now than was shown"
        )
    run.campaign.update(approval=replace(question, decision=answer.decision, by=answer.by, note=answer.note, at=_now()))
    if answer.decision is Decision.APPROVED:
        get_run_logger().info("%s: approved by %s %s", run.campaign.id, answer.by, answer.note)
        return remaining
    who = answer.note if answer.by == NOBODY else f"by {answer.by} {answer.note}"
    sent = _sent(question).lower()
    run.stop.set(Stop(StopCause.DECLINED, f"{who}; {sent} was sent. Run the campaign again to be asked again."))
    return NOTHING


def _sent(question: Approval) -> str:
    return "Nothing but the canary" if question.after_canary else "Nothing"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
