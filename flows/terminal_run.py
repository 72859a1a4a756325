"""A campaign run in this process, shown at the terminal: for `globe-sms send` and the demo."""

import json
import os
import sys

from rich.console import Console

from flows.leaving import server_outlives_us
from flows.prefect_server import check_server, check_server_url
from flows.terminal import TerminalWatcher, report_lines, report_table
from flows.terminal_question import TerminalQuestion
from tasks.errors import CampaignStoppedError, GlobeSmsError
from tasks.order import Order
from tasks.report import CampaignReport


def run_campaign(order: Order, console: Console, *, yes: bool) -> CampaignReport:
    """Run the flow in this process, shown on `console`, and return its report however the campaign ended.

    On a terminal it asks before it sends, unless `yes`.

    Raises:
        GlobeSmsError: the campaign could not run to its results.
    """
    check_server_url(os.environ)
    asking = TerminalQuestion(console, order, yes=yes)
    with TerminalWatcher(console, asking) as watcher:
        watcher.step("checking the lists, the results place and the credentials")
        from tasks.run import preflight

        preflight(order)
        watcher.step("starting Prefect (10 to 30 s where it has no server yet)")
        check_server(os.environ)
        from prefect.exceptions import CancelledRun

        from flows.send_campaign import send_campaign
        from flows.watching import watched_by

        try:
            with watched_by(watcher):
                send_campaign(**order.parameters())
        except (CampaignStoppedError, CancelledRun):
            if watcher.report is None:
                raise
        except Exception as error:
            if watcher.report is None:
                raise
            if server_outlives_us():  # Ctrl-C ends a temporary one before us, and nobody reads it later
                console.print(f"globe-sms: the results are written, but Prefect did not record the end ({error}).")
    if watcher.report is None:
        raise GlobeSmsError("the flow run ended without results; run the same command again to go on.")
    return watcher.report


def show_report(report: CampaignReport, *, as_json: bool) -> None:
    """Print the figures: a table for people on stdout, or with `as_json` on stderr and JSON on stdout."""
    console = Console(stderr=as_json, highlight=False)
    console.print(report_table(report))
    for line in report_lines(report):
        console.print(line, soft_wrap=True, markup=False)
    if as_json:
        sys.stdout.write(json.dumps(report.summary()) + "\n")
        sys.stdout.flush()
