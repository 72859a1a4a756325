"""The commands that erase numbers and texts for good: `globe-sms purge` and `globe-sms forget`."""

import sys
import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

from cyclopts import Parameter

from globe_sms.flows.command_line.exit_codes import EXIT_OPEN, EXIT_SETTLED
from globe_sms.flows.command_line.inquiry_commands import output_console, s3_of, write_json
from globe_sms.flows.command_line.shared_parameters import AwsBlock, Json
from globe_sms.tasks.store.open_store import open_existing

_PLACE: Final = "Where the campaigns are kept: s3://bucket/prefix or a directory."
_RECEIPTS: Final = "Where delivery receipts are kept (receipts serve or pull --to); repeat it for more."
_APPLY: Final = "Erase for good. Without it, only what would be erased is listed."
_LONGEST_DAYS: Final = 36_500
_Results = Annotated[str, Parameter(name=["--results"], help=_PLACE)]
_Receipts = Annotated[tuple[str, ...], Parameter(help=_RECEIPTS)]
_Apply = Annotated[bool, Parameter(name=["--apply", "--yes"], help=_APPLY)]


def purge(
    *,
    results: _Results,
    older_than: Annotated[str, Parameter(help="How long ago a campaign must have ended: like 180d; 0 for all.")],
    receipts: _Receipts = (),
    unfinished: Annotated[
        bool, Parameter(help="Also erase campaigns that still have rows to send. These rows are then never sent.")
    ] = False,
    apply: _Apply = False,
    aws_credentials: AwsBlock = None,
    json: Json = False,
) -> int:
    """Erase the numbers and texts of campaigns that ended long ago. Counts, ids, statuses and times stay.

    A keyed hash takes the place of each number, so nobody gets a text twice, and
    `globe-sms explain` still finds what happened. Killed, it goes on when it's run
    again. A campaign that is being sent is left alone.
    """
    from globe_sms.tasks.retention.purge import purge as purge_campaigns
    from globe_sms.tasks.vocabulary.durations import seconds_of

    s3 = s3_of(aws_credentials)
    seconds = seconds_of(older_than, longest_days=_LONGEST_DAYS)
    with tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch:
        found = purge_campaigns(
            open_existing(results, s3),
            timedelta(seconds=seconds),
            Path(scratch),
            apply=apply,
            unfinished=unfinished,
            receipts=[open_existing(place, s3) for place in receipts],
            s3=s3,
        )
    _print(found, json=json)
    return EXIT_OPEN if found.kept else EXIT_SETTLED


def forget(
    number: Annotated[
        str, Parameter(name=["--number"], allow_leading_hyphen=True, help="A phone number; - reads it from stdin.")
    ],
    *,
    results: _Results,
    receipts: _Receipts = (),
    default_region: Annotated[
        str | None, Parameter(help="Region of the number if it has no country code, like SG.")
    ] = None,
    apply: _Apply = False,
    aws_credentials: AwsBlock = None,
    json: Json = False,
) -> int:
    """Erase one number from all campaigns of a results folder, and never text it from there again.

    Its hash stays, on an opt-out list, with a certificate of what was rewritten.
    """
    from globe_sms.tasks.retention.forget import forget as forget_number

    s3 = s3_of(aws_credentials)
    asked = sys.stdin.readline().strip() if number == "-" else number
    with tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch:
        found = forget_number(
            open_existing(results, s3),
            asked,
            Path(scratch),
            apply=apply,
            default_region=default_region,
            receipts=[open_existing(place, s3) for place in receipts],
            s3=s3,
        )
    _print(found, json=json)
    return EXIT_OPEN if found.busy else EXIT_SETTLED


class _Erased(Protocol):
    def as_json(self) -> dict[str, Any]: ...

    def sentences(self) -> Iterable[str]: ...


def _print(found: _Erased, *, json: bool) -> None:
    if json:
        write_json(found.as_json())
        return
    for line in found.sentences():
        output_console().print(line, markup=False, soft_wrap=True)
