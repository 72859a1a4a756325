import contextlib
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.deployments.sandbox.gateway.rate_window import SlidingWindow
from globe_sms.tasks.pacing.account_schedule import SLOWEST_RATE, Schedule
from globe_sms.tasks.pacing.pacer import Departure, Pacer, TurnMissedError
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StoppedError, StopSignal


class Clock:
    """A clock that stands still until it's moved."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeStop(StopSignal):
    """A stop signal whose `wait` moves a clock instead of taking time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, seconds: float) -> bool:
        if self.stop is not None:
            return True
        self._clock.now += max(0.0, seconds)
        return False


class Kernel(FakeStop):
    """A stop signal that writes pending calls when they're due during a wait, and tells the pacer."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.pacer: Pacer | None = None
        self.pending: list[tuple[float, Departure]] = []
        self.written: list[float] = []

    def wait(self, seconds: float) -> bool:
        end = self._clock.now + max(0.0, seconds)
        for due in sorted(self.pending, key=lambda due: due[0]):
            at, departure = due
            if at <= end and self.pacer is not None:
                self._clock.now = at
                self.pacer.written(departure)
                self.written.append(at)
                self.pending.remove(due)
        self._clock.now = end
        return False


def schedule(store: Store, clock: Clock, rate: float = 1.0) -> Schedule:
    return Schedule(store, "account", rate, clock=clock)


def test_turns_are_an_interval_apart_and_never_in_the_past(store: Store) -> None:
    """1.01 s apart at one call a second; no burst follows an idle time."""
    clock = Clock()
    turns = schedule(store, clock)
    first = turns.reserve(1, clock()).first
    second = turns.reserve(1, clock()).first
    assert first == clock.now
    assert second - first == pytest.approx(1 / 0.99)
    clock.now += 60
    assert turns.reserve(1, clock()).first == clock.now


def test_runs_in_one_place_share_one_schedule(store: Store) -> None:
    """No two turns of any runs are closer than the interval."""
    clock = Clock()
    runs = [schedule(store, clock, 20) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        reserved = [
            turns
            for batch in pool.map(lambda run: [run.reserve(5, clock()) for _ in range(3)], runs)
            for turns in batch
        ]
    times = sorted(time for turns in reserved for time in turns.times())
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(times) == 60
    assert min(gaps) >= 1 / 20 - 1e-6
    assert max(gaps) == pytest.approx(1 / (20 * 0.99), abs=1e-6)


def test_the_lowest_rate_of_the_active_runs_holds_for_all(local_store: LocalStore) -> None:
    """The limit is the account's: a run with a higher rate doesn't raise it for the others."""
    clock = Clock()
    slow, fast = schedule(local_store, clock, 1), schedule(local_store, clock, 20)
    slow.reserve(1, clock())
    turns = fast.reserve(2, clock())
    assert turns.interval == pytest.approx(1 / 0.99)
    slow.leave()
    assert fast.reserve(2, clock()).interval == pytest.approx(1 / (20 * 0.99))


def test_throttling_spaces_every_run_s_calls_beyond_the_end_of_the_run_that_met_it(local_store: LocalStore) -> None:
    """At once, for the runs of tomorrow too, and forgotten slowly; Retry-After is respected."""
    clock = Clock()
    one, other, third = (schedule(local_store, clock) for _ in range(3))
    one.reserve(1, clock())
    normal = other.reserve(1, clock()).interval
    one.slow_down(0.0)
    one.leave()
    third.reserve(1, clock())
    assert other.reserve(1, clock()).interval >= normal + 0.03
    other.leave()
    third.leave()
    clock.now += 86_400.0
    later, last = schedule(local_store, clock), schedule(local_store, clock)
    last.reserve(1, clock())
    assert later.reserve(1, clock()).interval >= normal + 0.025
    later.slow_down(7.0)
    assert later.reserve(1, clock()).first >= clock.now + 7.0
    clock.now += 60.0
    for _ in range(1_000):
        last.reserve(1, clock())
        later.reserve(1, clock())
    assert later.reserve(1, clock()).interval == pytest.approx(normal)


def test_a_run_that_is_alone_keeps_what_it_learned_and_spaces_its_own_calls(local_store: LocalStore) -> None:
    """Its turns stay as close as the floor allows, and only calls that cost all of the slack make it smaller."""
    clock = Clock()
    one = schedule(local_store, clock)
    normal = one.reserve(1, clock())
    one.slow_down(0.0)
    one.leave()
    clock.now += 86_400.0
    later = schedule(local_store, clock)
    turns = [later.reserve(1, clock(), waited=0) for _ in range(50)]
    assert {each.interval for each in turns} == {normal.interval}
    assert turns[0].slack == turns[-1].slack >= normal.slack + 0.03
    assert later.reserve(50, clock(), waited=50).slack < turns[-1].slack - 0.01


def _body(store: Store) -> bytes:
    stored = store.get("account.json")
    assert stored is not None
    return stored.body


def test_calls_throttled_together_are_written_once(tmp_path: Path) -> None:
    """One swap for the first, and the others go with the next reservation: a store isn't asked for each of them."""
    clock = Clock()
    swaps: list[str] = []

    class Counted(LocalStore):
        def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
            swaps.append(key)
            return super().compare_and_swap(key, body, version)

    turns = schedule(store := Counted(tmp_path), clock, 20)
    turns.reserve(10, clock())
    for _ in range(10):
        turns.slow_down(0.0)
    assert len(swaps) == 1
    turns.reserve(10, clock())
    document = json.loads(_body(store))
    assert sum(throttled for _, throttled, _ in document["hour"].values()) == 10


def test_a_limit_that_is_set_too_high_is_corrected_within_seconds(local_store: LocalStore) -> None:
    """50 calls a second where 31 are let in: the account slows down to about that, and speeds up again later."""
    clock = Clock()
    turns = schedule(local_store, clock, 50)
    gateway = SlidingWindow(31)
    throttled: list[bool] = []
    for _ in range(40):
        reserved = turns.reserve(25, clock())
        for at in reserved.times():
            clock.now = at
            throttled.append(not gateway.has_room(at))
            if throttled[-1]:
                turns.slow_down(0.0)
            else:
                gateway.take(at)
    assert sum(throttled[200:]) < 0.2 * len(throttled[200:])
    assert len(throttled) - sum(throttled) > 0.8 * 31 * (clock.now - 1_000_000.0)
    clock.now += 60.0
    assert turns.reserve(1, clock()).interval <= 1.06 / 50


@pytest.mark.parametrize("poison", [{"last": 2e300}, {"hold": 1e12}, {"last": 2e300, "hold": 1e12}])
def test_an_implausibly_late_turn_blocks_no_run(local_store: LocalStore, poison: dict[str, float]) -> None:
    """A clock that was years ahead wrote it: the account must not wait for it."""
    clock = Clock()
    turns = schedule(local_store, clock)
    local_store.put_if_absent("account.json", json.dumps(poison).encode())
    assert turns.reserve(1, clock()).first == clock.now


def test_each_of_many_slow_runs_keeps_its_own_turn(local_store: LocalStore) -> None:
    """At the slowest rate, throttled as well, turns are hours ahead, and still no two runs get the same one."""
    clock = Clock()
    runs = [schedule(local_store, clock, SLOWEST_RATE) for _ in range(10)]
    for _ in range(60):
        runs[0].slow_down(0.0)
        clock.now += 1.1
    turns = sorted(run.reserve(1, clock()).first for run in runs)
    assert turns[-1] > clock.now + 7_200
    assert min(later - earlier for earlier, later in itertools.pairwise(turns)) >= 1 / SLOWEST_RATE


def test_a_gateway_that_asks_for_days_of_pause_gets_two_hours(local_store: LocalStore) -> None:
    """Otherwise every run of the account would silently wait for days."""
    clock = Clock()
    turns = schedule(local_store, clock)
    turns.slow_down(999_999_999.0)
    assert clock.now + 3_600 <= turns.reserve(1, clock()).first <= clock.now + 7_300


@pytest.mark.parametrize(
    "body", [b"{garbage", b"[]", b'{"last": "x"}', b'{"runs": [1]}', b'{"slow": {"x": 1}}', b'{"slack": 1}', b"\xff"]
)
def test_a_broken_schedule_is_named_and_gives_no_turn(local_store: LocalStore, body: bytes) -> None:
    """It can't tell when the last call left."""
    clock = Clock()
    local_store.put_if_absent("account.json", body)
    with pytest.raises(StoreError, match=r"account\.json isn't a valid schedule of turns. Remove it"):
        schedule(local_store, clock).reserve(1, clock())


class _Down(LocalStore):
    def get(self, key: str) -> None:
        raise StoreUnavailableError(key)


def test_without_a_store_there_is_no_turn(tmp_path: object) -> None:
    """Fails closed: no turn means no call."""
    clock = Clock()
    pacer = Pacer(schedule(_Down(tmp_path), clock), FakeStop(clock), monotonic=clock)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailableError):
        pacer.take()


def test_a_stopped_run_gets_no_turn_and_no_departure(local_store: LocalStore) -> None:
    """A stop ends every wait."""
    clock, stop = Clock(), StopSignal()
    pacer = Pacer(schedule(local_store, clock), stop, monotonic=clock)
    turn = pacer.take()
    stop.set(Stop(StopCause.CANCELLED, "test"))
    with pytest.raises(StoppedError):
        pacer.take()
    with pytest.raises(StoppedError):
        pacer.depart(turn)


def test_a_turn_that_is_long_past_is_not_used(local_store: LocalStore) -> None:
    """A delayed process sends nothing late."""
    clock = Clock()
    pacer = Pacer(schedule(local_store, clock), FakeStop(clock), monotonic=clock)
    turn = pacer.take()
    clock.now = turn.due + 0.3
    with pytest.raises(TurnMissedError):
        pacer.depart(turn)


@given(
    rate=st.sampled_from([0.5, 1.0, 2.5, 10.0, 20.0, 100.0]),
    delays=st.lists(st.floats(0.0, 0.6), min_size=5, max_size=80),
)
def test_no_sliding_second_sees_more_departures_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, rate: float, delays: list[float]
) -> None:
    """However late its threads are, a process keeps the limit in every window."""
    clock = Clock()
    store = LocalStore(tmp_path_factory.mktemp("pacing"))
    pacer = Pacer(schedule(store, clock, rate), FakeStop(clock), monotonic=clock)
    departures: list[float] = []
    for delay in delays:
        turn = pacer.take()
        pacer.wait_until(turn, 0.0)
        clock.now += delay * min(1.0, 0.25 / max(delay, 1e-9))
        try:
            pacer.depart(turn)
        except TurnMissedError:
            continue
        departures.append(clock.now)
    window = max(1, int(rate))
    for earlier, later in zip(departures, departures[window:], strict=False):
        assert later - earlier >= window / rate - 1e-6


@given(
    rate=st.sampled_from([1.0, 20.0, 50.0]),
    held_up=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.03, 0.14, 0.4]), min_size=60, max_size=150),
    usual=st.floats(0.0, 0.05),
)
def test_calls_that_are_written_late_delay_the_next_ones(
    tmp_path_factory: pytest.TempPathFactory, rate: float, held_up: list[float], usual: float
) -> None:
    """A busy machine writes some calls late, several at once: calls a second later wait for the last of them.

    The time that every call needs to be written adds no delay and costs no rate.
    """
    clock = Clock()
    kernel = Kernel(clock)
    store = LocalStore(tmp_path_factory.mktemp("pacing"))
    kernel.pacer = pacer = Pacer(schedule(store, clock, rate), kernel, monotonic=clock)
    for late in held_up:
        turn = pacer.take()
        pacer.wait_until(turn, 0.0)
        departure = pacer.depart(turn)
        kernel.pending.append((departure.at + usual + late, departure))
    kernel.wait(10.0)
    written = sorted(kernel.written)
    assert len(written) == len(held_up)
    window = max(1, int(rate))
    for earlier, later in zip(written, written[window:], strict=False):
        assert later - earlier >= window / rate - 1e-6


def test_waiting_threads_share_few_reservations(local_store: LocalStore) -> None:
    """At one call a second, waiting threads hold one turn, not one each: another run gets the next."""
    stop = StopSignal()
    pacer = Pacer(Schedule(local_store, "account", 1.0), stop)
    entered = threading.Barrier(9)

    def take() -> None:
        entered.wait()
        with contextlib.suppress(StoppedError):
            while True:
                pacer.take()

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(take) for _ in range(8)]
        entered.wait()
        stop.wait(0.5)
        stop.set(Stop(StopCause.CANCELLED, "test"))
        for future in waiting:
            future.result()
    other = Schedule(local_store, "account", 1.0)
    assert other.reserve(1, time.time()).first < time.time() + 3.5
