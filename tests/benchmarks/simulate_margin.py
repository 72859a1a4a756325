"""How much of the limit the learned slack uses, on a simulated clock, beside constant slacks.

The real schedule (`tasks.pacing.account_schedule`) gives one to eight processes their turns; calls leave at their
turns, those of a process that is alone as its real pacer lets them (`tasks.pacing.pacer`). They arrive after a random
delay, and a gateway counts them in a sliding second, a fixed second or a token bucket. A throttled call has cost its
turn; the process hears of it 50 ms later. Beside it: a constant slack of 1 %, and the best
of ten constant slacks in hindsight. No call takes real time, so a busy machine changes no figure. Some 5 minutes.
"""

import argparse
import heapq
import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from globe_sms.deployments.sandbox.gateway.rate_window import FixedWindow, RateWindow, SlidingWindow, TokenBucket
from globe_sms.tasks.pacing.account_schedule import Schedule
from globe_sms.tasks.pacing.arrival_spacing import Departure
from globe_sms.tasks.pacing.pacer import Pacer
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.interface import Stored
from globe_sms.tasks.store.store_clock import StoreClock
from globe_sms.tasks.vocabulary.stop_signal import StopSignal
from tests.benchmarks.printed_table import print_table, say

Delay = Callable[[random.Random], float]

WINDOWS: Final[Mapping[str, Callable[[int], RateWindow]]] = {
    "sliding": SlidingWindow,
    "fixed": FixedWindow,
    "bucket": TokenBucket,
}
DELAYS: Final[Mapping[str, Delay]] = {
    "none": lambda _: 0.0,
    "uniform 0-20 ms": lambda dice: dice.uniform(0.0, 0.02),
    "uniform 20-80 ms": lambda dice: dice.uniform(0.02, 0.08),
    "uniform 0-200 ms": lambda dice: dice.uniform(0.0, 0.2),
    "exponential 20 ms": lambda dice: dice.expovariate(50.0),
    "exponential 60 ms": lambda dice: dice.expovariate(1 / 0.06),
    "1 % spikes of 200 ms": lambda dice: dice.uniform(0.0, 0.01) + (0.2 if dice.random() < 0.01 else 0.0),
    "1 % spikes of 0.1-1 s": lambda dice: (
        dice.uniform(0.0, 0.01) + (dice.uniform(0.1, 1.0) if dice.random() < 0.01 else 0.0)
    ),
    "3 % spikes of 200 ms": lambda dice: dice.uniform(0.0, 0.01) + (0.2 if dice.random() < 0.03 else 0.0),
}
RATES: Final = (0.5, 1.0, 2.0, 5.0, 20.0, 100.0)
PROCESSES: Final = (1, 3, 8)
FLOOR: Final = 1 / 0.99 - 1
CONSTANTS: Final = (FLOOR, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.14, 0.18, 0.25)

_EPOCH = 1_800_000_000.25
_HEARD_AFTER = 0.05
_LEAD = 0.4
_BATCH_SECONDS = 0.5
_WITHIN = 0.97


@dataclass(frozen=True, slots=True)
class Simulated:
    """One course: the used share of the limit, the throttled share of the calls, the mean slack."""

    used: float
    throttled: float
    slack: float


class _Gateway:
    """Counts calls at a limit that may be below one a second: then one call in so many seconds."""

    def __init__(self, window: str, rate: float) -> None:
        self._limit = max(1, int(rate))
        self._seconds = self._limit / rate
        self._window = WINDOWS[window](self._limit)

    def lets_in(self, at: float) -> bool:
        """Return whether a call that arrives at `at` is let in, and count it if so."""
        at /= self._seconds
        if not self._window.has_room(at):
            return False
        self._window.take(at)
        return True


class _Memory:
    """A store of one document."""

    uri = "memory:"

    def __init__(self) -> None:
        self._stored: Stored | None = None
        self.clock = StoreClock()

    def get(self, _key: str) -> Stored | None:
        return self._stored

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        return self.compare_and_swap(key, body, "")

    def compare_and_swap(self, _key: str, body: bytes, version: str) -> str | None:
        if version != (self._stored.version if self._stored else ""):
            return None
        self._stored = Stored(body, str(int(version or 0) + 1), 0.0)
        return self._stored.version


def constant(window: str, delay: Delay, rate: float, slack: float, calls: int) -> Simulated:
    """Return what a constant slack uses."""
    dice, gateway, interval = random.Random(1), _Gateway(window, rate), (1.0 + slack) / rate
    arrivals = sorted(_EPOCH + call * interval + delay(dice) for call in range(calls))
    admitted = sum(map(gateway.lets_in, arrivals))
    return Simulated(admitted / (calls * interval * rate), 1.0 - admitted / calls, slack)


def _at_once(_: random.Random) -> float:
    return 0.0


class _Waits(StopSignal):
    """Waits on the simulated clock, on which answers come meanwhile."""

    def __init__(self, now: list[float]) -> None:
        super().__init__()
        self._now = now
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Let something happen at a time."""
        heapq.heappush(self._events, (when, next(self._order), event))

    def wait(self, seconds: float) -> bool:
        """Let the clock go on."""
        end = self._now[0] + max(0.0, seconds)
        while self._events and self._events[0][0] <= end:
            self._now[0], _, event = heapq.heappop(self._events)
            event()
        self._now[0] = end
        return False


def _alone(window: str, delay: Delay, rate: float, calls: int, *, seed: int, answer: Delay) -> Simulated:
    dice, gateway, now = random.Random(seed), _Gateway(window, rate), [_EPOCH]
    waits = _Waits(now)
    schedule = Schedule(cast("Store", _Memory()), "account", rate, clock=lambda: now[0])
    pacer = Pacer(schedule, waits, monotonic=lambda: now[0], lead=0.0)
    slack = 0.0
    admitted = 0

    def arrives(departure: Departure) -> None:
        nonlocal admitted
        if gateway.lets_in(now[0]):
            admitted += 1
            took = now[0] - departure.at + answer(dice)
            waits.at(departure.at + took, lambda: pacer.answered(departure, took))
        else:
            waits.at(now[0] + _HEARD_AFTER, lambda: pacer.throttled(departure, 0.0))

    first = None
    for _ in range(calls):
        departure = pacer.depart(pacer.take())
        first = departure.at if first is None else first
        slack += pacer.slack
        waits.at(departure.at + delay(dice), lambda departure=departure: arrives(departure))
    ended = now[0] + (1.0 + FLOOR) / rate
    waits.wait(60.0)
    assert first is not None
    return Simulated(admitted / ((ended - first) * rate), 1.0 - admitted / calls, slack / calls)


def learned(
    window: str,
    delay: Delay,
    rate: float,
    calls: int,
    processes: int = 1,
    *,
    seed: int = 1,
    answer: Delay = _at_once,
) -> Simulated:
    """Return what the account's runs use, from their first call on.

    One process spaces its calls by their answers, which take what the call was delayed by, and what `answer` says.
    """
    if processes == 1:
        return _alone(window, delay, rate, calls, seed=seed, answer=answer)
    dice, gateway = random.Random(seed), _Gateway(window, rate)
    now = [_EPOCH]
    store = cast("Store", _Memory())
    schedules = [Schedule(store, "account", rate, clock=lambda: now[0]) for _ in range(processes)]
    batch = max(1, int(rate * _BATCH_SECONDS))
    order = itertools.count()
    events: list[tuple[float, int, str, int]] = [(_EPOCH, next(order), "reserve", each) for each in range(processes)]
    made = admitted = 0
    slack = taken = 0.0
    while events:
        now[0], _, event, process = heapq.heappop(events)
        schedule = schedules[process]
        if event == "throttled":
            schedule.slow_down(0.0)
        elif event == "arrives":
            if gateway.lets_in(now[0]):
                admitted += 1
            else:
                heapq.heappush(events, (now[0] + _HEARD_AFTER, next(order), "throttled", process))
        elif made < calls:
            turns = schedule.reserve(batch, now[0] + _LEAD)
            made, slack, taken = made + batch, slack + batch * turns.slack, taken + batch * turns.interval
            for at in turns.times():
                heapq.heappush(events, (at + delay(dice), next(order), "arrives", process))
            heapq.heappush(events, (turns.times()[-1] - _LEAD, next(order), "reserve", process))
    return Simulated(admitted / (taken * rate), 1.0 - admitted / made, slack / made)


def main() -> None:
    """Simulate every combination and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=4_000)
    parser.add_argument("--windows", nargs="+", choices=WINDOWS, default=list(WINDOWS))
    parser.add_argument("--delays", nargs="+", choices=DELAYS, default=list(DELAYS))
    parser.add_argument("--rates", nargs="+", type=float, default=list(RATES))
    parser.add_argument("--processes", nargs="+", type=int, default=list(PROCESSES))
    parser.add_argument(
        "--answers", nargs=2, type=float, default=[0.0, 0.0], help="seconds that an answer takes, from and to"
    )
    options = parser.parse_args()
    fastest, slowest = options.answers
    rows: list[list[str]] = []
    worst: dict[tuple[str, str], float] = {}
    best_of: dict[tuple[str, str, float], tuple[Simulated, Simulated]] = {}
    for window, name, rate, processes in itertools.product(
        options.windows, options.delays, options.rates, options.processes
    ):
        delay = DELAYS[name]
        key = (window, name, rate)
        if key not in best_of:
            say(f"{window}, {name}, {rate:g} calls/s ...")
            constants = [constant(window, delay, rate, slack, options.calls) for slack in CONSTANTS]
            best_of[key] = (constants[0], max(constants, key=lambda each: each.used))
        fixed, best = best_of[key]
        ours = learned(
            window,
            delay,
            rate,
            options.calls,
            processes,
            answer=lambda dice: dice.uniform(fastest, slowest),
        )
        share = ours.used / best.used
        worst[window, name] = min(worst.get((window, name), share), share)
        rows.append(
            [
                f"{window}, {name}",
                f"{rate:g}/s x {processes}",
                f"{fixed.used:.3f} {fixed.throttled:6.1%}",
                f"{best.used:.3f} {best.throttled:6.1%} {best.slack:.3f}",
                f"{ours.used:.3f} {ours.throttled:6.1%} {ours.slack:.3f}",
                f"{share:.3f}" + ("" if share >= _WITHIN else " *"),
            ]
        )
    short = sum(row[-1].endswith("*") for row in rows)
    print_table(
        f"Share of the limit used, share throttled (and slack), {options.calls:,} calls",
        ["window, delay of arrivals", "rate x processes", "1 % fixed", "best constant", "learned", "of the best"],
        rows,
        f"{short} of {len(rows)} are more than 3 % below the best constant slack (*). "
        f"{Path(__file__).name}: a simulated clock, so the load doesn't matter.",
    )
    print_table(
        "The least share of the best constant slack",
        ["delay of arrivals", *options.windows],
        [[name, *(f"{worst[window, name]:.3f}" for window in options.windows)] for name in options.delays],
    )


if __name__ == "__main__":
    main()
