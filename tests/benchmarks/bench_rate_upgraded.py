"""An upgraded account: the used share of 20 and of 50 calls/s of 1,000 numbers each, answers after 0.3 s.

One `globe-sms send` per rate, with as many chunks as the limit allows in the time; its list is made and planned before
the clock starts, which runs from the gateway's first arrival to its last. Beside it: what Prefect's bare `.map` of an
empty task reaches on the same server with as many threads. `--plain` measures a run without a Prefect server, as it is
at a terminal. Ours must reach 0.98 of 20 and of 50, with at most 50 arrivals in any second. Some 6 minutes.
"""

import argparse
import math
from collections.abc import Sequence

from globe_sms.tasks.sending.shard import thread_count
from tests.benchmarks.arrival_rates import Rate, add_arrival_delay, in_milliseconds
from tests.benchmarks.measured_campaigns import Stage
from tests.benchmarks.printed_table import print_table, say

_NUMBERS_PER_CALL = 1_000
_LATENCY = 0.3
_PATIENCE = 900.0
_MOST_TASKS = 2_000


def main() -> None:
    """Measure each rate on a sandbox of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rates", type=int, nargs="+", default=[20, 50, 100])
    parser.add_argument("--plain", action="store_true", help="without a Prefect server")
    add_arrival_delay(parser)
    options = parser.parse_args()
    print_table(
        f"{_NUMBERS_PER_CALL:,} numbers a call, answers after {_LATENCY:g} s, {options.seconds:g} s",
        [
            "limit",
            "arrivals delayed",
            "share of the limit",
            "calls",
            "throttled",
            "busiest second",
            "largest gap, s",
            "calls/s reached",
            "bare .map, tasks/s",
        ],
        [_measure(rate, options.seconds, options.arrival_delay, plain=options.plain) for rate in options.rates],
    )


def _measure(rate: int, seconds: float, delay: Sequence[float], *, plain: bool) -> list[str]:
    chunks = math.ceil(rate * seconds)
    with Stage(
        prefect=not plain, calls_per_second=rate, numbers_per_call=_NUMBERS_PER_CALL, log_numbers=False
    ) as stage:
        stage.sandbox.gateway.set_latency(_LATENCY)
        stage.sandbox.gateway.delay_arrivals(*delay)
        name = f"upgraded-{rate}"
        command = stage.campaign(name, chunks=chunks, numbers_per_call=_NUMBERS_PER_CALL, calls_per_second=rate)
        say(f"{chunks:,} calls of {_NUMBERS_PER_CALL:,} numbers at {rate} calls/s ...")
        stage.start(command).wait(_PATIENCE)
        found = Rate.of(stage.arrivals([name])[name])
        bare = "" if plain else _bare_map(stage, min(chunks, _MOST_TASKS), thread_count(rate))
    return [
        f"{rate}/s",
        in_milliseconds(delay),
        f"{found.share(rate):.3f}",
        f"{found.admitted:,}",
        f"{found.throttled} ({found.throttled_share:.1%})",
        f"{found.busiest_second}",
        f"{found.largest_gap:.2f}",
        f"{found.share(1):.1f}",
        bare,
    ]


def _bare_map(stage: Stage, tasks: int, threads: int) -> str:
    say(f"{tasks:,} empty tasks, {threads} threads ...")
    bare = float(stage.start(stage.empty_map(tasks=tasks, threads=threads)).wait(_PATIENCE))
    return f"{bare:.0f} ({threads} threads)"


if __name__ == "__main__":
    main()
