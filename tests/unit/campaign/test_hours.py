"""When it is open where, on ordinary days and on those on which the clocks change."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.vocabulary.errors import InputError

DAY = Hours.parse("09:00-20:00")
NIGHT = Hours.parse("20:00-02:00")
ZONES = ["Asia/Singapore", "Asia/Kathmandu", "Asia/Kolkata", "Europe/London", "America/St_Johns", "Australia/Lord_Howe"]
GIVEN = {"recipients": "a", "message": "a", "results": "o"}


def at(text: str) -> float:
    """Read a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("hours", "zones", "moment", "is_open"),
    [
        (DAY, ["Asia/Singapore"], "2026-11-24T00:59:59", False),
        (DAY, ["Asia/Singapore"], "2026-11-24T01:00:00", True),
        (DAY, ["Asia/Singapore"], "2026-11-24T11:59:59", True),
        (DAY, ["Asia/Singapore"], "2026-11-24T12:00:00", False),
        (DAY, ["Asia/Kolkata"], "2026-11-24T03:29:59", False),
        (DAY, ["Asia/Kolkata"], "2026-11-24T03:30:00", True),
        (DAY, ["Asia/Kathmandu"], "2026-11-24T03:15:00", True),
        # In all zones or not at all: Lisbon opens an hour after Madrid, and Madrid closes an hour before it.
        (DAY, ["Europe/Lisbon", "Europe/Madrid"], "2026-11-24T08:30:00", False),
        (DAY, ["Europe/Lisbon", "Europe/Madrid"], "2026-11-24T09:00:00", True),
        (DAY, ["Europe/Lisbon", "Europe/Madrid"], "2026-11-24T19:00:00", False),
        # Over midnight.
        (NIGHT, ["Asia/Singapore"], "2026-11-24T11:59:59", False),
        (NIGHT, ["Asia/Singapore"], "2026-11-24T12:00:00", True),
        (NIGHT, ["Asia/Singapore"], "2026-11-24T17:59:59", True),
        (NIGHT, ["Asia/Singapore"], "2026-11-24T18:00:00", False),
        # London's clocks went forward at 01:00 UTC on 2026-03-29 and back at 01:00 UTC on 2026-10-25.
        (DAY, ["Europe/London"], "2026-03-28T08:30:00", False),
        (DAY, ["Europe/London"], "2026-03-29T08:30:00", True),
        (DAY, ["Europe/London"], "2026-10-24T08:30:00", True),
        (DAY, ["Europe/London"], "2026-10-25T08:30:00", False),
        # The hour that is there twice counts twice, the one that is skipped not at all.
        (Hours.parse("01:00-02:00"), ["Europe/London"], "2026-10-25T00:30:00", True),
        (Hours.parse("01:00-02:00"), ["Europe/London"], "2026-10-25T01:30:00", True),
        (Hours.parse("01:00-02:00"), ["Europe/London"], "2026-03-29T01:30:00", False),
        (Hours.parse("20:00-24:00"), ["UTC"], "2026-11-24T23:59:59", True),
        (Hours.parse("20:00-24:00"), ["UTC"], "2026-11-24T00:00:00", False),
        # Nobody knows the time there: closed.
        (DAY, [], "2026-11-24T12:00:00", False),
        (DAY, ["Nowhere/Atlantis"], "2026-11-24T12:00:00", False),
        (DAY, ["Europe/London", "Nowhere/Atlantis"], "2026-11-24T12:00:00", False),
    ],
)
def test_it_is_open_by_the_clock_on_the_wall(hours: Hours, *, zones: list[str], moment: str, is_open: bool) -> None:
    """From the first second to the last."""
    assert hours.is_open(zones, at(moment)) is is_open


TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@settings(max_examples=50)
@given(
    TIMES,
    TIMES,
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=2),
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30), timezones=st.just(UTC)),  # noqa: DTZ001  # timezones= adds it
)
def test_what_is_said_to_come_next_is_what_a_minute_by_minute_look_finds(
    opens: time, closes: time, zones: list[str], start: datetime
) -> None:
    """Over a day and a half, changes of the clocks included."""
    closes = closes if closes != opens else closes.replace(hour=(opens.hour + 1) % 24)
    hours = Hours.parse(f"{opens:%H:%M}-{closes:%H:%M}")
    after = start.timestamp()
    until = after + 36 * 3_600
    first = after // 60 * 60 + 60
    minutes = [after, *(first + 60 * number for number in range(36 * 60))]
    looked = [(minute, hours.is_open(zones, minute)) for minute in minutes if minute <= until]
    assert hours.next_open(zones, after, until) == next((minute for minute, is_open in looked if is_open), None)
    if hours.is_open(zones, after):
        closes_at = next((minute for minute, is_open in looked if not is_open), until)
        assert hours.next_closed(zones, after, until) == closes_at


@settings(max_examples=50)
@given(TIMES, TIMES, TIMES, TIMES, TIMES)
def test_what_two_hours_have_in_common_is_open_where_both_are(
    opens: time, closes: time, also_opens: time, also_closes: time, clock: time
) -> None:
    """Also where that is two spans of the day, as of 20:00-10:00 and 09:00-21:00."""
    assume(opens != closes)
    assume(also_opens != also_closes)
    one, other = (
        Hours.parse(f"{begins:%H:%M}-{ends:%H:%M}") for begins, ends in ((opens, closes), (also_opens, also_closes))
    )
    moment = at(f"2026-11-24T{clock}")
    common = one.within(other)
    both = one.is_open(["UTC"], moment) and other.is_open(["UTC"], moment)
    assert (common is not None and common.is_open(["UTC"], moment)) == both
    assert common is None or Hours.parse(str(common)) == common


def test_hours_may_have_several_spans() -> None:
    """Written by a user, or left by two hours in common."""
    assert str(Hours.parse("20:00-10:00").within(Hours.parse("09:00-21:00"))) == "09:00-10:00, 20:00-21:00"
    assert str(Hours.parse("14:00-20:00,9:00-13:00")) == "09:00-13:00, 14:00-20:00"
    assert str(Hours.parse("22:00-24:00, 00:00-02:00")) == "22:00-02:00"
    assert Hours.parse("09:00-12:00").within(Hours.parse("12:00-20:00")) is None


def test_hours_of_a_day_end_with_its_last_span() -> None:
    hours = Hours.parse("10:00-13:00, 14:00-20:00")
    for moment in ("2026-11-24T09:00:00", "2026-11-24T12:00:00", "2026-11-24T13:30:00", "2026-11-24T19:00:00"):
        assert hours.end_of_day(["UTC"], at(moment)) == at("2026-11-24T20:00:00")
    assert hours.end_of_day(["UTC"], at("2026-11-24T21:00:00")) == at("2026-11-24T21:00:00")


def test_hours_that_never_fit_all_zones_never_open() -> None:
    """Nine to five is nowhere the same time from Kaliningrad to Kamchatka."""
    zones = ["Europe/Kaliningrad", "Asia/Kamchatka"]
    assert Hours.parse("09:00-17:00").next_open(zones, at("2026-11-24T00:00:00"), at("2026-11-27T00:00:00")) is None


def test_on_the_day_after_the_clocks_change_it_opens_by_the_new_time() -> None:
    """An hour earlier in UTC in spring."""
    before = at("2026-03-28T21:00:00")
    opens = DAY.next_open(["Europe/London"], before, before + 86_400)
    assert opens == at("2026-03-29T08:00:00")
    assert datetime.fromtimestamp(opens, ZoneInfo("Europe/London")).time() == time(9)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9-20", "write them like"),
        ("09:00", "write them like"),
        ("25:00-26:00", "isn't a time of day"),
        ("09:60-10:00", "isn't a time of day"),
        ("09:00-09:00", "same time"),
        ("00:00-24:00", "same time"),
        ("00:00-12:00, 12:00-24:00", "whole day"),
        (" ", "write them like"),
    ],
)
def test_hours_that_are_none_are_refused(text: str, words: str) -> None:
    """In a sentence that shows how to write them."""
    with pytest.raises(InputError, match=f"--hours: .*{words}"):
        CampaignConfig.checked(**GIVEN, type="MKT", hours=text)


def test_hours_are_frozen_and_the_wait_is_not() -> None:
    """A resume may wait longer; codes have no hours at all."""
    plain = CampaignConfig.checked(**GIVEN, type="MKT")
    hours = CampaignConfig.checked(**GIVEN, type="MKT", hours="9:00-20:00")
    assert hours.frozen_settings()["hours"] == "09:00-20:00"
    assert hours.frozen_settings() != plain.frozen_settings()
    assert (
        CampaignConfig.checked(**GIVEN, type="MKT", hours="09:00-20:00", hours_wait="2d").frozen_settings()
        == hours.frozen_settings()
    )
    code = CampaignConfig.checked(**GIVEN, type="OTP", hours="09:00-20:00")
    assert code.quiet_hours is None
    assert code.frozen_settings() == CampaignConfig.checked(**GIVEN, type="OTP").frozen_settings()
    assert CampaignConfig.checked(**hours.options()) == hours
