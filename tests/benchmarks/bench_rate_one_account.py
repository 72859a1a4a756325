"""The used share of one call a second while answers take 0.8 to 2.5 s, on one sandbox with one Prefect server.

Ours (`globe-sms send` as a process) against a loop on Alibaba's official SDK with a sleep of one second between two
calls, and against a mapped Prefect task with Prefect's `rate_limit` (one slot that decays once a second). Judged by the
gateway's arrivals: (n - 1) / (last - first) / limit. Ours must reach 0.985 with none throttled. Some 6 minutes.
"""

import argparse

from tests.benchmarks.arrival_rates import Rate, add_arrival_delay, in_milliseconds
from tests.benchmarks.measured_campaigns import Stage
from tests.benchmarks.printed_table import print_table, say

_LATENCY = (0.8, 2.5)
_PATIENCE = 120.0


def main() -> None:
    """Measure the three, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--numbers-per-call", type=int, default=250)
    parser.add_argument(
        "--threads", type=int, default=8, help="of the task with rate_limit: latency times rate, and some"
    )
    add_arrival_delay(parser)
    options = parser.parse_args()
    calls, size = options.calls, options.numbers_per_call
    with Stage(calls_per_second=1, numbers_per_call=size) as stage:
        stage.sandbox.gateway.set_latency(*_LATENCY)
        stage.sandbox.gateway.delay_arrivals(*options.arrival_delay)
        stage.prefect.limit_rate("gateway", slots=1, decay_per_second=1.0)
        sides = {
            "globe-sms": (
                "globe-sms send",
                stage.campaign("globe-sms", chunks=calls, numbers_per_call=size, calls_per_second=1),
            ),
            "sdk": (
                "official SDK, sleep 1 s",
                stage.rival("rival_sdk_loop", "sdk", calls=calls, numbers_per_call=size),
            ),
            "prefect": (
                f"Prefect rate_limit, {options.threads} threads",
                stage.rival(
                    "rival_rate_limit",
                    "prefect",
                    "--limit=gateway",
                    f"--threads={options.threads}",
                    calls=calls,
                    numbers_per_call=size,
                ),
            ),
        }
        for label, command in sides.values():
            say(f"{label}: {calls} calls ...")
            stage.start(command).wait(_PATIENCE + 6 * calls)
        found = {name: Rate.of(arrivals) for name, arrivals in stage.arrivals(sides).items()}
    print_table(
        f"{calls} calls at a limit of 1 call/s, answers take {_LATENCY[0]} to {_LATENCY[1]} s",
        ["", "arrivals delayed", "share of the limit", "calls", "throttled", "seconds", "largest gap, s"],
        [
            [
                label,
                in_milliseconds(options.arrival_delay),
                f"{found[name].share(1):.3f}",
                f"{found[name].admitted}",
                f"{found[name].throttled}",
                f"{found[name].seconds:.1f}",
                f"{found[name].largest_gap:.2f}",
            ]
            for name, (label, _) in sides.items()
        ],
    )


if __name__ == "__main__":
    main()
