"""What people are told of an account's schedule."""

import itertools
from pathlib import Path

import pytest

from globe_sms.deployments.sandbox.gateway.rate_window import SlidingWindow
from globe_sms.tasks.pacing.account_schedule import Schedule
from globe_sms.tasks.pacing.schedule_state import ScheduleState, read_schedule
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import StoreError


def called(folder: Path, limit: float, admits: int, *, seconds: float = 60.0, every: int = 0) -> ScheduleState:
    """Call for a while at a limit; the gateway admits so many a second, and throttles each nth call besides."""
    now = [1_800_000_000.0]
    store = LocalStore(folder)
    schedule = Schedule(store, "account", limit, clock=lambda: now[0], sender="spring on a-host")
    gateway, calls = SlidingWindow(admits), itertools.count(1)
    while now[0] < 1_800_000_000.0 + seconds:
        for at in schedule.reserve(max(1, int(limit / 2)), now[0]).times():
            now[0] = at
            if gateway.has_room(at) and not (every and next(calls) % every == 0):
                gateway.take(at)
            else:
                schedule.slow_down(0.0)
    state = read_schedule(store, "account", now[0])
    assert state is not None
    return state


def test_a_limit_that_is_set_too_high_is_named_with_the_figure_to_set(tmp_path: Path) -> None:
    state = called(tmp_path, 50.0, 31)
    assert state.admitted is not None
    assert 27 <= state.admitted <= 31
    assert f"admits about {state.admitted:g} calls a second, not 50" in (state.advice() or "")


@pytest.mark.parametrize("limit", [1.0, 2.0, 50.0])
def test_calls_that_are_throttled_now_and_then_are_no_reason_to_lower_the_limit(tmp_path: Path, limit: float) -> None:
    """Delays are what slack is for: a limit that is right must not be given away."""
    state = called(tmp_path, limit, int(limit), seconds=120.0, every=40)
    assert state.last_hour.throttled >= 2
    assert state.advice() is None


def test_the_schedule_says_who_sends_and_what_was_throttled(tmp_path: Path) -> None:
    state = called(tmp_path, 2.0, 2, every=10, seconds=45.0)
    assert [(sender.name, sender.rate) for sender in state.senders] == [("spring on a-host", 2.0)]
    assert state.as_json()["last_hour"]["throttled"] == state.last_hour.throttled >= 5
    assert state.slack > 0.05
    assert "1 other run" in state.sentence()
    later = read_schedule(LocalStore(tmp_path), "account", 1_800_000_000.0 + 7_200)
    assert later is not None
    assert (later.senders, later.last_hour.calls, later.slack) == ((), 0, state.slack)
    assert "no other run" in later.sentence()


def test_an_account_that_never_sent_has_no_schedule_and_a_broken_one_is_named(local_store: LocalStore) -> None:
    assert read_schedule(local_store, "account", 0.0) is None
    local_store.put_if_absent("account.json", b'{"runs": 1}')
    with pytest.raises(StoreError, match=r"account\.json"):
        read_schedule(local_store, "account", 0.0)
