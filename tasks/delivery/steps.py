"""The steps of a tracking, each a thin Prefect task over the modules that do the work."""

import time
from datetime import timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.delivery.outcome import TrackingOutcome
from tasks.delivery.report import write_delivery_report
from tasks.delivery.rewriting import rewrite_results
from tasks.delivery.settling import Settled, settle
from tasks.delivery.tracked import Tracked, Watch
from tasks.delivery.tracking import Progress
from tasks.errors import CampaignBusyError
from tasks.origins import WithoutOrigins

_PATIENCE_SECONDS = 30.0


@task(name="read-delivery-receipts", cache_policy=NO_CACHE, persist_result=False)
@WithoutOrigins()
def read_delivery_receipts(tracked: Tracked) -> Settled:
    """Read the receipts that were not read before into the archive, and say what they settle and leave open."""
    order = tracked.order
    return settle(
        tracked.folder,
        tracked.archive,
        order.receipts,
        campaign=order.campaign,
        s3=tracked.s3,
        scratch=tracked.scratch,
        settle_after=timedelta(hours=order.settle_after),
    )


@task(name="query-gateway", cache_policy=NO_CACHE, persist_result=False)
@WithoutOrigins()
def query_gateway(tracked: Tracked, watch: Watch) -> Progress:
    """Ask for every message that has not come to its end; with `no_query` ask nothing."""
    if tracked.order.no_query:
        return Progress(open=0)
    messages = tracked.open_messages()
    if messages.is_empty():
        return Progress(open=0)
    return tracked.ask(messages, watch)


@task(name="write-deliveries", cache_policy=NO_CACHE, persist_result=False)
@WithoutOrigins()
def write_deliveries(tracked: Tracked, settled: Settled, progress: Progress) -> TrackingOutcome:
    """Write what is known into the results, put the delivery report's picture beside them, and sum it up.

    A campaign that is being sent is left alone: its own run writes what the archive holds when it ends.
    """
    order = tracked.order
    try:
        rewritten = rewrite_results(tracked.store, order.campaign, tracked.scratch, patience=_PATIENCE_SECONDS)
    except CampaignBusyError:
        rewritten = report = None
    else:
        report = write_delivery_report(tracked.folder, order.campaign, rewritten.path, tracked.scratch)
    return TrackingOutcome(
        campaign=order.campaign,
        uri=f"{tracked.folder.uri}/results.parquet",
        counts={} if rewritten is None else rewritten.counts,
        deliveries=progress.learnt | {"pending": progress.open} if rewritten is None else rewritten.deliveries,
        settled=settled,
        report=report,
        other_numbers=None if rewritten is None else rewritten.other_numbers,
        queries=progress.asked,
        learnt=progress.final,
        seconds=time.monotonic() - tracked.began,
        stopped=progress.stopped,
        cancelled=tracked.cancelled,
        rewritten=rewritten is not None,
    )
