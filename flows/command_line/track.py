"""The command `globe-sms track`."""

from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from globe_sms.flows.command_line.exit_codes import tracking_exit_code
from globe_sms.flows.command_line.run_in_terminal import run_tracking
from globe_sms.flows.command_line.terminal_report import show_tracking
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.delivery.reconcile import DEFAULT_SETTLE_AFTER
from globe_sms.tasks.gateway.query_message import MOST_QUERIES_PER_SECOND

_SETTLE_AFTER_HOURS = DEFAULT_SETTLE_AFTER / timedelta(hours=1)

TRACK_EPILOGUE = """\
Examples:

  After a campaign, wait up to two hours for its messages:
    globe-sms track opening-2026-11 --results s3://campaigns/prod --wait 2h

  Use the receipts that Alibaba pushed, and no queries:
    globe-sms track opening-2026-11 --results s3://campaigns/prod \\
        --receipts s3://receipts/sms/ --no-query

  In a script, ask once about each message that's still open:
    globe-sms track opening-2026-11 --results s3://campaigns/prod \\
        --wait 0 --json

Exit codes: 0 all messages have a final status; 1 stopped (run it again to go
on); 2 bad input or configuration; 3 some are still on their way, or rows are
unknown.
"""


def track(
    campaign: Annotated[str, Parameter(name="CAMPAIGN", help="The campaign's id.")],
    /,
    *,
    results: Annotated[str, Parameter(help="The results folder, as given to send.")],
    receipts: Annotated[
        tuple[str, ...],
        Parameter(help="Where the delivery receipts are: S3 objects, prefixes or globs; local paths."),
    ] = (),
    settle_after: Annotated[
        float, Parameter(help="Hours after the send until a missing receipt is reported.")
    ] = _SETTLE_AFTER_HOURS,
    wait: Annotated[
        str, Parameter(help="How long to keep asking: 30m, 1h, 1h 30m. 0 asks once about each message.")
    ] = "1h",
    no_query: Annotated[
        bool, Parameter(help="Don't query the gateway; only write what's already known into the results.")
    ] = False,
    queries_per_second: Annotated[
        float, Parameter(help="The account's limit for queries, shared by all its trackings.")
    ] = MOST_QUERIES_PER_SECOND,
    account: Annotated[str | None, Parameter(help="An Alibaba SMS account block. Default: the environment.")] = None,
    aws_credentials: Annotated[
        str | None, Parameter(help="An AWS or MinIO credentials block. Default: the environment.")
    ] = None,
    json: Annotated[bool, Parameter(help="The last line on stdout is one JSON object.")] = False,
) -> int:
    """Ask what happened to a campaign's messages, and write it into the results. Run it again for the rest."""
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
    show_tracking(outcome, as_json=json)
    return tracking_exit_code(outcome)
