"""Dates in lists and campaign ids."""

from datetime import UTC, datetime, timedelta

import pytest

from globe_sms.flows.orchestration.scheduled_start import too_late
from globe_sms.tasks.campaign.date_placeholders import fill, fill_options, time_zone
from globe_sms.tasks.vocabulary.errors import InputError

AT = datetime(2026, 11, 30, 17, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://lists/{date}/", "s3://lists/2026-12-01/"),
        ("{year}{month}{day}-{hour}", "20261201-01"),
        ("no placeholder", "no placeholder"),
        ("{date}{date}", "2026-12-012026-12-01"),
        ("a{1}b{}c{a,b}{ date }", "a{1}b{}c{a,b}{ date }"),
        ("half {date", "half {date"),
    ],
)
def test_placeholders_are_filled_in_the_zone_of_the_time(text: str, expected: str) -> None:
    """17:05 UTC is tomorrow, one o'clock, in Singapore; braces around anything but a word belong to the text."""
    assert fill(text, AT.astimezone(time_zone("Asia/Singapore"))) == expected


@pytest.mark.parametrize("text", ["s3://lists/{Date}/", "{minute}", "x-{date}-{campaign}"])
def test_an_unknown_placeholder_is_an_input_error_that_names_those_there_are(text: str) -> None:
    with pytest.raises(InputError, match=r"\{date\}, \{year\}, \{month\}, \{day\}, \{hour\}"):
        fill(text, AT)


@pytest.mark.parametrize("name", ["Asia/Singapur", "", "/etc/passwd", "Asia", "../UTC"])
def test_a_time_zone_that_is_none_is_an_input_error(name: str) -> None:
    with pytest.raises(InputError, match="Asia/Singapore"):
        time_zone(name)


def test_lists_and_campaign_are_filled_and_the_message_is_not() -> None:
    """Texts have placeholders of their own."""
    parameters = {"recipients": ["a-{day}", "b"], "campaign": "daily-{date}", "message": "Hi {name}", "results": "x"}
    assert fill_options(parameters, AT) == {
        "recipients": ["a-30", "b"],
        "campaign": "daily-2026-11-30",
        "message": "Hi {name}",
        "results": "x",
    }
    assert fill_options({"recipients": "one-{day}", "campaign": None}, AT) == {
        "recipients": ["one-30"],
        "campaign": None,
    }


@pytest.mark.parametrize(
    ("minutes_late", "allowed", "is_late"), [(5, None, False), (60, 60, False), (61, 60, True), (0.5, 0, True)]
)
def test_a_run_is_late_beyond_the_stated_age(minutes_late: float, allowed: int | None, is_late: bool) -> None:  # noqa: FBT001
    message = too_late(AT, allowed, AT + timedelta(minutes=minutes_late))
    assert (message is not None) is is_late
    if message:
        assert "nothing was sent" in message
