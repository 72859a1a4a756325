"""The turns of queries: no sliding second exceeds the limit, however slow the loop or the store is."""

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from globe_sms.deployments.sandbox.gateway.rate_window import busiest_second
from globe_sms.tasks.pacing.account_schedule import Schedule, Turns
from globe_sms.tasks.pacing.async_pacer import QUERY_MARGIN, QueryTurns
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError

EPOCH = 1_700_000_000.0


class Clock:
    """A clock that advances when a task sleeps, by `lateness` more than asked."""

    def __init__(self, lateness: Callable[[], float] = lambda: 0.0) -> None:
        self.now = 50.0
        self.lateness = lateness

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return EPOCH + self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + self.lateness()
        await asyncio.sleep(0)


async def call_at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call it here: a thread would take real time, in which the test's clock stands still."""
    return function(*arguments)


def departures(clock: Clock, turns: QueryTurns, count: int) -> list[float]:
    async def take() -> list[float]:
        times: list[float] = []
        for _ in range(count):
            await turns.take()
            times.append(clock.now)
        await turns.leave()
        return times

    return asyncio.run(take())


def turns_of(clock: Clock, store: LocalStore, rate: float = 300.0) -> QueryTurns:
    schedule = Schedule(store, "account-queries", rate, clock=clock.wall, margin=QUERY_MARGIN)
    return QueryTurns(schedule, clock=clock.wall, monotonic=clock.monotonic, sleep=clock.sleep, in_thread=call_at_once)


@pytest.mark.parametrize("rate", [300.0, 20.0, 0.5])
def test_turns_come_at_the_rate_less_its_margin(local_store: LocalStore, rate: float) -> None:
    clock = Clock()
    times = departures(clock, turns_of(clock, local_store, rate), 900)
    assert busiest_second(times) <= max(1, rate)
    assert 0.95 * rate <= (len(times) - 1) / (times[-1] - times[0]) <= rate


def test_a_loop_that_wakes_late_neither_loses_turns_nor_exceeds_the_limit(local_store: LocalStore) -> None:
    """Up to a millisecond always, and 0.1 s now and then."""
    late = itertools.cycle([0.0004, 0.0009, *[0.0007] * 120, 0.1])
    clock = Clock(lambda: next(late))
    times = departures(clock, turns_of(clock, local_store), 3_000)
    assert busiest_second(times) <= 300
    assert (len(times) - 1) / (times[-1] - times[0]) >= 0.95 * 300 * 0.98


def test_two_trackers_share_the_limit(local_store: LocalStore) -> None:
    """Each on its own, through one schedule."""
    both: list[list[float]] = [[], []]
    clock = Clock()

    async def track() -> None:
        pair = [turns_of(clock, local_store), turns_of(clock, local_store)]
        for _ in range(1_000):
            for turns, times in zip(pair, both, strict=True):
                await turns.take()
                times.append(clock.now)
        for turns in pair:
            await turns.leave()

    asyncio.run(track())
    assert busiest_second([*both[0], *both[1]]) <= 300


class Timeline:
    """Time that passes for several tasks at once: to the next of their wake-ups, when all of them sleep."""

    def __init__(self) -> None:
        self.now = 50.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def wall(self) -> float:
        return EPOCH + self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        wakes = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (self.now + seconds, next(self._order), wakes))
        await wakes

    async def run(self, *work: Coroutine[Any, Any, None]) -> None:
        tasks = [asyncio.create_task(each) for each in work]
        while not all(task.done() for task in tasks):
            for _ in range(20):  # as often as a task may hand over before it sleeps
                await asyncio.sleep(0)
            if self._sleeping:
                self.now, _, wakes = heapq.heappop(self._sleeping)
                wakes.set_result(None)
        await asyncio.gather(*tasks)


def test_two_trackers_at_once_get_their_turns_by_turns(local_store: LocalStore) -> None:
    """Half a second of turns each, and together no more than the limit in any second, at nearly all of it."""
    timeline = Timeline()
    taken: list[tuple[float, int]] = []

    async def track(tracker: int) -> None:
        schedule = Schedule(local_store, "account-queries", 300.0, clock=timeline.wall, margin=QUERY_MARGIN)
        turns = QueryTurns(
            schedule, clock=timeline.wall, monotonic=timeline.monotonic, sleep=timeline.sleep, in_thread=call_at_once
        )
        for _ in range(2_000):
            await turns.take()
            taken.append((timeline.now, tracker))
        await turns.leave()

    asyncio.run(timeline.run(track(0), track(1)))
    times = [at for at, _ in taken]
    changes = sum(one != other for (_, one), (_, other) in itertools.pairwise(taken))
    assert busiest_second(times) <= 300
    assert len(times) - 1 >= 0.95 * 300 * 0.98 * (times[-1] - times[0])
    assert changes >= 4_000 / 150 - 2


class _Broken:
    """A schedule whose store doesn't answer for a while."""

    rate = 10.0

    def __init__(self, error: StoreError, times: int) -> None:
        self.error, self.times = error, times
        self.threads: set[int] = set()

    def reserve(self, count: int, earliest: float) -> Turns:
        self.threads.add(threading.get_ident())
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return Turns(earliest, 0.1, count)

    def leave(self) -> None:
        raise self.error


def test_the_loop_keeps_running_while_a_lost_store_comes_back() -> None:
    clock = Clock()
    schedule = _Broken(StoreUnavailableError("gone"), 5)
    turns = QueryTurns(schedule, clock=clock.wall, monotonic=clock.monotonic, sleep=clock.sleep, patience=10)  # type: ignore[arg-type] # a stand-in
    assert len(departures(clock, turns, 3)) == 3
    assert threading.get_ident() not in schedule.threads


@pytest.mark.parametrize("error", [StoreUnavailableError("gone"), StoreError("refused")])
def test_without_a_turn_no_query_is_made(error: StoreError) -> None:
    clock = Clock()
    schedule = _Broken(error, 10**6)
    turns = QueryTurns(schedule, clock=clock.wall, monotonic=clock.monotonic, sleep=clock.sleep, patience=10)  # type: ignore[arg-type] # a stand-in
    with pytest.raises(StoreError, match=str(error)):
        asyncio.run(turns.take())


def test_throttling_delays_the_next_turns(local_store: LocalStore) -> None:
    clock = Clock()
    turns = turns_of(clock, local_store)

    async def take() -> float:
        await turns.take()
        before = clock.now
        await turns.throttled(5.0)
        await turns.take()
        return clock.now - before

    assert asyncio.run(take()) >= 5.0


def test_many_queries_throttled_at_once_count_once_and_cost_few_turns(local_store: LocalStore) -> None:
    """Reserved turns are used: dropping them each time cost a third of the rate on a busy machine."""
    clock = Clock()
    turns = turns_of(clock, local_store)

    async def take() -> float:
        await turns.take()
        before = clock.now
        for _ in range(80):
            await turns.throttled(0.0)
        for _ in range(300):
            await turns.take()
        return clock.now - before

    assert asyncio.run(take()) < 1.2
