"""The steps of a campaign, each a thin Prefect task over the modules that do the work."""

import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE

from globe_sms.tasks.campaign.ledger import ChunkState, History
from globe_sms.tasks.campaign.option_groups import OnUnknown
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.campaign_run import CampaignRun
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.messages import parts_of
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.hours_forecast import HoursForecast, forecast_hours
from globe_sms.tasks.planning.make_plan import plan_lists
from globe_sms.tasks.reports.campaign_figures import count_figures
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.preview import Preview, make_preview
from globe_sms.tasks.reports.prices import cost_of
from globe_sms.tasks.results.account_rows import account_for
from globe_sms.tasks.results.canary import FAILED_KEY, Canary, count_canary, read_canary, stop_for
from globe_sms.tasks.results.join import RESULTS_KEY, presented_rows
from globe_sms.tasks.sending.sender import JUDGED_AFTER
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError, LeaseLostError, StoreUnavailableError
from globe_sms.tasks.vocabulary.redact_errors import RedactErrors
from globe_sms.tasks.vocabulary.statuses import QUIET_HOURS
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause

_STORE_PATIENCE = 120.0


@task(name="plan-campaign", cache_policy=NO_CACHE, persist_result=False)
@RedactErrors()
def plan_campaign(run: CampaignRun) -> FrozenPlan:
    """Read the lists, judge every row, mark duplicates, cut chunks, freeze; or load what was frozen before.

    Raises:
        InputError: a list cannot be read as it stands; nothing was frozen.
    """
    frozen = FrozenPlan.load(run.config.fingerprint(), run.store, run.scratch)
    if frozen is None:
        frozen, sources = plan_lists(
            run.config, run.store, run.s3, run.scratch, sources=run.sources, overrides=run.overrides, own=run.own
        )
        run.campaign.update(lists=[{"uri": source.uri, "identity": source.identity} for source in sources])
    run.campaign.update(
        plan={
            "rows": frozen.counts(),
            "chunks": frozen.chunk_count(),
            "phonenumbers": frozen.phonenumbers,
            "numbers_override": dict(run.overrides.mobile) or None,
        }
    )
    return frozen


@task(name="read-ledger", cache_policy=NO_CACHE, persist_result=False)
@RedactErrors()
def read_ledger(run: CampaignRun, plan: FrozenPlan, *, after_canary: bool = False) -> RemainingChunks:
    """Say which chunks are left, or which of those after the canary, from two listings of the ledger.

    Of a chunk whose messages have a delivery the gateway is known to have taken it: it is never presented again.
    """
    run.ledger.recover()
    histories = run.ledger.histories()
    resend = run.config.on_unknown is OnUnknown.RESEND
    taken = DeliveryArchive(run.store, run.scratch).taken_chunks(run.campaign.id)
    canary = plan.canary_chunks(run.config.canary_numbers) if run.config.canary_numbers else 0
    states = {
        index: ChunkState.SETTLED if index in taken else histories.get(index, History()).state
        for index in range(canary if after_canary else 0, plan.chunk_count())
    }
    resent = tuple(index for index, state in states.items() if state is ChunkState.UNKNOWN and resend)
    wanted = {ChunkState.OPEN, ChunkState.UNKNOWN} if resend else {ChunkState.OPEN}
    chunks = tuple(index for index, state in states.items() if state in wanted)
    left = pl.LazyFrame({"chunk": chunks}, schema={"chunk": pl.UInt32})
    text = run.config.wording.text
    parts = pl.sum("segments") if text is None else pl.len() * parts_of(text)
    counted = plan.scan().join(left, on="chunk", how="semi").select(pl.len(), parts.cast(pl.UInt64).alias("parts"))
    numbers, wanted_parts = counted.collect(engine="streaming").row(0)
    run.progress.expect(run.progress.snapshot.done + numbers)
    return RemainingChunks(chunks, resent, histories, numbers, wanted_parts, canary)


@task(name="judge-canary", cache_policy=NO_CACHE, persist_result=False)
@RedactErrors()
def judge_canary(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, *, so_far: bool = False) -> Canary:
    """Say what became of the canary, and stop the run where too many of its numbers failed or are unknown.

    `so_far` says that more of it is to be sent: then it is judged like any campaign, after its first 1,000 numbers, or
    if it was found to have failed before.
    """
    canary = read_canary(plan, run.ledger, run.store, run.scratch, campaign=run.campaign.id, chunks=remaining.canary)
    if so_far and canary.presented < JUDGED_AFTER and not run.campaign.document.get(FAILED_KEY):
        return canary
    stop = stop_for(canary, run.config.max_failure_rate)
    if stop is not None:
        if canary.presented:
            run.campaign.update(**{FAILED_KEY: True})
        run.stop.say_of_failures(stop)
    return canary


@task(name="preview-campaign", cache_policy=NO_CACHE, persist_result=False)
@RedactErrors()
def preview_campaign(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> Preview:
    """Count what the plan would do, and what is left of it for this run."""
    lists = run.campaign.document.get("lists") or [{"uri": uri} for uri in run.config.recipients]
    return make_preview(
        plan,
        run.config,
        campaign=run.campaign.id,
        lists=tuple(str(found["uri"]) for found in lists),
        numbers=remaining.numbers,
        parts=remaining.parts,
        prices=run.prices,
        calls=len(remaining.chunks),
        resent_chunks=len(remaining.resent),
        hours_forecast=_outlook(run, plan, remaining),
        canary_first=run.config.canary_numbers if remaining.begins_with_canary else None,
        gateway=_gateway(run),
    )


def _gateway(run: CampaignRun) -> str | None:
    try:
        return str(run.account.endpoint())
    except InputError:  # a dry run needs none
        return None


def _outlook(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> HoursForecast | None:
    hours = run.config.quiet_hours
    return (
        None
        if hours is None or plan.layout is None
        else forecast_hours(plan.layout, remaining.chunks, hours, time.time())
    )


def check_caps(run: CampaignRun, preview: Preview) -> None:
    """Let a campaign pass that breaks no cap; a dry run only says so in its preview.

    Raises:
        InputError: it breaks one; this run has sent nothing.
    """
    if preview.broken_caps and not run.config.dry_run:
        raise InputError("\n".join(f"campaign {run.campaign.id!r} is not sent: {cap}" for cap in preview.broken_caps))


@task(name="write-results", cache_policy=NO_CACHE, persist_result=False)
@RedactErrors()
def write_campaign_results(
    run: CampaignRun, plan: FrozenPlan, resent: int, waiting: Stop | None = None
) -> CampaignReport:
    """Join plan and ledger into results.parquet, put it beside them, and sum the campaign up in campaign.json.

    `waiting` is what holds the run up before it has sent anything: the results of a run that may never go on.

    Raises:
        LeaseLostError: another run has taken the campaign over.
    """
    stop = run.stop.stop or waiting
    if stop is not None and stop.cause is StopCause.LEASE_LOST:
        raise LeaseLostError(stop.message)  # the results are for the run that took over to write
    left = "stopped" if run.config.quiet_hours is None else QUIET_HOURS
    text = run.config.wording.text
    path, counts = account_for(
        plan,
        run.ledger,
        run.store,
        run.scratch,
        campaign=run.campaign.id,
        not_sent="dry_run" if run.config.dry_run else left if stop is None else str(stop.cause),
        segments=None if text is None else parts_of(text),
    )
    _put(run.store, path)
    snapshot = run.progress.snapshot
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
        costs=None if run.prices is None else cost_of(presented_rows(path), run.prices),
        s3=run.s3,
        senders=run.config.senders,
        canary=_canary_of(path, plan, run.config.canary_numbers),
    )
    run.campaign.update(
        summary={
            **report.summary(),
            "throttled": report.throttled,
            "resent_chunks": report.resent,
            "stopped": None if stop is None else stop.message,
            "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )
    return report


def _canary_of(results: Path, plan: FrozenPlan, numbers: int) -> Canary | None:
    chunks = plan.canary_chunks(numbers) if numbers else 0
    return count_canary(pl.scan_parquet(results, glob=False), chunks) if chunks else None


def _put(store: Store, path: Path) -> None:
    deadline = time.monotonic() + _STORE_PATIENCE
    while True:
        try:
            return store.put_file(RESULTS_KEY, path)
        except StoreUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)
