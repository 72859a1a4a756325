"""The time that a run was scheduled for: its dates are filled from it, and a run that is too late does not send."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from prefect.runtime import flow_run

from globe_sms.tasks.campaign.date_placeholders import fill, time_zone
from globe_sms.tasks.campaign.option_groups import flatten_options
from globe_sms.tasks.vocabulary.errors import InputError


def scheduled_time(zone: str | None) -> datetime:
    """Return when this run was to start, in that time zone (UTC if empty); a retry, or a wait, keeps the first time.

    A run that isn't scheduled has the time of its start.

    Raises:
        InputError: there is no such time zone.
    """
    scheduled: datetime | None = flow_run.scheduled_start_time
    return (scheduled or datetime.now(UTC)).astimezone(time_zone(zone or "UTC"))


def run_name() -> str:
    """Return the name of this run: its campaign's id with the dates filled in, or the beginning of its own id."""
    parameters: Mapping[str, Any] = flow_run.parameters
    campaign = parameters.get("campaign")
    if not campaign:
        return f"send-{flow_run.id}"[:13]
    try:
        return fill(campaign, scheduled_time(flatten_options(parameters).get("time_zone")))
    except InputError:
        return str(campaign)  # the flow itself says what is wrong with it


def lateness(scheduled: datetime, latest_start_minutes: int | None) -> str | None:
    """Say in a sentence that this run comes too late to send; None if it does not.

    Only its first start is judged: who retries a run, or approves one that has waited, means it.
    """
    if flow_run.run_count > 1:
        return None
    return too_late(scheduled, latest_start_minutes, datetime.now(UTC))


def too_late(scheduled: datetime, latest_start_minutes: int | None, now: datetime) -> str | None:
    """Say in a sentence that `now` is too late; None if it is not."""
    late = (now - scheduled).total_seconds() / 60
    if latest_start_minutes is None or late <= latest_start_minutes:
        return None
    return (
        f"Scheduled for {scheduled:%Y-%m-%d %H:%M %Z}, started {late:,.0f} minutes later, allowed are "
        f"{latest_start_minutes:,}: nothing was sent. To send it all the same, run it by hand with the campaign id of "
        "its day."
    )
