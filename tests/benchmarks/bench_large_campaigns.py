"""Time and memory of campaigns of 2,000, 10,000 and 40,000 chunks against a gateway that answers at once.

One `globe-sms send` at 100 calls/s, the most that an order may name, for each size, on one sandbox, each with a Prefect
server of its own. Chunks have 5 numbers, so that what grows is per chunk. Peak memory is VmHWM of the sending process,
and of Prefect's server apart. Time must be linear and memory within 200 MB of the smallest. Some 15 to 40 minutes.
"""

import argparse
import time

from tests.benchmarks.arrival_rates import Rate
from tests.benchmarks.measured_campaigns import Stage
from tests.benchmarks.measured_process import peak_mb
from tests.benchmarks.printed_table import print_table, say

_NUMBERS_PER_CALL = 5
_CALLS_PER_SECOND = 100
_SECONDS_A_CHUNK = 0.5  # when to give up: ten times what it should take, and more


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[2_000, 10_000, 40_000])
    options = parser.parse_args()
    with Stage(calls_per_second=10_000, numbers_per_call=_NUMBERS_PER_CALL, log_numbers=False) as stage:
        rows = [_measure(stage, chunks) for chunks in options.chunks]
    print_table(
        f"Chunks of {_NUMBERS_PER_CALL} numbers, at most {_CALLS_PER_SECOND} calls/s, the gateway answers at once",
        [
            "chunks",
            "to the first call, s",
            "sending, s",
            "after the last, s",
            "sending, ms a chunk",
            "calls/s",
            "largest gap, s",
            "CPU, ms a chunk",
            "peak, MB",
            "Prefect's server, MB",
        ],
        rows,
    )


def _measure(stage: Stage, chunks: int) -> list[str]:
    say(f"{chunks:,} chunks ...")
    name = f"large-{chunks}"
    command = stage.campaign(
        name, chunks=chunks, numbers_per_call=_NUMBERS_PER_CALL, calls_per_second=_CALLS_PER_SECOND
    )
    stage.start_prefect()
    stage.sandbox.gateway.reset()
    began = time.monotonic()
    program = stage.start(command)
    program.wait(120.0 + _SECONDS_A_CHUNK * chunks)
    ended = time.monotonic()
    calls = stage.arrivals([name])[name]
    found = Rate.of(calls)
    return [
        f"{chunks:,}",
        f"{calls[0].monotonic - began:.1f}",
        f"{found.seconds:.1f}",
        f"{ended - calls[-1].monotonic:.1f}",
        f"{1000 * found.seconds / chunks:.1f}",
        f"{found.share(1):.1f}",
        f"{found.largest_gap:.1f}",
        f"{1000 * program.cpu_seconds / chunks:.1f}",
        f"{program.peak_mb:.0f}",
        f"{peak_mb(stage.prefect.pid):.0f}",
    ]


if __name__ == "__main__":
    main()
