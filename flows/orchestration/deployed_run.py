"""What a run of a deployment needs beyond one in a terminal: its deployment's values, an ID, and places that last."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.options.flow_parameters import flatten_options, null_options
from globe_sms.tasks.vocabulary.errors import InputError

_TEMPORARY: Final = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108  # refused, not written to


def in_place_of_nulls(options: Mapping[str, Any], flow_run: FlowRun) -> dict[str, Any]:
    """Return the options, with the deployment's value for each one that is null in the run.

    Prefect's UI stores null for every field of a schedule that nobody filled in; without this, editing a schedule's
    cron would take its campaign ID away.
    """
    nulls = null_options(flow_run.parameters)
    if flow_run.deployment_id is None or not nulls:
        return dict(options)
    with get_client(sync_client=True) as client:
        own = flatten_options(client.read_deployment(flow_run.deployment_id).parameters)
    return {**options, **{name: own[name] for name in nulls if own.get(name) is not None}}


def check_campaign_id(campaign: str | None, flow_run: FlowRun) -> None:
    """Refuse a deployed run without a campaign ID: an ID made of the lists changes with them, and texts people twice.

    Raises:
        InputError: the campaign ID is missing.
    """
    if campaign or flow_run.deployment_id is None:
        return
    if flow_run.auto_scheduled:
        raise InputError(
            "Campaign ID: it's empty, and a schedule started this run, so nothing was sent. Enter one with the date in "
            "it, such as daily-{date}, in the deployment's parameters: then each day's campaign is sent once."
        )
    raise InputError(
        "Campaign ID: it's empty, so nothing was sent. Give the campaign a name, such as opening-2026-11: running it "
        "again under this name continues it and texts nobody twice."
    )


def check_places(config: CampaignConfig, flow_run: FlowRun) -> None:
    """Refuse places of a campaign that are lost with a deployed run: its results, and the table that it's in.

    Raises:
        InputError: as `check_lasting`.
    """
    check_lasting("Results folder", config.results, flow_run)
    check_lasting("Publish to", config.publish, flow_run, remembers=False)


def check_lasting(what: str, place: str | None, flow_run: FlowRun, *, remembers: bool = True) -> None:
    """Refuse a place that is lost with a deployed run; a run in a terminal may use any.

    `what` is the place's name in the message; `place` an s3:// prefix, a path, or None for no place of its own. What
    `remembers` who was texted keeps them from being texted again.

    Raises:
        InputError: it's a relative path, or inside a temporary folder or the run's working directory.
    """
    if flow_run.deployment_id is None or place is None or "://" in place:
        return
    path = Path(place).expanduser()
    if not path.is_absolute():
        problem = "is a path relative to this run's working directory"
    elif any(path.resolve().is_relative_to(folder) for folder in _folders_of_the_run()):
        problem = "is inside a temporary folder or this run's working directory"
    else:
        return
    then = "; then the same campaign would text everyone again" if remembers else ""
    raise InputError(
        f"{what}: {place!r} {problem}, and is lost when the run ends{then}. Nothing was sent. Enter "
        "s3://bucket/prefix, or an absolute path on a disk that is kept."
    )


def _folders_of_the_run() -> set[Path]:
    folders = {Path(each).resolve() for each in (*_TEMPORARY, tempfile.gettempdir(), Path.cwd())}
    return {folder for folder in folders if folder != folder.parent}  # not the root, where a container may start
