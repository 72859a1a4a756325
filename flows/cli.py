"""The command `globe-sms send`, and what every command shares: messages, exit codes, no tracebacks."""

import json
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError
from rich.console import Console

from flows.inquiry import add_inquiries
from flows.leaving import server_outlives_us
from flows.prefect_server import check_server, check_server_url
from flows.quiet import quiet_prefect
from flows.terminal import TerminalWatcher, report_lines, report_table
from flows.terminal_question import TerminalQuestion
from flows.track_command import TRACK_EPILOGUE, track
from flows.whole_numbers import whole_number
from tasks.errors import CampaignStoppedError, GlobeSmsError, InputError
from tasks.gateway import MessageType
from tasks.masking import mask_numbers_in, mask_written
from tasks.order import OnUnknown, Order
from tasks.report import CampaignReport
from tasks.stopping import StopCause
from tasks.templates import fill
from tasks.templates import time_zone as zone_of

EXIT_SETTLED = 0
EXIT_STOPPED = 1
EXIT_INPUT = 2
EXIT_OPEN = 3

_HELP = """\
Send one text message to a million people, once each, through Alibaba Cloud's
BatchSendMessageToGlobe.

A campaign is one message, one recipient list and one id. Running the same
command again resumes it: what was sent, or may have been, is not sent again.

Try it first, without any account:   globe-sms demo

Exit codes: 0 every row is settled; 1 stopped or crashed (run it again to go
on); 2 bad input or configuration, nothing was sent; 3 finished, but some rows
are unknown or not sent (also when you answer no).
"""

_SEND_EPILOGUE = """\
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


def make_app() -> App:
    """Return the command line with `send`, `track` and the inquiries; `deployments.cli` adds the sandbox's commands."""
    app = App(
        name="globe-sms",
        help=_HELP,
        help_format="plaintext",
        default_parameter=Parameter(negative="", show_default=_worth_showing),
        version_flags=["--version"],
        version=_version,
        suppress_keyboard_interrupt=False,  # it would end the process with 130, before `run_app` can say what to do
    )
    app.command(send, name="send", help_epilogue=_SEND_EPILOGUE)
    app.command(track, name="track", help_epilogue=TRACK_EPILOGUE)
    add_inquiries(app)
    return app


def run_app(app: App, arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; whatever goes wrong is a message on stderr, never a traceback."""
    quiet_prefect(os.environ)
    try:
        result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except (CycloptsError, InputError) as error:
        return _fail(EXIT_INPUT, _what_was_wrong(error))
    except CampaignStoppedError:
        return EXIT_STOPPED  # the report has said why
    except GlobeSmsError as error:
        return _fail(EXIT_STOPPED, str(error))
    except KeyboardInterrupt:
        return _fail(EXIT_STOPPED, "interrupted; run the same command again to go on")
    except Exception as error:  # noqa: BLE001  # the last line of defence against tracebacks at the terminal
        if os.environ.get("GLOBE_SMS_TRACEBACK"):
            traceback.print_exc()
        return _fail(
            EXIT_STOPPED,
            f"this should not have happened: {type(error).__name__}. What was recorded stands: run the same command "
            "again to go on. GLOBE_SMS_TRACEBACK=1 shows where it happened.",
        )
    return result if isinstance(result, int) else EXIT_SETTLED


def send(
    recipients: Annotated[
        list[str], Parameter(name="URI", help="Recipient lists, one or more: S3 objects, prefixes, globs; local paths.")
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
    order = Order.checked(
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
    report = run_campaign(order, Console(stderr=True), yes=yes)
    show_report(report, as_json=json)
    return exit_code(report)


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


def exit_code(report: CampaignReport) -> int:
    """Say the run's end as design.md's exit code."""
    if report.stop is not None and report.stop.cause is not StopCause.DECLINED:
        return EXIT_STOPPED
    return EXIT_SETTLED if report.settled else EXIT_OPEN


def _fail(code: int, message: str) -> int:
    console = Console(stderr=True, highlight=False)
    console.print(f"globe-sms: {message}", style="red" if console.is_terminal else "", markup=False, soft_wrap=True)
    return code


def _what_was_wrong(error: CycloptsError | InputError) -> str:
    if isinstance(error, UnusedCliTokensError):
        said = (
            f"nothing takes {' '.join(error.unused_tokens or ())}: lists stand before the options, and an option that "
            "may have several values is given again for each. `--help` says what there is."
        )
    else:
        said = str(error)
    # Cyclopts quotes what was typed, a number too many as well.
    return mask_numbers_in(mask_written(said)) if isinstance(error, CycloptsError) else said


def _worth_showing(default: Any) -> str | None:
    """Say a default in the help; nothing for what is simply off or empty."""
    return None if default is None or default is False or default in ("", ()) else str(default)


def _version() -> str:
    from importlib.metadata import version

    return f"globe-sms {version('globe-sms')}"
