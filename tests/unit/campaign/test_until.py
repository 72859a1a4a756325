"""When a campaign ends: a time of the day it began, a date and time, or the end of that day's hours."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.until import check_until, read_until
from globe_sms.tasks.vocabulary.errors import InputError

DAY, NIGHT = Hours.parse("09:00-20:00"), Hours.parse("20:00-02:00")
SINGAPORE, NEW_YORK, KOLKATA = "Asia/Singapore", "America/New_York", "Asia/Kolkata"
CAMPAIGN = {"recipients": "list.csv", "message": "Hi", "type": "NOTIFY", "results": "out"}


def end_of(until: str, began: str, *zones: str, hours: Hours | None = DAY) -> str:
    """The end of a campaign that began at a time in Singapore, by Singapore's clock."""
    zone = ZoneInfo(SINGAPORE)
    end = read_until(until, datetime.fromisoformat(began).replace(tzinfo=zone), hours).end(zones)
    return datetime.fromtimestamp(end, zone).isoformat(timespec="minutes").removesuffix("+08:00")


@pytest.mark.parametrize(
    ("until", "end"),
    [
        ("18:00", "2026-11-30T18:00"),
        ("9:30", "2026-11-30T09:30"),
        ("2026-12-01T10:00", "2026-12-01T10:00"),
        ("2026-12-01 10:00", "2026-12-01T10:00"),
        ("2026-12-01T10:00Z", "2026-12-01T18:00"),
        ("2026-12-01T10:00+02:00", "2026-12-01T16:00"),
    ],
)
def test_a_time_is_of_the_day_and_zone_in_which_the_run_began(until: str, end: str) -> None:
    """Also one that has passed: a run that comes too late sends nothing, instead of sending until tomorrow."""
    assert end_of(until, "2026-11-30T18:30", SINGAPORE) == end


@pytest.mark.parametrize(
    ("began", "zones", "end"),
    [
        ("2026-11-30T10:00", (SINGAPORE,), "2026-11-30T20:00"),
        ("2026-11-30T08:00", (SINGAPORE,), "2026-11-30T20:00"),
        ("2026-11-30T20:00", (SINGAPORE,), "2026-11-30T20:00"),
        ("2026-11-30T08:00", (NEW_YORK,), "2026-11-30T09:00"),
        ("2026-11-30T10:00", (NEW_YORK,), "2026-11-30T10:00"),
        ("2026-11-30T08:00", (SINGAPORE, KOLKATA), "2026-11-30T20:00"),
        ("2026-11-30T10:00", (), "2026-11-30T10:00"),
        ("2026-11-30T10:00", ("Nowhere/City",), "2026-11-30T10:00"),
    ],
)
def test_the_hours_end_is_that_of_the_recipients_day(began: str, zones: tuple[str, ...], end: str) -> None:
    """Who has no hours left on that day gets nothing: the end is when the run began."""
    assert end_of("hours", began, *zones) == end


@pytest.mark.parametrize(
    ("began", "end"),
    [
        ("2026-11-30T01:00", "2026-11-30T02:00"),
        ("2026-11-30T03:00", "2026-12-01T02:00"),
        ("2026-11-30T21:00", "2026-12-01T02:00"),
    ],
)
def test_hours_past_midnight_end_on_the_next_day(began: str, end: str) -> None:
    assert end_of("hours", began, SINGAPORE, hours=NIGHT) == end


@pytest.mark.parametrize("text", ["25:00", "18:60", "soon", "2026-12-01", "18", "", "6591234567"])
def test_anything_else_is_refused_and_shown_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 18:00") as refused:
        check_until(text)
    assert "6591234567" not in str(refused.value)


@pytest.mark.parametrize(("more", "says"), [({}, "--hours"), ({"hours": "09:00-20:00", "type": "OTP"}, "OTP")])
def test_the_end_of_the_hours_needs_hours(more: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=r"^--until: ") as refused:
        CampaignConfig.checked(**{**CAMPAIGN, "until": "hours", **more})
    assert says in str(refused.value)


def test_the_end_is_by_the_time_zone_and_the_day_that_the_run_was_scheduled_for() -> None:
    """Scheduled for 22:00 in Singapore, started after midnight; the settings don't freeze it."""
    scheduled = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
    config = CampaignConfig.checked(**CAMPAIGN, until="23:30", time_zone=SINGAPORE, scheduled=scheduled)
    assert datetime.fromtimestamp(config.end.at, UTC).isoformat() == "2026-11-30T15:30:00+00:00"
    assert config.frozen_settings() == CampaignConfig.checked(**CAMPAIGN).frozen_settings()
    assert "scheduled" not in config.options()
