"""Run a campaign or a tracking in this process, at once: without a Prefect server, and without importing Prefect.

It's the run that `flows.send_campaign` records on a server: the same steps, by another `Executor`.
"""

from datetime import UTC, datetime

from globe_sms.flows.observers.outlet_threads import OutletThreads
from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.flows.orchestration.executor import Executor
from globe_sms.flows.orchestration.run_campaign import run_campaign
from globe_sms.flows.orchestration.run_tracking import run_tracking
from globe_sms.flows.orchestration.sigterm import raise_on_sigterm
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome


def send_without_server(config: CampaignConfig, *outlets: RunObserver) -> CampaignReport:
    """Send a campaign, or resume it, and return its report, however it ended; see `run_campaign`."""
    started = config.model_copy(update={"scheduled": datetime.now(UTC)})
    with raise_on_sigterm(), OutletThreads(outlets) as observer:
        return run_campaign(started, Executor(observer))


def track_without_server(config: TrackingConfig, *outlets: RunObserver) -> TrackingOutcome:
    """Track a campaign's messages, and return the outcome, however it ended; see `run_tracking`."""
    with raise_on_sigterm(), OutletThreads(outlets) as observer:
        return run_tracking(config, Executor(observer))
