"""The account's rate in any sliding second."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.deployments.sandbox.gateway.rate_window import SlidingWindow, busiest_second


def test_one_call_a_second_means_a_whole_second_between_two() -> None:
    """Not one per clock second: 0.75 and 1.25 share a second."""
    window = SlidingWindow(1)
    window.take(0.75)
    assert not window.has_room(1.25)
    assert not window.has_room(1.7499)
    assert window.has_room(1.75)


def test_a_burst_is_within_the_limit_until_it_is_over_it() -> None:
    """Three a second may arrive at once; the fourth waits until the first one's second ends."""
    window = SlidingWindow(3)
    for arrived in (10.0, 10.0, 10.4):
        assert window.has_room(arrived)
        window.take(arrived)
    assert not window.has_room(10.9)
    assert window.has_room(11.0)


def test_a_call_checked_late_counts_at_its_arrival() -> None:
    """A slow body doesn't move a call out of its second."""
    window = SlidingWindow(1)
    window.take(5.0)
    assert not window.has_room(4.5)
    assert window.has_room(4.0)


@settings(deadline=None)
@given(
    limit=st.integers(1, 5),
    arrivals=st.lists(st.integers(0, 4000).map(lambda millis: millis / 1000), max_size=40),
)
def test_the_window_neither_exceeds_the_limit_nor_refuses_needlessly(limit: int, arrivals: list[float]) -> None:
    """In any order of arrivals, the window agrees with a simple count."""
    window, taken = SlidingWindow(limit), list[float]()
    for arrived in arrivals:
        room = window.has_room(arrived)
        assert room is (busiest_second([*taken, arrived]) <= limit)
        if room:
            window.take(arrived)
            taken.append(arrived)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5000).map(lambda millis: millis / 1000), max_size=30))
def test_the_busiest_second_agrees_with_a_simple_count(arrivals: list[float]) -> None:
    """The two-pointer count equals the slow one."""
    by_hand = max((sum(1 for other in arrivals if 0 <= other - first < 1) for first in arrivals), default=0)
    assert busiest_second(arrivals) == by_hand


@pytest.mark.parametrize("calls", [100_000])
def test_old_arrivals_are_forgotten(calls: int) -> None:
    """A day-long campaign doesn't slow the window down: it only remembers minutes."""
    window = SlidingWindow(1)
    for arrived in itertools.islice(itertools.count(), calls):
        window.take(float(arrived))
    assert len(window._taken) < 1000
