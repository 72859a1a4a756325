"""The command `globe-sms track`."""

import inspect
from datetime import datetime
from typing import Any

from rich.console import Console

from globe_sms.flows.command_line.config_file import ConfigFile
from globe_sms.flows.command_line.exit_codes import tracking_exit_code
from globe_sms.flows.command_line.option_parameters import command_parameters
from globe_sms.flows.command_line.run_in_terminal import run_tracking
from globe_sms.flows.command_line.shared_parameters import Json
from globe_sms.flows.command_line.terminal_report import show_tracking
from globe_sms.flows.option_signatures import takes
from globe_sms.tasks.campaign.date_placeholders import fill, time_zone
from globe_sms.tasks.delivery.config import TrackingConfig

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


@takes(
    [
        *command_parameters(TrackingConfig),
        inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json),
        inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ConfigFile),
    ]
)
def track(campaign: str, /, *, json: bool = False, **options: Any) -> int:
    """Ask what happened to a campaign's messages, and write it into the results. Run it again for the rest."""
    options.pop("config", None)  # it was read before
    now = datetime.now(time_zone(options.get("time_zone") or "UTC"))
    tracking = TrackingConfig.checked(campaign=fill(campaign, now), **options)
    outcome = run_tracking(tracking, Console(stderr=True))
    show_tracking(outcome, as_json=json)
    return tracking_exit_code(outcome)
