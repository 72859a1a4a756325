"""Run a flow in this process and show it at the terminal: for `globe-sms send`, `track` and `demo`."""

import os
from typing import Any

from rich.console import Console

from globe_sms.flows.command_line.prefect_server_check import check_home, check_server, check_server_url
from globe_sms.flows.command_line.process_exit import server_outlives_us
from globe_sms.flows.command_line.terminal_progress import TerminalObserver
from globe_sms.flows.command_line.terminal_question import TerminalQuestion
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.vocabulary.errors import (
    AllFailedError,
    CampaignStoppedError,
    GlobeSmsError,
    TrackingStoppedError,
)

_STARTING_PREFECT = "starting Prefect (10 to 30 s if it has no server yet)"


def run_campaign(config: CampaignConfig, console: Console, *, yes: bool) -> CampaignReport:
    """Run the flow `send-campaign` and return its report, however the campaign ended.

    At a terminal it asks before it sends, unless `yes`.

    Raises:
        GlobeSmsError: the campaign ended without results.
    """
    check_server_url(os.environ)
    check_home(os.environ)
    with TerminalObserver(console, TerminalQuestion(console, config, yes=yes)) as terminal:
        terminal.step("checking the lists, the results folder and the credentials")
        from globe_sms.tasks.open_campaign_run import preflight

        preflight(config)
        terminal.step(_STARTING_PREFECT)
        check_server(os.environ)
        from prefect.exceptions import CancelledRun

        from globe_sms.flows.observers.current_observer import observed_by
        from globe_sms.flows.send_campaign import send_campaign

        try:
            with observed_by(terminal):
                report: Any = send_campaign(**config.parameters())  # Prefect unwraps the state that it returns
                return report
        except (CampaignStoppedError, AllFailedError, CancelledRun):
            if terminal.report is None:
                raise
        except Exception as error:
            if terminal.report is None:
                raise
            if server_outlives_us():  # a temporary server ends with us, and nobody reads its records
                console.print(f"globe-sms: the results are written, but Prefect didn't record the end ({error}).")
    return terminal.report


def run_tracking(config: TrackingConfig, console: Console) -> TrackingOutcome:
    """Run the flow `track-delivery` and return its outcome, however it ended.

    Raises:
        GlobeSmsError: the tracking ended without an outcome.
    """
    check_server_url(os.environ)
    check_home(os.environ)
    with TerminalObserver(console) as terminal:
        terminal.step("checking the campaign and the credentials")
        from globe_sms.tasks.tracking_run import open_tracking

        with open_tracking(config):
            pass  # an error shows up here, before Prefect is started
        terminal.step(_STARTING_PREFECT)
        check_server(os.environ)
        from prefect.exceptions import CancelledRun

        from globe_sms.flows.observers.current_observer import observed_by
        from globe_sms.flows.track_delivery import track_delivery

        try:
            with observed_by(terminal):
                outcome: Any = track_delivery(**config.model_dump())  # Prefect unwraps the state that it returns
                return outcome
        except TrackingStoppedError as error:
            if isinstance(error.outcome, TrackingOutcome):
                return error.outcome
            raise
        except CancelledRun:
            raise GlobeSmsError("the tracking was cancelled; run the same command again to go on.") from None
