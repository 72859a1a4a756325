"""The steps of a campaign, each a thin Prefect task over the modules that do the work."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl
from prefect import task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Completed

from globe_sms.tasks.campaign.campaign_json import ListRead, NoLists, PlanFigures, Summary, plan_key
from globe_sms.tasks.campaign.options.left_out import OnUnknown
from globe_sms.tasks.campaign.remaining_chunks import NOTHING, RemainingChunks
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.campaign.until import NO_END
from globe_sms.tasks.campaign_run import CampaignRun
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.messages import parts_of
from globe_sms.tasks.pacing.schedule_state import ScheduleState
from globe_sms.tasks.planning.exclusions import take_off
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.hours_forecast import HoursForecast, forecast_hours
from globe_sms.tasks.planning.left_out import LeftOutFigures
from globe_sms.tasks.planning.make_plan import find_campaign_lists, make_plan
from globe_sms.tasks.planning.plan_inputs import find_plan_inputs
from globe_sms.tasks.policy.amounts import Amounts
from globe_sms.tasks.policy.budgets import refusals
from globe_sms.tasks.policy.check_budgets import count_budgets, wanted_amounts
from globe_sms.tasks.policy.count_usage import count_usage
from globe_sms.tasks.policy.frozen_hours import check_frozen_hours
from globe_sms.tasks.policy.in_words import show_policy
from globe_sms.tasks.policy.left_out_now import also_too_often
from globe_sms.tasks.policy.reserve import BudgetReservation
from globe_sms.tasks.policy.tighten import planning_digest
from globe_sms.tasks.recipients import ListReading, ListSource
from globe_sms.tasks.reports.campaign_figures import count_figures
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.cost import cost_of
from globe_sms.tasks.reports.plan_changes import plan_changes
from globe_sms.tasks.reports.preview import Preview, make_preview
from globe_sms.tasks.reports.repeated_texts import count_repeats
from globe_sms.tasks.results.canary import Canary, count_canary, read_canary, stop_for
from globe_sms.tasks.results.join_plan_and_ledger import presented_rows
from globe_sms.tasks.results.left_out_rows import left_out_since
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.sending.chunk_reader import stop_for_unreadable
from globe_sms.tasks.sending.failure_limit import FEWEST_FOR_A_FAILURE_RATE
from globe_sms.tasks.sending.find_remaining import find_remaining
from globe_sms.tasks.sending.shard import Shard
from globe_sms.tasks.store.store_retries import store_retries
from globe_sms.tasks.vocabulary.errors import InputError, LeaseLostError, StoreError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause

_STORE_PATIENCE = 120.0
_GRACE_SECONDS = 15.0
CANCELLED: Final = "The run was cancelled ({kind}). Run the same campaign again to go on."


@task(name="plan-campaign", cache_policy=NO_CACHE, persist_result=False)
@redact_errors()
def plan_campaign(run: CampaignRun) -> FrozenPlan:
    """Load the campaign's plan; make it (again) if it isn't frozen and was made of anything else than there is now.

    Raises:
        InputError: a list can't be read, and the plan isn't frozen; or the frozen plan is gone.
        LeaseLostError: another run has taken the campaign over.
    """
    document = run.campaign.document
    if document.sending_since is not None:
        plan = _frozen_plan(run)
        check_frozen_hours(plan, run.config.quiet_hours, run.policy, run.campaign.id)
        return plan
    sources = run.sources or find_campaign_lists(run.config, run.resources.s3)
    lists = tuple(ListRead(uri=source.uri, identity=source.identity) for source in sources)
    settings = run.config.frozen_settings()
    inputs = find_plan_inputs(run.config, run.resources.s3, policy=planning_digest(run.policy))
    if document.plan is not None and (document.settings, document.lists, document.plan.inputs) == (
        settings,
        lists,
        inputs,
    ):
        plan = FrozenPlan.load(run.campaign.use_plan().id, run.store, run.scratch)
        # Who has the text changes with time: those who were left out may get it now, and others may have it.
        changes = bool(document.plan.repeats) or run.counts_frequency
        if plan is not None and not changes and not run.repeats.find(plan.scan_numbers(), run.scratch):
            return plan
    plan, read = make_plan(
        run.config,
        run.store,
        run.resources.s3,
        run.scratch,
        sources=sources,
        overrides=run.tables.overrides,
        own=run.tables.own,
        opt_outs=run.opt_outs,
        find_repeats=also_too_often(run.repeats.find, run.too_often),
    )
    run.exclusions.planned_with(run.opt_outs.read_files)
    rows = plan.counts()
    figures = PlanFigures(
        id=plan.id,
        inputs=inputs,
        rows=rows,
        chunks=plan.chunk_count(),
        repeats=sum(count_repeats(plan.scan()).values()) if Status.SUPPRESSED in rows else 0,
        numbers_override=run.tables.overrides.mobile or None,
        readings=tuple(source.reading for source in read if source.reading is not None),
    )
    run.campaign.adopt(figures, settings, lists)
    passed_over = _passed_over(sources)
    if passed_over != run.campaign.document.passed_over:
        run.campaign.update(passed_over=passed_over)
    return plan


def _frozen_plan(run: CampaignRun) -> FrozenPlan:
    plan_id = run.campaign.use_plan().id
    plan = FrozenPlan.load(plan_id, run.store, run.scratch)
    if plan is None:
        raise InputError(
            f"{run.store.uri}/{plan_key(plan_id)} is gone, and the campaign is being sent from this plan: restore the "
            "object, or send under another --campaign with --exclude-results for those who have the text."
        )
    return plan


def _passed_over(sources: Sequence[ListSource]) -> tuple[NoLists, ...]:
    found = [source.passed_over for source in sources if source.passed_over is not None]
    return tuple(NoLists(uri=each.uri, count=each.count, names=each.names) for each in found)


@task(name="read-ledger", cache_policy=NO_CACHE, persist_result=False)
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
    text = run.config.wording.text
    remaining = find_remaining(
        plan,
        run.ledger,
        DeliveryArchive(run.store, run.scratch).taken_submissions(run.campaign.id),
        resend=run.config.on_unknown is OnUnknown.RESEND,
        canary=plan.canary_chunks(run.config.canary_numbers) if run.config.canary_numbers else 0,
        after_canary=after_canary,
        parts=pl.sum("segments") if text is None else pl.len() * parts_of(text),
    )
    remaining = take_off(remaining, plan, excluded, segments=None if text is None else parts_of(text))
    run.progress.expect(run.progress.snapshot.done + remaining.numbers)
    return remaining


def leave_out_now(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> RemainingChunks:
    """Look again at what keeps people out, and return what is left without chunks that have lost all their numbers.

    If it's unknown who must not be texted, the run stops.
    """
    before = run.exclusions.current
    try:
        now = store_retries(_STORE_PATIENCE)(run.exclusions.look, plan)
    except InputError as error:
        run.stop.set(stop_for_unreadable(error))
        return remaining
    if now is before:
        return remaining
    text = run.config.wording.text
    left = take_off(remaining, plan, now, segments=None if text is None else parts_of(text))
    run.progress.expect_fewer(max(0, sum(left.left_out.values()) - sum(remaining.left_out.values())))
    return replace(remaining, chunks=left.chunks)


def _send_run_name() -> str:
    from prefect.runtime import task_run

    indexes = task_run.parameters["indexes"]
    return f"send-{indexes[0]}" if len(indexes) == 1 else f"send-{indexes[0]}-to-{indexes[-1]}"


@task(name="send-chunks", task_run_name=_send_run_name, cache_policy=NO_CACHE, persist_result=False)
@redact_errors()
def send_chunks(indexes: tuple[int, ...], shard: Shard) -> State:
    """Send chunks: turn, claim, call, send record for each. Prefect never retries it: the ledger decides what may be.

    Prefect carries the chunks' numbers only; what is sent is read from the plan.
    """
    outcome = shard.send(indexes)
    return Completed(name=outcome.name, message=outcome.message)


def send_shard(shard: Shard) -> None:
    """Map `send_chunks` over a shard, a second of turns at a time.

    Whatever interrupts it (Ctrl-C, SIGTERM, a cancelled flow run) stops the sending: no new call starts, calls in
    the air get 15 seconds to end and are recorded as unknown after that. Returns in both cases.
    """
    shard.began = True
    runs: list[PrefectFuture[State]] = []
    try:
        for window in shard.windows():
            runs.extend(send_chunks.map(window, unmapped(shard)))
        wait(runs)
    except BaseException as error:  # noqa: BLE001  # also Prefect's termination signal and Ctrl-C; nothing is hidden
        shard.stop(Stop(StopCause.CANCELLED, CANCELLED.format(kind=type(error).__name__)))
        if wait(runs, timeout=_GRACE_SECONDS).not_done:
            shard.abort()
            wait(runs, timeout=_GRACE_SECONDS)


@task(name="check-canary", cache_policy=NO_CACHE, persist_result=False)
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


@task(name="preview-campaign", cache_policy=NO_CACHE, persist_result=False)
@redact_errors()
def preview_campaign(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> Preview:
    """Count what the plan would do, what is left of it for this run, and what changed since the last plan."""
    document = run.campaign.document
    read = document.lists
    budgets = count_budgets(run.policy, run.place_results, run.tables.budget_prices)
    preview = make_preview(
        plan,
        run.config,
        campaign=run.campaign.id,
        lists=run.config.recipients if read is None else tuple(found.uri for found in read),
        passed_over=run.campaign.document.passed_over,
        numbers=remaining.numbers,
        parts=remaining.parts,
        prices=run.tables.prices,
        calls=len(remaining.chunks),
        resent_chunks=len(remaining.resent),
        hours_forecast=_hours_forecast(run, plan, remaining),
        canary_first=run.config.canary_numbers if remaining.begins_with_canary else None,
        is_earlier=document.sending_since is not None,
        changes=plan_changes(document),
        gateway=_gateway(run),
        left_out=LeftOutFigures(run.opt_outs.passed_over, remaining.left_out),
        end=run.end,
        now=time.time(),
        policy=show_policy(run.policy, plan.scan(), (budget.left() for budget in budgets)),
        exceeded_budgets=refusals(budgets, _wanted(run, plan, remaining)),
        readings=_readings(run),
        schedule=_schedule(run),
    )
    if document.replaced is not None:
        run.campaign.update(replaced=None)
    return preview


def reserve_budgets(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> BudgetReservation:
    """Return what reserves what's left to send in the policy's budgets, once the stretch of sending begins."""
    wanted = _wanted(run, plan, remaining)
    return BudgetReservation(run.policy, run.place_results, run.tables.budget_prices, run.campaign.id, wanted)


def _wanted(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> Amounts:
    text = run.config.wording.text
    return wanted_amounts(plan, remaining, run.tables.budget_prices, None if text is None else parts_of(text))


def _readings(run: CampaignRun) -> tuple[tuple[str, ListReading], ...]:
    """Return what was read of each list, as campaign.json keeps it."""
    document = run.campaign.document
    readings = () if document.plan is None else document.plan.readings
    return tuple((found.uri, reading) for found, reading in zip(document.lists or (), readings, strict=False))


def _gateway(run: CampaignRun) -> str | None:
    try:
        return str(run.resources.account.endpoint())
    except InputError:  # a dry run needs none
        return None


def _hours_forecast(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> HoursForecast | None:
    hours = run.config.quiet_hours
    return (
        None
        if hours is None or plan.layout is None
        else forecast_hours(plan.layout, remaining.chunks, hours, time.time())
    )


def check_caps(run: CampaignRun, preview: Preview) -> None:
    """Refuse a campaign that breaks a cap; a dry run only says so in its preview.

    Raises:
        InputError: it breaks one; this run has sent nothing.
    """
    if preview.exceeded_limits and not run.config.dry_run:
        raise InputError(
            "\n".join(f"campaign {run.campaign.id!r} is not sent: {limit}" for limit in preview.exceeded_limits)
        )


@task(name="write-results", cache_policy=NO_CACHE, persist_result=False)
@redact_errors()
def write_campaign_results(
    run: CampaignRun, plan: FrozenPlan, resent: int, waiting: Stop | None = None
) -> CampaignReport:
    """Join plan and ledger into results.parquet, put it beside them, and sum the campaign up in campaign.json.

    `waiting` is what the run waits for before it sends anything; it may wait for ever.

    Raises:
        LeaseLostError: another run has taken the campaign over.
    """
    stop = run.stop.stop or waiting
    if stop is not None and stop.cause is StopCause.LEASE_LOST:
        raise LeaseLostError(stop.message)  # the run that took over writes the results
    text = run.config.wording.text
    path, counts = account_for(
        plan,
        run.ledger,
        run.store,
        run.scratch,
        campaign=run.campaign.id,
        not_sent="dry_run" if run.config.dry_run else _left(run) if stop is None else str(stop.cause),
        segments=None if text is None else parts_of(text),
        excluded=run.exclusions.current,
        resends=run.config.on_unknown is OnUnknown.RESEND,
    )
    store_retries(_STORE_PATIENCE)(run.campaign.renew)  # a run that lost the lease may have another plan's rows
    store_retries(_STORE_PATIENCE)(run.store.put_file, RESULTS_KEY, path)
    snapshot = run.progress.snapshot
    planned = {} if run.campaign.document.plan is None else run.campaign.document.plan.rows
    report = CampaignReport(
        campaign=run.campaign.id,
        uri=f"{run.store.uri}/{RESULTS_KEY}",
        counts=counts,
        figures=count_figures(path),
        calls=snapshot.calls,
        throttled=snapshot.throttled,
        resent=resent,
        seconds=run.progress.seconds,
        rate=snapshot.rate,
        dry_run=run.config.dry_run,
        stop=stop,
        costs=None if run.tables.prices is None else cost_of(presented_rows(path), run.tables.prices),
        s3=run.resources.s3,
        senders=run.config.senders,
        canary=_canary_of(path, plan, run.config.canary_numbers),
        policy=show_policy(run.policy, pl.scan_parquet(path, glob=False)),
        left_out=LeftOutFigures(run.opt_outs.passed_over, left_out_since(plan, path, counts, planned)),
        call_size=run.call_size.found,
        rate_advice=_rate_advice(run) if snapshot.throttled else None,
        readings=_readings(run),
    )
    run.campaign.update(
        summary=Summary(
            **report.summary(),
            throttled=report.throttled,
            resent_chunks=report.resent,
            stopped=None if stop is None else stop.message,
            ended_at=datetime.now(UTC).replace(microsecond=0),
        ),
        usage=count_usage(pl.scan_parquet(path, glob=False), run.store, run.tables.budget_prices or run.tables.prices),
    )
    return report


def _schedule(run: CampaignRun) -> ScheduleState | None:
    """Return the account's schedule as it stands, or None: what is only told stops no campaign."""
    with contextlib.suppress(InputError, StoreError):
        return run.resources.schedule_state(run.resources.credentials())
    return None


def _rate_advice(run: CampaignRun) -> str | None:
    schedule = _schedule(run)
    return None if schedule is None else schedule.advice()


def _left(run: CampaignRun) -> str:
    """Return why a run that nothing stopped has left rows."""
    if run.config.quiet_hours is None:
        return "stopped" if run.end is NO_END else RowReason.EXPIRED
    return RowReason.EXPIRED if run.has_ended or run.end.hours is not None else RowReason.QUIET_HOURS


def _canary_of(results: Path, plan: FrozenPlan, numbers: int) -> Canary | None:
    chunks = plan.canary_chunks(numbers) if numbers else 0
    return count_canary(pl.scan_parquet(results, glob=False), chunks) if chunks else None
