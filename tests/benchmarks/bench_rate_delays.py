"""One process and a gateway whose arrivals are delayed at random, as by a network, for each way to count a second.

One `globe-sms send` per row, all at once, each with a sandbox and so with an account of its own that has learned
nothing yet: at 1 call a second 60 calls, at 2 calls a second 120. Judged by the gateway's arrivals: (n - 1) / (last -
first) / limit. Without delays nothing may be throttled; delayed by 20 to 80 ms at 2 calls a second, ours must reach
0.93 with at most 3 % throttled. Some 3 minutes.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.arrival_rates import Rate, in_milliseconds
from tests.benchmarks.measured_campaigns import Stage
from tests.benchmarks.printed_table import print_table, say

_LATENCY: Final = 0.2
_NUMBERS_PER_CALL: Final = 5
_PATIENCE: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Case:
    window: str
    rate: int
    delay: tuple[float, float]


_CASES: Final = (
    *(_Case(window, 1, (0.0, 0.0)) for window in ("sliding", "fixed", "bucket")),
    *(_Case("sliding", rate, (0.02, 0.08)) for rate in (1, 2)),
    _Case("sliding", 2, (0.0, 0.2)),
)


def main() -> None:
    """Measure all cases side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with ThreadPoolExecutor(len(_CASES)) as threads:
        rows = list(threads.map(lambda case: _measure(case, options.seconds), _CASES))
    print_table(
        f"One process, {options.seconds:g} s, answers after {_LATENCY:g} s",
        ["window", "limit", "arrivals delayed", "share of the limit", "calls", "throttled", "largest gap, s"],
        rows,
    )


def _measure(case: _Case, seconds: float) -> list[str]:
    with Stage(
        prefect=False, calls_per_second=case.rate, numbers_per_call=_NUMBERS_PER_CALL, rate_window=case.window
    ) as stage:
        stage.sandbox.gateway.set_latency(_LATENCY)
        stage.sandbox.gateway.delay_arrivals(*case.delay)
        say(f"{case.window}, {case.rate} calls/s, delayed: {in_milliseconds(case.delay)} ...")
        command = stage.campaign(
            "delays",
            chunks=int(case.rate * seconds),
            numbers_per_call=_NUMBERS_PER_CALL,
            calls_per_second=case.rate,
        )
        stage.start(command).wait(_PATIENCE)
        found = Rate.of(stage.arrivals(["delays"])["delays"])
    return [
        case.window,
        f"{case.rate}/s",
        in_milliseconds(case.delay),
        f"{found.share(case.rate):.3f}",
        f"{found.admitted}",
        f"{found.throttled} ({found.throttled_share:.1%})",
        f"{found.largest_gap:.2f}",
    ]


if __name__ == "__main__":
    main()
