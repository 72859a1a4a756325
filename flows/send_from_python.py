"""`globe_sms.send`: a campaign from a notebook or a program."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from globe_sms.flows.option_signatures import python_parameters, takes
from globe_sms.flows.orchestration.ending_errors import error_of_campaign
from globe_sms.flows.server_address import names_server
from globe_sms.flows.without_server import send_without_server
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.date_placeholders import fill_options, time_zone
from globe_sms.tasks.campaign.options.words import in_python_words
from globe_sms.tasks.recipients.frames import Frame, Recipients, is_frame
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.runs.keep_frames import keep_frames
from globe_sms.tasks.vocabulary.errors import InputError


@takes(python_parameters())
def send(*lists: Recipients, **options: Any) -> CampaignReport:
    """Send a campaign to the lists, or resume it, and return its report.

    With a Prefect server (`PREFECT_API_URL`, or a profile's) it runs the flow `send-campaign`, without one the same
    steps in this process, at once. Lists are URIs, paths or frames (polars, pandas, pyarrow, DuckDB: whatever has
    `__arrow_c_stream__`), one by one or in a sequence. A frame is kept as a parquet file in the campaign's folder; the
    same rows are the same list. The options are those of `globe-sms send` with underscores, side by side:
    `send("members.csv", message="Hi", type="NOTIFY", results="out", max_cost=20, prices="prices.csv")`.

    Raises:
        InputError: the lists or options are wrong, with a line for each; nothing was sent.
        CampaignStoppedError: the campaign was stopped or declined; `.report` says how far it came.
        AllFailedError: the gateway refused every number.
    """
    try:
        now = datetime.now(time_zone(options.get("time_zone") or "UTC"))
        given = tuple(_lists(lists))
        names = tuple(each if isinstance(each, str) else f"frame {place}" for place, each in enumerate(given, 1))
        filled = fill_options({"recipients": names, **options}, now)
        config = CampaignConfig.checked(**filled)
        uris = [name if isinstance(each, str) else each for name, each in zip(config.recipients, given, strict=True)]
        config = keep_frames(config, uris)
    except InputError as error:
        raise InputError(in_python_words(str(error))) from None
    if names_server():
        from globe_sms.flows.send_campaign import send_campaign

        return send_campaign(**config.parameters())
    report = send_without_server(config)
    error = error_of_campaign(report)
    if error is not None:
        raise error
    return report


def _lists(lists: Iterable[Any]) -> Iterator[str | Frame]:
    for given in lists:
        if isinstance(given, str | Path):
            yield str(given)
        elif isinstance(given, list | tuple):
            yield from _lists(cast("Iterable[Any]", given))
        elif is_frame(given):
            yield given
        else:
            raise InputError(
                f"recipients: {type(given).__name__} isn't a URI, a path or a frame: say where the list is"
            )
