"""The step that writes the results: plan and ledger joined, and the campaign summed up."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from globe_sms.tasks.campaign.campaign_json import Summary
from globe_sms.tasks.campaign.options.left_out import OnUnknown
from globe_sms.tasks.campaign.results_schema import FAILURES_KEY, RESULTS_KEY
from globe_sms.tasks.campaign.until import NO_END
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.left_out import LeftOutFigures
from globe_sms.tasks.policy.count_usage import count_usage
from globe_sms.tasks.policy.in_words import show_policy
from globe_sms.tasks.publishing.publish import Publisher, partition_uris
from globe_sms.tasks.reports.campaign_figures import count_figures
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.cost import cost_of
from globe_sms.tasks.reports.failures_csv import has_failures, write_failures
from globe_sms.tasks.reports.row_numbers import RowNumbers
from globe_sms.tasks.results.canary import Canary, count_canary
from globe_sms.tasks.results.join_plan_and_ledger import presented_rows
from globe_sms.tasks.results.left_out_rows import left_out_since
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.store.store_retries import store_retries
from globe_sms.tasks.vocabulary.errors import LeaseLostError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


@redact_errors()
def write_campaign_results(
    run: CampaignRun, plan: FrozenPlan, resent: int, waiting: Stop | None = None
) -> CampaignReport:
    """Join plan and ledger into results.parquet, put it beside them, and sum the campaign up in campaign.json.

    `waiting` is what the run waits for before it sends anything; it may wait for ever.

    Raises:
        LeaseLostError: another run has taken the campaign over.
        StoreError: the results are written, but not the table that all campaigns share.
    """
    stop = run.stop.stop or waiting
    if stop is not None and stop.cause is StopCause.LEASE_LOST:
        raise LeaseLostError(stop.message)  # the run that took over writes the results
    path, counts = account_for(
        plan,
        run.ledger,
        run.store,
        run.scratch,
        campaign=run.campaign.id,
        not_sent="dry_run" if run.config.dry_run else _left(run) if stop is None else str(stop.cause),
        segments=run.config.wording.parts,
        excluded=run.exclusions.current,
        resends=run.config.on_unknown is OnUnknown.RESEND,
    )
    stop = stop_that_counts(stop, counts[Status.NOT_SENT] - run.campaign.document.held_out)
    store_retries()(run.campaign.renew)  # a run that lost the lease may have another plan's rows
    publisher = Publisher(run.resources.store, run.resources.s3, run.scratch)
    published = publisher.tables_of(
        run.campaign.document, None if run.config.dry_run else run.config.publish, run.config.publish_numbers
    )
    if published != run.campaign.document.published:
        run.campaign.update(published=published)
    store_retries()(run.store.put_file, RESULTS_KEY, path)
    _write_failures(run, path, counts)
    snapshot = run.progress.snapshot
    planned = {} if run.campaign.document.plan is None else run.campaign.document.plan.rows
    report = CampaignReport(
        campaign=run.campaign.id,
        uri=f"{run.store.uri}/{RESULTS_KEY}",
        counts=counts,
        figures=count_figures(path, by_variant=bool(run.config.variants)),
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
        schedule=run.resources.schedule_to_show() if snapshot.calls else None,
        readings=run.campaign.document.readings,
        published=partition_uris(run.campaign.document),
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
    publisher.publish(run.campaign, path)
    return report


def stop_that_counts(stop: Stop | None, left: int) -> Stop | None:
    """Return why the run has stopped; None if it was cancelled, or its worker killed, with no row left to send."""
    came_late = stop is not None and stop.cause is StopCause.CANCELLED and not left
    return None if came_late else stop


def _write_failures(run: CampaignRun, results: Path, counts: Mapping[str, int]) -> None:
    """Put the failures beside the results, or take away those of an earlier run."""
    if not has_failures(counts):
        store_retries()(run.store.delete, FAILURES_KEY)
        return
    path = run.scratch / FAILURES_KEY
    write_failures(results, RowNumbers.of(run.campaign.document.readings), path)
    store_retries()(run.store.put_file, FAILURES_KEY, path)


def _left(run: CampaignRun) -> str:
    """Return why a run that nothing stopped has left rows."""
    if run.config.quiet_hours is None:
        return "stopped" if run.end is NO_END else RowReason.EXPIRED
    return RowReason.EXPIRED if run.has_ended or run.end.hours is not None else RowReason.QUIET_HOURS


def _canary_of(results: Path, plan: FrozenPlan, numbers: int) -> Canary | None:
    chunks = plan.canary_chunks(numbers) if numbers else 0
    return count_canary(pl.scan_parquet(results, glob=False), chunks) if chunks else None
