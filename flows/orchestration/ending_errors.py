"""The errors that Python callers get for campaigns and trackings that ended early or in vain."""

from globe_sms.tasks.reports.campaign_outcome import Ending
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.vocabulary.errors import AllFailedError, CampaignStoppedError, GlobeSmsError, TrackingStoppedError


def error_of_campaign(report: CampaignReport) -> GlobeSmsError | None:
    """Return the error for a campaign that stopped, was declined or cancelled, or failed for everybody; else None."""
    counts = report.sentence()
    if report.ending is Ending.ALL_FAILED:
        return AllFailedError(counts, report)
    if report.ending in {Ending.STOPPED, Ending.DECLINED, Ending.CANCELLED}:
        return CampaignStoppedError(counts if report.stop is None else f"{report.stop.message} ({counts})", report)
    return None


def error_of_tracking(outcome: TrackingOutcome) -> TrackingStoppedError | None:
    """Return the error for a tracking that stopped before its end; else None."""
    if outcome.stopped is None:
        return None
    return TrackingStoppedError(f"{outcome.stopped} ({outcome.sentence()})", outcome)
