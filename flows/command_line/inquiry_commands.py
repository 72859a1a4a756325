"""The commands that only read: `globe-sms campaigns`, `show` and `explain`."""

import json as jsons
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter
from rich.console import Console

from globe_sms.flows.command_line.shared_parameters import AwsBlock, Json
from globe_sms.tasks.store.open_store import open_existing
from globe_sms.tasks.store.s3_access import S3Access

_PLACE: Final = "Where the campaigns are kept: s3://bucket/prefix or a directory."
_WIDTH_WITHOUT_TERMINAL: Final = 180
_INCOMPLETE: Final = 1


def add_inquiries(app: App) -> None:
    """Add the commands to a command line."""
    for command in (campaigns, show, explain):
        app.command(command, name=command.__name__)


def campaigns(
    results: Annotated[str, Parameter(name=["--results"], help=_PLACE)],
    *,
    aws_credentials: AwsBlock = None,
    json: Json = False,
) -> None:
    """List the campaigns of a results folder, latest first: what ran, when, and what's left.

    Counts come from the results that the last run wrote; `~` means that a run has
    changed them since. For what's under way now, use `globe-sms show`.
    """
    from globe_sms.flows.command_line.inquiry_tables import campaigns_table
    from globe_sms.tasks.inquiry.list_campaigns import read_campaigns

    store = open_existing(results, s3_of(aws_credentials))
    found = read_campaigns(store)
    if json:
        write_json({"results": store.uri, "campaigns": [campaign.as_json() for campaign in found]})
    elif found:
        output_console().print(campaigns_table(found))
    else:
        output_console().print(f"{store.uri} has no campaigns.", markup=False, soft_wrap=True)


def show(
    campaign: Annotated[str, Parameter(name=["--campaign"], help="The campaign's id.")],
    *,
    results: Annotated[str, Parameter(help=_PLACE)],
    prices: Annotated[
        str | None, Parameter(help="A table (country or prefix, price of a part, currency), to say what it cost.")
    ] = None,
    aws_credentials: AwsBlock = None,
    json: Json = False,
) -> None:
    """Show one campaign: its frozen settings, its plan, and the status of its rows, even while it's being sent.

    While a run is under way, or after it was killed, the figures come from the
    ledger as it is now.
    """
    from globe_sms.flows.command_line.delivery_bars import delivery_bars
    from globe_sms.flows.command_line.terminal_pages import page_for_terminal
    from globe_sms.tasks.inquiry.show_campaign import look_at
    from globe_sms.tasks.inquiry.show_page import show_page
    from globe_sms.tasks.reports.prices import read_prices

    s3 = s3_of(aws_credentials)
    store = open_existing(results, s3)
    with tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch:
        view = look_at(store, campaign, Path(scratch), s3, prices=read_prices(prices, s3))
    if json:
        write_json(view.as_json())
        return
    console = output_console()
    console.print(page_for_terminal(show_page(view)))
    if view.deliveries is not None and view.deliveries.figures.total.messages:
        console.print(delivery_bars(view.deliveries.figures))


def explain(
    number: Annotated[
        str, Parameter(name=["--number"], allow_leading_hyphen=True, help="A phone number; - reads it from stdin.")
    ],
    *,
    results: Annotated[str, Parameter(help=_PLACE)],
    default_region: Annotated[
        str | None, Parameter(help="Region of the number if it has no country code, like SG.")
    ] = None,
    aws_credentials: AwsBlock = None,
    json: Json = False,
) -> int:
    """Show everything that happened to one number in all campaigns of a results folder, in time order.

    Planned, claimed, each call with its task and request id, accepted, failed,
    unknown, resent, delivered. The number is printed masked.
    """
    from globe_sms.flows.command_line.inquiry_tables import events_table
    from globe_sms.tasks.inquiry.explain_number import explain as find_events

    s3 = s3_of(aws_credentials)
    asked = sys.stdin.readline().strip() if number == "-" else number
    found = find_events(open_existing(results, s3), asked, s3, default_region=default_region)
    if json:
        write_json(found.as_json())
    else:
        console = output_console()
        console.print(f"{found.number}: {found.sentence()}", markup=False, soft_wrap=True)
        if found.events:
            console.print(events_table(found.events))
    for entry in found.unreadable:
        Console(stderr=True, highlight=False).print(
            f"globe-sms: {entry.campaign} is left out: {entry.fault}", markup=False, soft_wrap=True
        )
    return _INCOMPLETE if found.unreadable else 0


def s3_of(block: str | None) -> Callable[[], S3Access]:
    """Return the access to S3 with the credentials of a block, or of the environment."""
    if block is None:
        return cache(S3Access.from_environment)
    from globe_sms.tasks.runs.aws_credentials import open_s3

    return cache(lambda: open_s3(block))


def output_console() -> Console:
    """Return what a command prints its answer with."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH_WITHOUT_TERMINAL)


def write_json(answer: dict[str, Any]) -> None:
    """Write a command's answer as one line of JSON."""
    sys.stdout.write(jsons.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()
