"""The steps of a tracking in their order, the same for a flow run and for a run without a Prefect server."""

from dataclasses import replace

from globe_sms.flows.orchestration.executor import Executor
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.runs.tracking_run import open_tracking
from globe_sms.tasks.steps.track_delivery import (
    purge_old_campaigns,
    query_gateway,
    read_delivery_receipts,
    write_deliveries,
)


def run_tracking(config: TrackingConfig, executor: Executor) -> TrackingOutcome:
    """Read receipts, ask about open messages, and write what is known into the results; return it, however it ended.

    Raises:
        InputError: the input or the configuration is wrong.
        StoreError: what was learned couldn't be kept.
    """
    observer = executor.observer
    observer.step("checking the campaign and the credentials")
    with open_tracking(config) as tracked:
        observer.opened(config.campaign)
        observer.step("reading delivery receipts")
        settled = executor.call(read_delivery_receipts, tracked)
        observer.step("asking the gateway about open messages")
        progress = executor.call(query_gateway, tracked, observer.tracking)
        observer.step("writing the results")
        outcome = executor.call(write_deliveries, tracked, settled, progress)
        purged = executor.call(purge_old_campaigns, tracked)
    outcome = replace(outcome, purged=purged)
    observer.tracked(outcome, progress)
    return outcome
