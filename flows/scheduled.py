"""The time that a run was scheduled for: its dates are filled from it, and a run that is too late does not send."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from prefect.runtime import flow_run

from tasks.templates import fill, time_zone


def scheduled_time(zone: str) -> datetime:
    """Return when this run was to start, in that time zone; a retry, or a run that waited, keeps its first time.

    A run that nobody has scheduled has the time of its start.

    Raises:
        InputError: there is no such time zone.
    """
    scheduled: datetime | None = flow_run.scheduled_start_time
    return (scheduled or datetime.now(UTC)).astimezone(time_zone(zone))


def lateness(scheduled: datetime, latest_start_minutes: int | None, now: datetime | None = None) -> str | None:
    """Say in a sentence that a run comes too late to send; None if it does not."""
    late = ((now or datetime.now(UTC)) - scheduled).total_seconds() / 60
    if latest_start_minutes is None or late <= latest_start_minutes:
        return None
    return (
        f"Scheduled for {scheduled:%Y-%m-%d %H:%M %Z}, started {late:,.0f} minutes later, allowed are "
        f"{latest_start_minutes:,}: nothing was sent. To send it all the same, run it by hand with the campaign id of "
        "its day."
    )


def filled(parameters: Mapping[str, Any], scheduled: datetime) -> dict[str, Any]:
    """Return the flow's parameters with the dates in lists and campaign id filled in.

    Raises:
        InputError: a placeholder is none of those that there are.
    """
    recipients, campaign = parameters["recipients"], parameters["campaign"]
    return {
        **parameters,
        "recipients": [fill(uri, scheduled) for uri in ([recipients] if isinstance(recipients, str) else recipients)],
        "campaign": None if campaign is None else fill(campaign, scheduled),
    }
