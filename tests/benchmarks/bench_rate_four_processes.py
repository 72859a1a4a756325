"""Four processes, four campaigns, one account: the share of its limit that they use together, at 1 and at 20 calls/s.

Ours (four `globe-sms send`) against four mapped Prefect tasks with Prefect's `rate_limit` on one global concurrency
limit, both on one sandbox with one Prefect server per rate. A limit of 20 is measured as 20 slots that decay 20 times a
second, and as one slot that does. Judged by the gateway's arrivals, from when all four send, for so many seconds;
nobody's work ends before, unless it fails. How long the last of the four took to its first call stands beside it. Ours
must reach 0.98 in sum with at most 1 % throttled, and each its share. Some 10 minutes.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from globe_sms.deployments.sandbox.child_process import wait_until
from tests.benchmarks.arrival_rates import Rate, add_arrival_delay, in_milliseconds, within
from tests.benchmarks.measured_campaigns import Stage
from tests.benchmarks.printed_table import print_table, say

_PROCESSES = 4
_NUMBERS_PER_CALL = 5
_LATENCY = (0.3, 0.8)
_START_SECONDS = 300.0
_GRACE_SECONDS = 90.0


def main() -> None:
    """Measure both rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rates", type=int, nargs="+", default=[1, 20])
    add_arrival_delay(parser)
    options = parser.parse_args()
    rows = [row for rate in options.rates for row in _measure(rate, options.seconds, options.arrival_delay)]
    print_table(
        f"{_PROCESSES} processes, one account, {options.seconds:g} s, answers take {_LATENCY[0]} to {_LATENCY[1]} s",
        [
            "",
            "limit",
            "arrivals delayed",
            "share in sum",
            "throttled",
            "busiest second",
            "calls of each",
            "ended early",
            "all send after, s",
            "largest gap, s",
        ],
        rows,
    )


def _measure(rate: int, seconds: float, delay: Sequence[float]) -> list[list[str]]:
    threads = max(4, 2 * math.ceil(rate * _LATENCY[1] / _PROCESSES))
    enough = math.ceil(rate * (seconds + _START_SECONDS))  # for one that sends alone until the others do
    half = math.ceil(rate * (seconds + _START_SECONDS / 5) / 2)  # a map of as many would take as long to begin
    with Stage(calls_per_second=rate, numbers_per_call=_NUMBERS_PER_CALL, log_numbers=False) as stage:
        stage.sandbox.gateway.set_latency(*_LATENCY)

        def ours(name: str) -> list[str | Path]:
            return stage.campaign(name, chunks=enough, numbers_per_call=_NUMBERS_PER_CALL, calls_per_second=rate)

        def theirs(slots: int) -> Callable[[str], list[str | Path]]:
            stage.prefect.limit_rate(f"gateway-{slots}", slots=slots, decay_per_second=rate)
            return lambda name: stage.rival(
                "rival_rate_limit",
                name,
                f"--limit=gateway-{slots}",
                f"--threads={threads}",
                calls=half,
                numbers_per_call=_NUMBERS_PER_CALL,
            )

        rows = [_side(stage, "globe-sms send", ours, rate, seconds, delay, grace=_GRACE_SECONDS)]
        for slots in sorted({rate, 1}, reverse=True):
            label = f"Prefect rate_limit, {slots} slot{'s' * (slots > 1)}, {threads} threads"
            rows.append(_side(stage, label, theirs(slots), rate, seconds, delay, grace=0.0))
    return rows


def _side(
    stage: Stage,
    label: str,
    command: Callable[[str], list[str | Path]],
    rate: int,
    seconds: float,
    delay: Sequence[float],
    *,
    grace: float,
) -> list[str]:
    say(f"{label}, {rate} calls/s ...")
    stage.sandbox.gateway.reset()
    stage.sandbox.gateway.set_latency(*_LATENCY)
    stage.sandbox.gateway.delay_arrivals(*delay)
    prefix = "".join(letter for letter in label if letter.isalnum())
    names = [f"{prefix}-{process}" for process in range(_PROCESSES)]
    commands = [command(name) for name in names]
    started = time.monotonic()
    programs = [stage.start(each) for each in commands]

    def all_send() -> bool:
        time.sleep(0.5)  # the whole log is read each time
        arrivals = stage.arrivals(names)
        return all(arrivals[name] or not program.running for name, program in zip(names, programs, strict=True))

    wait_until(all_send, seconds=_START_SECONDS, what="a call of each process")
    began = max(calls[0].monotonic for calls in stage.arrivals(names).values() if calls)
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    ended = [program for program in programs if not program.running]
    for program in ended:
        say(f"it ended before its time: {program.failure()}")
    found = {name: within(calls, began, began + seconds) for name, calls in stage.arrivals(names).items()}
    for program in programs:
        if grace:
            program.ask_to_end()
    for program in programs:
        program.stop(grace)
    together = Rate.of(call for calls in found.values() for call in calls)
    return [
        label,
        f"{rate}/s",
        in_milliseconds(delay),
        f"{together.share(rate):.3f}",
        f"{together.throttled} ({together.throttled_share:.1%})",
        f"{together.busiest_second}",
        " ".join(f"{Rate.of(calls).admitted}" for calls in found.values()),
        f"{len(ended)}",
        f"{began - started:.0f}",
        f"{together.largest_gap:.2f}",
    ]


if __name__ == "__main__":
    main()
