"""The command `globe-sms account`, which shows the account's current schedule."""

import json as jsons
import os
import sys
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console

from globe_sms.flows.command_line.shared_parameters import AccountBlock, AwsBlock, Json
from globe_sms.tasks.pacing.schedule_state import ScheduleState
from globe_sms.tasks.vocabulary.plurals import counted

_RESULTS: Final = "A results folder of the account's campaigns: their schedule is at the top of its bucket."
_NOBODY: Final = "no run has sent yet"


def account(
    results: Annotated[str, Parameter(name=["--results"], help=_RESULTS)],
    *,
    account: AccountBlock = None,
    aws_credentials: AwsBlock = None,
    json: Json = False,
) -> None:
    """Show the account's schedule: who sends, at what rate, and what the gateway throttled in the last hour.

    All runs of the account share it, on all machines. Slack is how much wider
    than the limit calls are spaced; it grows when the gateway throttles calls.
    """
    from globe_sms.tasks.pacing.async_pacer import QUERIES
    from globe_sms.tasks.runs.run_resources import open_resources
    from globe_sms.tasks.store.open_store import open_existing

    resources = open_resources(account, aws_credentials, results, os.environ, calls_gateway=False)
    open_existing(results, resources.s3)
    credentials = resources.account.credentials()
    schedules = {
        "sends": resources.schedule_state(credentials),
        "queries": resources.schedule_state(credentials, of=QUERIES),
    }
    place = resources.account.open_pacing(results, resources.s3).uri
    if json:
        found = {name: None if state is None else state.as_json() for name, state in schedules.items()}
        sys.stdout.write(jsons.dumps({"schedule": place, **found}, ensure_ascii=False) + "\n")
        return
    console = Console(highlight=False)
    console.print(f"The account's schedule in {place}", markup=False, soft_wrap=True)
    for name, state in schedules.items():
        for line in [f"{name}: {_NOBODY}"] if state is None else _lines(name, state):
            console.print(line, markup=False, soft_wrap=True)


def _lines(name: str, state: ScheduleState) -> list[str]:
    hour = state.last_hour
    slowed = f", slowed down {state.slowed:.2f} times" if state.slowed > 1.0 else ""
    throttled = f"{hour.throttled:,} of {counted(hour.calls, 'call')} throttled in the last hour"
    advice = state.advice()
    return [
        f"{name}: at most {state.rate:g} a second, slack {state.slack:.1%}{slowed}; {throttled}",
        *(f"  {sender.name}, {sender.rate:g} a second" for sender in state.senders),
        *([] if state.senders else ["  nobody is sending now"]),
        *([] if advice is None else [f"  {advice}"]),
    ]
