"""A campaign run in this process, shown at the terminal: for `globe-sms send` and the demo."""

import json
import os
import sys

from rich.console import Console

from globe_sms.flows.command_line.prefect_server import check_server, check_server_url
from globe_sms.flows.command_line.process_exit import server_outlives_us
from globe_sms.flows.command_line.terminal import TerminalObserver, report_lines, report_table
from globe_sms.flows.command_line.terminal_question import TerminalQuestion
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError, GlobeSmsError


def run_campaign(config: CampaignConfig, console: Console, *, yes: bool) -> CampaignReport:
    """Run the flow in this process, shown on `console`, and return its report however the campaign ended.

    On a terminal it asks before it sends, unless `yes`.

    Raises:
        GlobeSmsError: the campaign could not run to its results.
    """
    check_server_url(os.environ)
    asking = TerminalQuestion(console, config, yes=yes)
    with TerminalObserver(console, asking) as observer:
        observer.step("checking the lists, the results place and the credentials")
        from globe_sms.tasks.campaign_run import preflight

        preflight(config)
        observer.step("starting Prefect (10 to 30 s where it has no server yet)")
        check_server(os.environ)
        from prefect.exceptions import CancelledRun

        from globe_sms.flows.orchestration.observer import observed_by
        from globe_sms.flows.send_campaign import send_campaign

        try:
            with observed_by(observer):
                send_campaign(**config.parameters())
        except (CampaignStoppedError, CancelledRun):
            if observer.report is None:
                raise
        except Exception as error:
            if observer.report is None:
                raise
            if server_outlives_us():  # Ctrl-C ends a temporary one before us, and nobody reads it later
                console.print(f"globe-sms: the results are written, but Prefect did not record the end ({error}).")
    if observer.report is None:
        raise GlobeSmsError("the flow run ended without results; run the same command again to go on.")
    return observer.report


def show_report(report: CampaignReport, *, as_json: bool) -> None:
    """Print the figures: a table for people on stdout, or with `as_json` on stderr and JSON on stdout."""
    console = Console(stderr=as_json, highlight=False)
    console.print(report_table(report))
    for line in report_lines(report):
        console.print(line, soft_wrap=True, markup=False)
    if as_json:
        sys.stdout.write(json.dumps(report.summary()) + "\n")
        sys.stdout.flush()
