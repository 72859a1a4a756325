"""The command `globe-sms track`."""

import inspect
import json as json_text
import os
import sys
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from globe_sms.flows.command_line.config_file import ConfigFile
from globe_sms.flows.command_line.delivery_bars import delivery_bars
from globe_sms.flows.command_line.option_parameters import command_parameters
from globe_sms.flows.command_line.prefect_server import check_server, check_server_url
from globe_sms.flows.command_line.terminal import TerminalObserver
from globe_sms.flows.orchestration.observer import observed_by
from globe_sms.flows.signatures import takes
from globe_sms.tasks.campaign.date_placeholders import fill, time_zone
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.vocabulary.errors import GlobeSmsError, TrackingStoppedError

EXIT_FINAL = 0
EXIT_STOPPED = 1
EXIT_OPEN = 3
_Json = Annotated[bool, Parameter(help="The last line on stdout is one JSON object.")]

TRACK_EPILOGUE = """\
Examples:

  After a campaign, wait up to two hours for its messages:
    globe-sms track opening-2026-11 --results s3://campaigns/prod --wait 2h

  With the receipts that were pushed, and no queries:
    globe-sms track opening-2026-11 --results s3://campaigns/prod \\
        --receipts s3://receipts/sms/ --no-query

  Ask once for each message that is still open, for a script:
    globe-sms track opening-2026-11 --results s3://campaigns/prod \\
        --wait 0 --json

Exit codes: 0 all messages have come to their end; 1 stopped (run it again to
go on); 2 bad input or configuration; 3 some are still on their way, or rows
are unknown.
"""


@takes(
    [
        *command_parameters(TrackingConfig),
        inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Json),
        inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ConfigFile),
    ]
)
def track(campaign: str, /, *, json: bool = False, **options: Any) -> int:
    """Ask what became of a campaign's messages, and write it into the results; again goes on with the rest."""
    options.pop("config", None)  # it was read before
    now = datetime.now(time_zone(options.get("time_zone") or "UTC"))
    tracking = TrackingConfig.checked(campaign=fill(campaign, now), **options)
    outcome = run_tracking(tracking, Console(stderr=True))
    _show(outcome, as_json=json)
    if outcome.stopped is not None:
        return EXIT_STOPPED
    return EXIT_FINAL if outcome.final else EXIT_OPEN


def run_tracking(config: TrackingConfig, console: Console) -> TrackingOutcome:
    """Run the flow in this process, shown on `console`, and return its outcome however it ended.

    Raises:
        GlobeSmsError: it could not run to its results.
    """
    check_server_url(os.environ)
    with TerminalObserver(console, None) as observer:
        observer.step("checking the campaign and the credentials")
        from globe_sms.tasks.tracking_run import open_tracking

        with open_tracking(config):
            pass  # what would fail the run fails before Prefect is started for it
        observer.step("starting Prefect (10 to 30 s where it has no server yet)")
        check_server(os.environ)
        from prefect.exceptions import CancelledRun

        from globe_sms.flows.track_delivery import track_delivery

        try:
            with observed_by(observer):
                outcome: Any = track_delivery(**config.model_dump())  # Prefect unwraps the state that it returns
                return outcome
        except TrackingStoppedError as error:
            if isinstance(error.outcome, TrackingOutcome):
                return error.outcome
            raise
        except CancelledRun:
            raise GlobeSmsError("the tracking was cancelled; run the same command again to go on.") from None


def _show(outcome: TrackingOutcome, *, as_json: bool) -> None:
    console = Console(stderr=as_json, highlight=False)
    if outcome.report is not None:
        console.print(delivery_bars(outcome.report.figures))
    for line in (*outcome.sentences(), f"Results: {outcome.uri}"):
        console.print(line, soft_wrap=True, markup=False)
    if as_json:
        sys.stdout.write(json_text.dumps(outcome.summary()) + "\n")
        sys.stdout.flush()
