"""The command `globe-sms send`: its options, and what is made of them."""

from datetime import datetime
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from globe_sms.flows.command_line.exit_codes import exit_code
from globe_sms.flows.command_line.run_in_terminal import run_campaign
from globe_sms.flows.command_line.terminal_report import show_report
from globe_sms.flows.command_line.whole_numbers import whole_number
from globe_sms.tasks.campaign.config import CampaignConfig, OnUnknown
from globe_sms.tasks.campaign.date_placeholders import fill
from globe_sms.tasks.campaign.date_placeholders import time_zone as zone_of
from globe_sms.tasks.gateway import MessageType

LISTS = "URI"  # how the help names them
SEND_EPILOGUE = """\
Examples:

  See what would happen, without a call:
    globe-sms send "s3://lists/2026-11/*.csv" --message "We open at 9." \\
        --type NOTIFY --results s3://campaigns/prod \\
        --campaign opening-2026-11 --dry-run

  Send it, and resume it after whatever stopped it: the same without --dry-run.
  On a terminal you see the preview and are asked first. With --yes it sends at
  once; without a terminal, or with stderr redirected, too.

  A local list with numbers as people in Singapore write them, results on disk:
    globe-sms send guests.xlsx --message "Your table is ready." \\
        --type NOTIFY --default-region SG --results ./out

Environment: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET,
or any other source of Alibaba's default credential chain; GLOBE_SMS_ENDPOINT
for another region; AWS's own variables for S3, AWS_ENDPOINT_URL too;
PREFECT_API_URL to record the run on your Prefect server.
"""


def send(
    recipients: Annotated[
        list[str], Parameter(name=LISTS, help="Recipient lists, one or more: S3 objects, prefixes, globs; local paths.")
    ],
    /,
    *,
    message: Annotated[
        str,
        Parameter(
            help="The text; {name} is the value of the column called name, {name|there} says there where that is "
            "empty, {{ and }} are braces."
        ),
    ] = "",
    type: Annotated[  # noqa: A002
        MessageType,
        Parameter(
            help="NOTIFY: a notification; MKT: a promotion; OTP: a verification code; GENERAL: anything else.",
            name_transform=str,
        ),
    ],
    results: Annotated[str, Parameter(help="Where the campaign is kept: s3://bucket/prefix or a directory.")],
    message_column: Annotated[
        str | None, Parameter(help="The column that holds each recipient's own text, in place of --message.")
    ] = None,
    downgrade: Annotated[
        bool, Parameter(help="Replace curly quotes, dashes and odd spaces with plain ones, for fewer message parts.")
    ] = False,
    max_characters: Annotated[
        int,
        Parameter(
            converter=whole_number, help="Rows whose text is longer are invalid (message_too_long); at most 1,500."
        ),
    ] = 1_500,
    campaign: Annotated[
        str | None,
        Parameter(
            help="The campaign's id: the same id at the same --results resumes it. Without one, an id is made from "
            "settings and lists: once any of them has changed, everybody is texted again."
        ),
    ] = None,
    sender_id: Annotated[
        tuple[str, ...] | None,
        Parameter(
            help="An approved one. Or one a country, with the option given again for each: SG=Acme, *=Other. Default: "
            "the account block's, else Alibaba chooses."
        ),
    ] = None,
    hours: Annotated[
        str | None,
        Parameter(
            help="When people may be texted, by their own clocks, like 09:00-20:00; OTP goes at any time. Default: "
            "around the clock."
        ),
    ] = None,
    hours_wait: Annotated[
        str,
        Parameter(
            help="How long to wait for people outside --hours, like 12h, at most 7d, for a canary and then for the "
            "others; then they are not_sent."
        ),
    ] = "1d",
    suppress: Annotated[  # all that follows: a second list that was left over would be read as recipients
        tuple[str, ...],
        Parameter(consume_multiple=True, help="Opt-out lists; one that cannot be read stops the campaign."),
    ] = (),
    exclude_results: Annotated[
        tuple[str, ...],
        Parameter(
            consume_multiple=True,
            help="Results of earlier campaigns, like s3://campaigns/prod/*/results.parquet: their accepted numbers "
            "are left out.",
        ),
    ] = (),
    exclude_days: Annotated[
        float, Parameter(help="For how many days an earlier text counts in --exclude-results.")
    ] = 30.0,
    allow_country: Annotated[
        tuple[str, ...],
        Parameter(help="Send to this country only, like SG; give it again for more. Others are unsupported."),
    ] = (),
    deny_country: Annotated[
        tuple[str, ...], Parameter(help="Send nothing to this country, like SG; give it again for more.")
    ] = (),
    sample: Annotated[
        int | None,
        Parameter(
            converter=whole_number,
            help="Send to the first so many rows only, for good: the rest needs another campaign.",
        ),
    ] = None,
    canary: Annotated[
        int | None,
        Parameter(
            converter=whole_number,
            help="Send to so many numbers first, and to the others if not too many of them failed.",
        ),
    ] = None,
    test_to: Annotated[
        tuple[str, ...],
        Parameter(
            consume_multiple=True,
            help="Your own numbers, or one list of them: they alone are texted, with the first rows' texts.",
        ),
    ] = (),
    prices: Annotated[
        str | None, Parameter(help="A table (country or prefix, price of a part, currency), to say what it costs.")
    ] = None,
    max_cost: Annotated[
        float | None, Parameter(help="Send nothing if the campaign costs more; in the currency of --prices.")
    ] = None,
    max_parts: Annotated[
        int | None, Parameter(converter=whole_number, help="Send nothing if there are more message parts than this.")
    ] = None,
    max_recipients: Annotated[
        int | None, Parameter(converter=whole_number, help="Send nothing if there are more numbers than this.")
    ] = None,
    default_region: Annotated[
        str | None,
        Parameter(help="Region of numbers without a country code, like SG. Default: all have one, with or without +."),
    ] = None,
    number_column: Annotated[
        str | None, Parameter(help="The column of the numbers, if its name does not tell; without a header 1, 2, ...")
    ] = None,
    no_header: Annotated[bool, Parameter(help="The lists have no line that names the columns.")] = False,
    encoding: Annotated[
        str | None, Parameter(help="Of CSV and NDJSON, like windows-1252. Default: by byte order mark, else UTF-8.")
    ] = None,
    numbers_override: Annotated[
        str | None,
        Parameter(help="A table (prefix, mobile: yes or no) of E.164 prefixes that count as mobile, or do not."),
    ] = None,
    numbers_per_call: Annotated[
        int | None,
        Parameter(
            converter=whole_number, help="Up to 1,000 for an upgraded account. Default: the account block's, or 250."
        ),
    ] = None,
    calls_per_second: Annotated[
        float | None, Parameter(help="The account's limit, over all its runs. Default: the account block's, or 1.")
    ] = None,
    on_unknown: Annotated[
        OnUnknown, Parameter(help="Chunks that an earlier run left unknown: hold, or resend once (may text twice).")
    ] = OnUnknown.HOLD,
    max_failure_rate: Annotated[
        float, Parameter(help="Stop when more than this share failed or is unknown, after 1,000 numbers or a canary.")
    ] = 0.5,
    dry_run: Annotated[bool, Parameter(help="Freeze the plan and write results, but call nothing.")] = False,
    require_approval: Annotated[
        bool, Parameter(help="Send nothing unless somebody says yes, here or by --yes.")
    ] = False,
    approve_above: Annotated[
        int | None,
        Parameter(converter=whole_number, help="The same, but only for a run that sends to more numbers than this."),
    ] = None,
    approval_timeout: Annotated[
        int, Parameter(converter=whole_number, help="Seconds to wait for the answer; none in time counts as declined.")
    ] = 14_400,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], help="Send without asking.")] = False,
    account: Annotated[str | None, Parameter(help="An Alibaba SMS account block. Default: the environment.")] = None,
    aws_credentials: Annotated[
        str | None, Parameter(help="An AWS or MinIO credentials block. Default: the environment.")
    ] = None,
    time_zone: Annotated[str, Parameter(help="Whose date {date} is in a URI or the campaign id.")] = "UTC",
    json: Annotated[bool, Parameter(help="The last line on stdout is one JSON object.")] = False,
) -> int:
    """Send a campaign from this process, or resume it."""
    now = datetime.now(zone_of(time_zone))
    config = CampaignConfig.checked(
        recipients=tuple(fill(uri, now) for uri in recipients),
        message=message,
        message_column=message_column,
        downgrade=downgrade,
        max_characters=max_characters,
        type=type,
        results=results,
        campaign=None if campaign is None else fill(campaign, now),
        sender_id=sender_id,
        hours=hours,
        hours_wait=hours_wait,
        suppress=suppress,
        exclude_results=exclude_results,
        exclude_days=exclude_days,
        allow_country=allow_country,
        deny_country=deny_country,
        sample=sample,
        canary=canary,
        test_to=test_to,
        prices=prices,
        max_cost=max_cost,
        max_parts=max_parts,
        max_recipients=max_recipients,
        default_region=default_region,
        number_column=number_column,
        no_header=no_header,
        encoding=encoding,
        numbers_override=numbers_override,
        numbers_per_call=numbers_per_call,
        calls_per_second=calls_per_second,
        on_unknown=on_unknown,
        max_failure_rate=max_failure_rate,
        dry_run=dry_run,
        require_approval=require_approval,
        approve_above=approve_above,
        approval_timeout=approval_timeout,
        account=account,
        aws_credentials=aws_credentials,
    )
    report = run_campaign(config, Console(stderr=True), yes=yes)
    show_report(report, as_json=json)
    return exit_code(report)
