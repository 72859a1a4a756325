"""The steps of a tracking, each thin over the modules that do the work."""

import time
from datetime import timedelta
from functools import partial

from globe_sms.tasks.campaign.senders import senders_of
from globe_sms.tasks.delivery.reconcile import Reconciled, reconcile
from globe_sms.tasks.delivery.rewrite_results import rewrite_results
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.presented_numbers import find_presented
from globe_sms.tasks.publishing.publish import Publisher
from globe_sms.tasks.reports.delivery_report import write_delivery_report
from globe_sms.tasks.reports.prices import read_prices
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.retention.purge import Purge, purge
from globe_sms.tasks.runs.tracking_run import TrackingRun, Watch
from globe_sms.tasks.vocabulary.errors import CampaignBusyError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_PATIENCE_SECONDS = 30.0


@redact_errors()
def read_delivery_receipts(tracked: TrackingRun) -> Reconciled:
    """Read the receipts that were not read before into the archive, and say what they settle and leave open."""
    config = tracked.config
    resources = tracked.resources
    others = PlaceResults(resources.store, resources.s3, tracked.scratch)
    return reconcile(
        tracked.folder,
        tracked.archive,
        config.receipts,
        campaign=config.campaign,
        s3=resources.s3,
        scratch=tracked.scratch,
        settle_after=timedelta(hours=config.settle_after),
        find_others=partial(find_presented, others, but=config.campaign),
    )


@redact_errors()
def query_gateway(tracked: TrackingRun, watch: Watch) -> TrackingProgress:
    """Ask about every message without a final state; with `no_query` ask nothing."""
    if tracked.config.no_query:
        return TrackingProgress(open=0)
    messages = tracked.open_messages()
    if messages.is_empty():
        return TrackingProgress(open=0)
    return tracked.ask(messages, watch)


@redact_errors()
def purge_old_campaigns(tracked: TrackingRun) -> Purge | None:
    """Erase the campaigns of the results folder that the policy no longer keeps; None if it keeps all."""
    seconds = None if tracked.policy is None else tracked.policy.rules.purge_after_seconds
    if seconds is None:
        return None
    resources = tracked.resources
    return purge(resources.store, timedelta(seconds=seconds), tracked.scratch, apply=True, s3=resources.s3)


@redact_errors()
def write_deliveries(tracked: TrackingRun, settled: Reconciled, progress: TrackingProgress) -> TrackingOutcome:
    """Write what is known into the results, put the delivery report's picture beside them, and sum it up.

    A campaign that is being sent is left alone: its own run writes the archived states when it ends.
    """
    config = tracked.config
    try:
        rewritten = rewrite_results(
            tracked.resources.store,
            config.campaign,
            tracked.scratch,
            patience=_PATIENCE_SECONDS,
            publish=Publisher(tracked.resources.store, tracked.resources.s3, tracked.scratch).publish,
        )
    except CampaignBusyError:
        rewritten = report = None
    else:
        rules = None if tracked.policy is None else tracked.policy.rules
        settings = tracked.settings
        report = write_delivery_report(
            tracked.folder,
            config.campaign,
            rewritten.path,
            tracked.scratch,
            prices=read_prices(config.prices or (None if rules is None else rules.prices), tracked.resources.s3),
            senders=senders_of(settings.get("sender_id"), settings.get("sender_by_country") or ()),
            by_variant=bool(settings.get("variant")),
        )
    return TrackingOutcome(
        campaign=config.campaign,
        uri=f"{tracked.folder.uri}/results.parquet",
        counts={} if rewritten is None else rewritten.counts,
        deliveries=progress.learned | {"pending": progress.open} if rewritten is None else rewritten.deliveries,
        settled=settled,
        report=report,
        other_numbers=None if rewritten is None else rewritten.other_numbers,
        queries=progress.asked,
        learned=progress.final,
        seconds=time.monotonic() - tracked.began,
        stopped=progress.stopped,
        cancelled=tracked.cancelled,
        rewritten=rewritten is not None,
        least_delivered=None if tracked.policy is None else tracked.policy.rules.least_delivered,
    )
