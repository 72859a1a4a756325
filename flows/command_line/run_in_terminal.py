"""Run a campaign or a tracking in this process and show it at the terminal: for `globe-sms send`, `track` and `demo`.

With a Prefect server it's a flow run on it, without one it runs at once.
"""

import os
from typing import Any

from rich.console import Console

from globe_sms.flows.command_line.terminal_progress import TerminalObserver
from globe_sms.flows.command_line.terminal_question import TerminalQuestion
from globe_sms.flows.server_address import names_server
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

_STARTING = "starting Prefect"
_STARTING_A_SERVER = "starting Prefect and a temporary server (10 to 30 s)"


def run_campaign(config: CampaignConfig, console: Console, *, yes: bool) -> CampaignReport:
    """Run a campaign and return its report, however the campaign ended.

    At a terminal it asks before it sends, unless `yes`.

    Raises:
        GlobeSmsError: the campaign ended without results.
    """
    if names_server():
        return record_campaign(config, console, yes=yes)
    with TerminalObserver(console, TerminalQuestion(console, config, yes=yes)) as terminal:
        from globe_sms.flows.without_server import send_without_server

        return send_without_server(config, terminal)


def record_campaign(config: CampaignConfig, console: Console, *, yes: bool) -> CampaignReport:
    """Run the flow `send-campaign`, on a temporary server if none is set; otherwise like `run_campaign`."""
    from globe_sms.flows.command_line.prefect_server_check import check_home, check_server, check_server_url

    check_server_url(os.environ)
    check_home(os.environ)
    with TerminalObserver(console, TerminalQuestion(console, config, yes=yes)) as terminal:
        terminal.step("checking the lists, the results folder and the credentials")
        from globe_sms.tasks.runs.open_campaign_run import preflight

        preflight(config)
        terminal.step(_STARTING if names_server() else _STARTING_A_SERVER)
        check_server(os.environ)
        from prefect.exceptions import CancelledRun

        from globe_sms.flows.command_line.process_exit import server_outlives_us
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
    """Track a campaign's messages and return the outcome, however the tracking ended.

    Raises:
        GlobeSmsError: the tracking ended without an outcome.
    """
    if names_server():
        return _record_tracking(config, console)
    with TerminalObserver(console) as terminal:
        from globe_sms.flows.without_server import track_without_server

        return track_without_server(config, terminal)


def _record_tracking(config: TrackingConfig, console: Console) -> TrackingOutcome:
    from globe_sms.flows.command_line.prefect_server_check import check_server, check_server_url

    check_server_url(os.environ)
    with TerminalObserver(console) as terminal:
        terminal.step("checking the campaign and the credentials")
        from globe_sms.tasks.runs.tracking_run import open_tracking

        with open_tracking(config):
            pass  # an error shows up here, before Prefect is started
        terminal.step(_STARTING)
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
