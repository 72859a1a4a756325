"""The command `globe-sms doctor`: checks all that a campaign needs, and says what to do about what is wrong."""

import json as jsons
import os
import sys
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from globe_sms.flows.command_line.doctor.finding import Finding, Verdict, findings_of
from globe_sms.flows.command_line.exit_codes import EXIT_INPUT, EXIT_SETTLED
from globe_sms.flows.command_line.shared_parameters import AccountBlock, AwsBlock, Json
from globe_sms.tasks.vocabulary.plurals import counted

_STYLES: Final = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.WRONG: "red"}
_SUBJECT_WIDTH: Final = 9
_VERDICT_WIDTH: Final = 6


def doctor(
    *recipients: Annotated[str, Parameter(name=["URI"], help="Recipient lists, to see whether they can be read.")],
    results: Annotated[str | None, Parameter(help="The results folder, as for `globe-sms send`.")] = None,
    account: AccountBlock = None,
    aws_credentials: AwsBlock = None,
    json: Json = False,
) -> int:
    """Check everything that a campaign needs, and say what to do about what is wrong. It sends nothing.

    Versions, disk, the Prefect server, S3, the account, the clock and the policy.
    The output holds no secret and no whole phone number: paste it into a bug
    report. Exit code 0 if nothing is wrong, 2 otherwise.
    """
    console = Console(highlight=False)
    found: list[Finding] = []
    for finding in _findings(recipients, results, account, aws_credentials, os.environ):
        found.append(finding)
        if not json:
            _show(console, finding)
    wrong = sum(finding.verdict is Verdict.WRONG for finding in found)
    if json:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        sys.stdout.write(
            jsons.dumps({"at": now, "wrong": wrong, "findings": [finding.as_json() for finding in found]}) + "\n"
        )
    else:
        said = "Nothing is wrong." if not wrong else f"{counted(wrong, 'thing')} to mend: see the lines marked wrong."
        console.print(said, markup=False, soft_wrap=True)
    return EXIT_INPUT if wrong else EXIT_SETTLED


def _findings(
    recipients: tuple[str, ...],
    results: str | None,
    account: str | None,
    aws_credentials: str | None,
    environ: Mapping[str, str],
) -> Generator[Finding]:
    from globe_sms.flows.command_line.doctor.account import check_account, check_clock, check_policy
    from globe_sms.flows.command_line.doctor.machine import check_folders, check_versions
    from globe_sms.flows.command_line.doctor.places import check_lists, check_results
    from globe_sms.flows.command_line.doctor.prefect_server import check_prefect
    from globe_sms.tasks.runs.aws_credentials import open_s3
    from globe_sms.tasks.runs.run_resources import open_account
    from globe_sms.tasks.store.store_clock import StoreClock

    s3 = cache(lambda: open_s3(aws_credentials))
    sender = cache(lambda: open_account(account, environ))
    gateways = StoreClock()
    yield from findings_of("versions", check_versions)
    yield from findings_of("disk", lambda: check_folders(environ))
    yield from findings_of("prefect", lambda: check_prefect(environ))
    yield from findings_of("results", lambda: check_results(results, sender(), s3))
    yield from findings_of("lists", lambda: check_lists(recipients, s3))
    yield from findings_of("account", lambda: check_account(sender(), gateways))
    yield from findings_of("clock", lambda: check_clock(gateways, results, s3))
    yield from findings_of("policy", lambda: check_policy(sender(), results, s3))


def _show(console: Console, finding: Finding) -> None:
    line = Text(f"{finding.subject:<{_SUBJECT_WIDTH}}")
    line.append(f"{finding.verdict:<{_VERDICT_WIDTH}}", style=_STYLES[finding.verdict])
    line.append(finding.said.replace("\n", "\n" + " " * (_SUBJECT_WIDTH + _VERDICT_WIDTH)))
    console.print(line, soft_wrap=True)
