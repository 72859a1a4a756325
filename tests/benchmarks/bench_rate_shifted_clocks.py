"""Three processes of one account whose clocks differ by up to 2 s: the share of its limit that they use together.

Three `globe-sms send` on one sandbox: first with the machine's clock, then with clocks that are 1.3 s behind, right,
and 0.6 s ahead (`shifted_clock.py`). Judged by the gateway's arrivals from when all three send, for so many seconds.
The first seconds, in which a run learns how far off its clock is, stand beside the rest. With shifted clocks ours must
reach what it reaches without. Some 5 minutes.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from globe_sms.deployments.sandbox.child_process import wait_until
from tests.benchmarks.arrival_rates import Rate, within
from tests.benchmarks.measured_campaigns import Stage
from tests.benchmarks.measured_process import script
from tests.benchmarks.printed_table import print_table, say

_RATE: Final = 2
_NUMBERS_PER_CALL: Final = 5
_LEARNING_SECONDS: Final = 10.0
_START_SECONDS: Final = 240.0
_SHIFTS: Final = {"right": (0.0, 0.0, 0.0), "-1.3, 0 and 0.6 s off": (-1.3, 0.0, 0.6)}


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    print_table(
        f"3 processes, one account, {_RATE} calls/s, answers after 0.2 s",
        ["clocks", "seconds", "share in sum", "throttled", "busiest second", "calls of each"],
        [row for label in _SHIFTS for row in _measure(label, options.seconds)],
    )


def _measure(label: str, seconds: float) -> list[list[str]]:
    shifts = _SHIFTS[label]
    with Stage(prefect=False, calls_per_second=_RATE, numbers_per_call=_NUMBERS_PER_CALL, log_numbers=False) as stage:
        stage.sandbox.gateway.set_latency(0.2)
        names = [f"clock-{index}" for index in range(len(shifts))]
        programs = [
            stage.start(_shifted(stage, name), {"SHIFT_SECONDS": f"{shift}"})
            for name, shift in zip(names, shifts, strict=True)
        ]

        def all_send() -> bool:
            time.sleep(0.5)  # the whole log is read each time
            arrivals = stage.arrivals(names)
            return all(arrivals[name] or not program.running for name, program in zip(names, programs, strict=True))

        say(f"clocks {label} ...")
        wait_until(all_send, seconds=_START_SECONDS, what="a call of each process")
        for program in programs:
            if not program.running:
                raise RuntimeError(program.failure())
        began = max(calls[0].monotonic for calls in stage.arrivals(names).values())
        time.sleep(max(0.0, began + _LEARNING_SECONDS + seconds - time.monotonic()))
        learned = began + _LEARNING_SECONDS
        found = stage.arrivals(names)
    rows: list[list[str]] = []
    for what, first, last in (
        (f"first {_LEARNING_SECONDS:g}", began, learned),
        (f"next {seconds:g}", learned, learned + seconds),
    ):
        spans = {name: within(calls, first, last) for name, calls in found.items()}
        together = Rate.of(call for calls in spans.values() for call in calls)
        rows.append(
            [
                label,
                what,
                f"{together.share(_RATE):.3f}",
                f"{together.throttled} ({together.throttled_share:.1%})",
                f"{together.busiest_second}",
                " ".join(f"{Rate.of(calls).admitted}" for calls in spans.values()),
            ]
        )
    return rows


def _shifted(stage: Stage, name: str) -> list[str | Path]:
    enough = int(_RATE * (_START_SECONDS + 120.0))  # for one that sends alone until the others do
    command = stage.campaign(name, chunks=enough, numbers_per_call=_NUMBERS_PER_CALL, calls_per_second=_RATE)
    assert command[0] == script("globe-sms")
    return [sys.executable, "-m", "tests.benchmarks.shifted_clock", *command[1:]]


if __name__ == "__main__":
    main()
