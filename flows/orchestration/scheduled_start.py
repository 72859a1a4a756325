"""The time a run was scheduled for: dates are filled in from it, and a run that starts too late sends nothing."""

from datetime import UTC, datetime

from prefect.runtime import flow_run

from globe_sms.tasks.campaign.date_placeholders import time_zone


def scheduled_time(zone: str | None) -> datetime:
    """Return when this run was to start, in that time zone (UTC if empty); a retry, or a wait, keeps the first time.

    A run that isn't scheduled has the time of its start.

    Raises:
        InputError: the time zone is unknown.
    """
    scheduled: datetime | None = flow_run.scheduled_start_time
    return (scheduled or datetime.now(UTC)).astimezone(time_zone(zone or "UTC"))


def lateness(scheduled: datetime, latest_start_minutes: int | None) -> str | None:
    """Say that this run starts too late to send; None if it doesn't.

    Only the first start counts: a retry, or an approval after a wait, is a person's decision to send.
    """
    if flow_run.run_count > 1:
        return None
    return too_late(scheduled, latest_start_minutes, datetime.now(UTC))


def too_late(scheduled: datetime, latest_start_minutes: int | None, now: datetime) -> str | None:
    """Say that `now` is too late; None if it isn't."""
    late = (now - scheduled).total_seconds() / 60
    if latest_start_minutes is None or late <= latest_start_minutes:
        return None
    return (
        f"Scheduled for {scheduled:%Y-%m-%d %H:%M %Z}, but started {late:,.0f} minutes later; {latest_start_minutes:,} "
        "are allowed, so nothing was sent. To send it anyway, run it by hand with that day's campaign ID."
    )
