"""The command `globe-sms send`: its options, and what is made of them."""

import inspect
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from cyclopts import Group, Parameter
from rich.console import Console

from globe_sms.flows.command_line.config_file import ConfigFile
from globe_sms.flows.command_line.exit_codes import exit_code
from globe_sms.flows.command_line.option_parameters import campaign_parameters
from globe_sms.flows.command_line.run_in_terminal import run_campaign
from globe_sms.flows.command_line.terminal_report import show_report
from globe_sms.flows.option_signatures import takes
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.date_placeholders import fill_options, time_zone
from globe_sms.tasks.vocabulary.errors import InputError

_HERE: Final = Group("This command", sort_key=99)
_Yes = Annotated[bool, Parameter(name=["--yes", "-y"], group=_HERE, help="Send without asking.")]
_Json = Annotated[bool, Parameter(group=_HERE, help="The last line on stdout is one JSON object.")]
_NO_LISTS: Final = (
    "no recipient lists (URI) were given. They go before the options, because --suppress, --exclude-results and "
    "--test-to take everything that follows them. To ask a database instead, give --query and --connection."
)
SEND_EPILOGUE = """\
Examples:

  See what would happen, without a call:
    globe-sms send "s3://lists/2026-11/*.csv" --message "We open at 9." \\
        --type NOTIFY --results s3://campaigns/prod \\
        --campaign opening-2026-11 --dry-run

  Send it, or resume it after a stop: the same command without --dry-run.
  On a terminal you see the preview and are asked first. With --yes it sends at
  once; without a terminal, or with stderr redirected, too.

  A local list with numbers as people in Singapore write them, results on disk:
    globe-sms send guests.xlsx --message "Your table is ready." \\
        --type NOTIFY --default-region SG --results ./out

Environment: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET,
or any other source of Alibaba's default credential chain; GLOBE_SMS_ENDPOINT
for another region; AWS's own variables for S3, AWS_ENDPOINT_URL too;
PREFECT_API_URL to record the run on your Prefect server; without it, the run
starts at once, and nothing but the campaign's folder records it.
"""


def _here(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


@takes(
    [
        *campaign_parameters(),
        _here("yes", False, _Yes),
        _here("json", False, _Json),
        _here("config", None, Annotated[ConfigFile, Parameter(group=_HERE)]),
    ]
)
def send(recipients: Sequence[str] = (), /, *, yes: bool = False, json: bool = False, **options: Any) -> int:
    """Send a campaign from this process, or resume it."""
    if not recipients and options.get("query") is None and options.get("query_file") is None:
        raise InputError(_NO_LISTS)
    options.pop("config", None)  # it was read before
    now = datetime.now(time_zone(options.get("time_zone") or "UTC"))
    campaign = CampaignConfig.checked(**fill_options({"recipients": recipients, **options}, now))
    report = run_campaign(campaign, Console(stderr=True), yes=yes)
    show_report(report, as_json=json)
    return exit_code(report)
