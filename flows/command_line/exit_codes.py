"""The exit codes of the commands."""

from typing import Final

from globe_sms.tasks.reports.campaign_outcome import Ending
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome

EXIT_SETTLED: Final = 0
EXIT_STOPPED: Final = 1
EXIT_INPUT: Final = 2
EXIT_OPEN: Final = 3


def exit_code(report: CampaignReport) -> int:
    """Return the exit code of `send`: 0 settled, 1 stopped or all failed, 3 rows unknown or not sent."""
    if report.ending in {Ending.STOPPED, Ending.CANCELLED, Ending.ALL_FAILED}:
        return EXIT_STOPPED
    return EXIT_SETTLED if report.settled else EXIT_OPEN


def tracking_exit_code(outcome: TrackingOutcome) -> int:
    """Return the exit code of `track`: 0 all messages final, 1 stopped, 3 messages on their way or rows unknown."""
    if outcome.stopped is not None:
        return EXIT_STOPPED
    return EXIT_SETTLED if outcome.final else EXIT_OPEN
