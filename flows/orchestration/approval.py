"""Have a campaign approved before its first call: whether somebody must be asked, and what the answer means.

How somebody is asked is in `ask_for_approval`, the form in Prefect in `approval_form`.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from globe_sms.flows.orchestration.approval_page import Stage
from globe_sms.flows.orchestration.ask_for_approval import ApprovalRequest, only_sent
from globe_sms.flows.orchestration.executor import Executor
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
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.steps.read_ledger import read_ledger
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


def approve(
    run: CampaignRun,
    plan: FrozenPlan,
    remaining: RemainingChunks,
    preview: Preview,
    executor: Executor,
) -> RemainingChunks:
    """Return what may be sent: everything that's left, or nothing, with the reason in the run's stop.

    With a canary it's called twice: before the canary, and for the others once the canary's outcome is in `preview`.
    It doesn't ask again about what an earlier run had approved, or about what is past its end (`--until`).
    While somebody is asked, other runs may take the campaign.

    Raises:
        InputError: somebody must be asked, but nobody can be.
        CampaignBusyError: another run has taken the campaign in the meantime.
        AnswerNeededError: the run must be suspended; the answer starts it again from the top.
    """
    is_for_later = remaining.is_after_canary and preview.canary is None
    if run.config.dry_run or run.has_ended or is_for_later or not remaining.chunks:
        return remaining
    if remaining.begins_with_canary and _asked_earlier(run, executor, Stage.AFTER_CANARY):
        return executor.call(
            read_ledger, run, plan, after_canary=True
        )  # this run has sent its canary and asked about the others
    stage = Stage.FIRST if preview.canary is None else Stage.AFTER_CANARY
    if _asked_earlier(run, executor, stage):
        question = _question_of_suspended_run(run, remaining, executor, stage)
        request = ApprovalRequest(run, plan, preview, question, stage, executor)
        return _act_on(request, request.answer_of_suspended_run())
    if approved_before(run.campaign.document.approval, run.campaign.document.content, remaining):
        executor.log.info("%s: approved earlier, so nobody is asked", run.campaign.id)
        return remaining
    required = must_ask(run.config, remaining, run.campaign.document.approval)
    ask_here = executor.observer.question(required=required)
    if ask_here is None and not required:
        return remaining
    question = _new_question(run, remaining, executor, stage)
    request = ApprovalRequest(run, plan, preview, question, stage, executor)
    answer = request.ask_here(ask_here) if ask_here is not None else request.ask_in_prefect()
    return _act_on(request, answer)


def _asked_earlier(run: CampaignRun, executor: Executor, stage: Stage) -> bool:
    """Whether this flow run was suspended with this question about this plan; then only its own answer counts."""
    page = executor.approval_page
    return page is not None and may_ask(run.config) and page.was_suspended(stage.key(run.campaign.document.content))


def _new_question(run: CampaignRun, remaining: RemainingChunks, executor: Executor, stage: Stage) -> Approval:
    return Approval(
        decision=Decision.AWAITED,
        by="",
        note="",
        at=_now(),
        numbers=remaining.numbers,
        resent_chunks=len(remaining.resent),
        content=run.campaign.document.content,
        asked_by=executor.flow_run or run.campaign.owner.run,
        after_canary=stage is Stage.AFTER_CANARY,
        until=_in(run.config.approval_timeout),
    )


def _question_of_suspended_run(
    run: CampaignRun, remaining: RemainingChunks, executor: Executor, stage: Stage
) -> Approval:
    """Return what this run asked before it was suspended.

    The answer covers a resend once: not if another run has asked since, nor if this run has acted on it before.
    """
    kept = run.campaign.document.approval
    new = _new_question(run, remaining, executor, stage)
    if kept is None or kept.asked_by != new.asked_by:
        return replace(new, resent_chunks=0)
    return kept if kept.decision is Decision.AWAITED else replace(kept, resent_chunks=0)


def _act_on(request: ApprovalRequest, answer: Answer) -> RemainingChunks:
    """Keep the answer with the campaign; after anything but a yes that covers what's left, stop the run."""
    run, question, executor = request.run, request.question, request.executor
    # Others may have sent some meanwhile.
    remaining = executor.call(read_ledger, run, request.plan, after_canary=question.after_canary)
    if answer.decision is Decision.APPROVED and not question.covers(remaining, run.campaign.document.content):
        note = f"{answer.by} approved it, but now there's more to send than the question said"
        answer = Answer(Decision.DECLINED, NOBODY, note)
    executor.observer.answered(answer)
    run.campaign.update(approval=replace(question, decision=answer.decision, by=answer.by, note=answer.note, at=_now()))
    if answer.decision is Decision.APPROVED:
        return remaining
    who = answer.note if answer.by == NOBODY else f"by {answer.by} {answer.note}"
    message = f"{who}; {only_sent(question).lower()} was sent. Run the campaign again to be asked again."
    run.stop.set(Stop(StopCause.DECLINED, message))
    return NOTHING


def _now() -> str:
    return _in(0)


def _in(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
