"""How a command ends, as design.md numbers it."""

from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.vocabulary.stop_signal import StopCause

EXIT_SETTLED = 0
EXIT_STOPPED = 1
EXIT_INPUT = 2
EXIT_OPEN = 3


def exit_code(report: CampaignReport) -> int:
    """Say the run's end as design.md's exit code."""
    if report.stop is not None and report.stop.cause is not StopCause.DECLINED:
        return EXIT_STOPPED
    return EXIT_SETTLED if report.settled else EXIT_OPEN
