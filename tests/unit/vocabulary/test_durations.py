"""Durations as people write them: every option that takes one reads it the same way."""

from collections.abc import Callable

import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError


def hours_wait(text: str) -> float:
    given = {"recipients": "a", "message": "a", "results": "o", "type": "MKT"}
    return CampaignConfig.checked(**given, hours="9:00-20:00", hours_wait=text).hours_wait_seconds


def wait(text: str) -> float:
    return TrackingConfig.checked(campaign="c", results="./out", wait=text).wait_seconds


OPTIONS = pytest.mark.parametrize("read", [hours_wait, wait])


@OPTIONS
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0h", 0),
        ("45s", 45),
        ("30m", 1_800),
        ("90m", 5_400),
        ("30 min", 1_800),
        ("1.5h", 5_400),
        ("1h 30m", 5_400),
        ("12h", 43_200),
        (" 12 H ", 43_200),
        ("1d12h", 129_600),
        ("7d", 604_800),
    ],
)
def test_a_duration_is_read_as_people_write_it(read: Callable[[str], float], text: str, seconds: float) -> None:
    assert read(text) == seconds


@OPTIONS
@pytest.mark.parametrize("text", ["1", "12", "h", "1 year", "-1h", "1h x", "1h,30m", "1h 0", "٣h", "99999999999h", " "])
def test_a_text_that_is_not_a_duration_is_refused(read: Callable[[str], float], text: str) -> None:
    """The message names the option and shows how to write a duration."""
    with pytest.raises(InputError, match=r"wait: .*isn't a duration: write it like"):
        read(text)


@pytest.mark.parametrize(("read", "text", "days"), [(hours_wait, "7d1s", 7), (wait, "31d", 30)])
def test_a_duration_that_is_too_long_is_refused(read: Callable[[str], float], text: str, days: int) -> None:
    """Each option has its own limit."""
    with pytest.raises(InputError, match=f"wait: '{text}' is longer than {days} days"):
        read(text)


def test_an_empty_text_is_not_a_duration() -> None:
    with pytest.raises(InputError, match="isn't a duration"):
        seconds_of("", longest_days=1)
