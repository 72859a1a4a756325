"""The command `globe-sms track`."""

import json as json_text
import os
import sys
from datetime import timedelta
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from globe_sms.flows.command_line.delivery_bars import delivery_bars
from globe_sms.flows.command_line.prefect_server import check_server, check_server_url
from globe_sms.flows.command_line.terminal import TerminalObserver
from globe_sms.flows.orchestration.observer import observed_by
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.delivery.reconcile import DEFAULT_SETTLE_AFTER
from globe_sms.tasks.gateway.query_message import MOST_QUERIES_PER_SECOND
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.vocabulary.errors import GlobeSmsError, TrackingStoppedError

EXIT_FINAL = 0
EXIT_STOPPED = 1
EXIT_OPEN = 3
_SETTLE_AFTER_HOURS = DEFAULT_SETTLE_AFTER / timedelta(hours=1)

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


def track(
    campaign: Annotated[str, Parameter(name="CAMPAIGN", help="The campaign's id.")],
    /,
    *,
    results: Annotated[str, Parameter(help="Where the campaign is kept, as it was given to send.")],
    receipts: Annotated[
        tuple[str, ...],
        Parameter(help="Where delivery receipts are: S3 objects, prefixes, globs; local paths."),
    ] = (),
    settle_after: Annotated[
        float, Parameter(help="Hours after the send from which a missing receipt is reported.")
    ] = _SETTLE_AFTER_HOURS,
    wait: Annotated[
        str, Parameter(help="How long to go on asking: 30m, 1h, 1h 30m. 0 asks once for each message.")
    ] = "1h",
    no_query: Annotated[
        bool, Parameter(help="Ask the gateway nothing; write what is known already into the results.")
    ] = False,
    queries_per_second: Annotated[
        float, Parameter(help="The account's limit for queries, over all its trackings.")
    ] = MOST_QUERIES_PER_SECOND,
    account: Annotated[str | None, Parameter(help="An Alibaba SMS account block. Default: the environment.")] = None,
    aws_credentials: Annotated[
        str | None, Parameter(help="An AWS or MinIO credentials block. Default: the environment.")
    ] = None,
    json: Annotated[bool, Parameter(help="The last line on stdout is one JSON object.")] = False,
) -> int:
    """Ask what became of a campaign's messages, and write it into the results; again goes on with the rest."""
    config = TrackingConfig.checked(
        campaign=campaign,
        results=results,
        receipts=receipts,
        settle_after=settle_after,
        wait=wait,
        no_query=no_query,
        queries_per_second=queries_per_second,
        account=account,
        aws_credentials=aws_credentials,
    )
    outcome = run_tracking(config, Console(stderr=True))
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
