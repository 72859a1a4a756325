"""The settings of a campaign's last run, from what Prefect has recorded of it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from globe_sms.flows.orchestration.deployed_run import in_place_of_nulls
from globe_sms.tasks.campaign.date_placeholders import fill_options, time_zone
from globe_sms.tasks.campaign.options.flow_parameters import flatten_options
from globe_sms.tasks.vocabulary.errors import InputError

_FLOW: Final = "send-campaign"
_SENT: Final = ("Completed", "CompletedWithUnknown", "AllFailed", "Stopped", "Cancelled", "Cancelling", "Crashed")
_PAGE: Final = 200
_MOST_RUNS: Final = 2_000


def settings_of_last_run(campaign: str, results: str) -> dict[str, Any]:
    """Return the flat options of the last run that sent the campaign, with its dates filled in.

    Raises:
        InputError: the server has no such run, or doesn't answer.
    """
    with get_client(sync_client=True) as client:
        for run in _runs(client):
            options = _options(run)
            if options is not None and options["campaign"] == campaign and _place(options) == results.rstrip("/"):
                return options
    raise InputError(
        f"Campaign ID: this Prefect server has no run that sent {campaign!r} with this results folder. Check both; or "
        'start the campaign as it was sent, with "Numbers left unknown" set to resend.'
    )


def _runs(client: SyncPrefectClient) -> Iterator[FlowRun]:
    flows = FlowFilter(name=FlowFilterName(any_=[_FLOW]))
    for offset in range(0, _MOST_RUNS, _PAGE):
        page = client.read_flow_runs(
            flow_filter=flows, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=_PAGE, offset=offset
        )
        yield from page
        if len(page) < _PAGE:
            return


def _options(run: FlowRun) -> dict[str, Any] | None:
    """Return the run's flat options; None if it sent nothing: a dry run, a test, or one that was refused."""
    if run.state_name not in _SENT or not run.parameters.get("campaign"):
        return None
    at = run.expected_start_time or datetime.now(UTC)
    try:
        options = in_place_of_nulls(flatten_options(run.parameters), run)
        if options.get("dry_run") or options.get("test_to"):
            return None
        return fill_options(options, at.astimezone(time_zone(options.get("time_zone") or "UTC")))
    except InputError:
        return None  # it can't have sent anything


def _place(options: Mapping[str, Any]) -> str:
    return str(options.get("results", "")).rstrip("/")
