"""Tracking: the used share of 300 queries/s, for 100,000 message ids, answers after 0.2 s.

A campaign is sent, and `globe-sms track` asks for each of its messages; all have ended by then. Beside it, in the same
run: a plain loop that asks for one id after the other on one connection, for a minute. The gateway's log of queries is
the judge, from the first query to the last. Ours must reach 0.95, with no more than 300 in any sliding second. Some 9
minutes.
"""

import argparse
import json
import math
import sys
from itertools import pairwise

from globe_sms.deployments.sandbox.gateway.rate_window import busiest_second
from tests.benchmarks.measured_campaigns import Stage
from tests.benchmarks.measured_process import script
from tests.benchmarks.printed_table import print_table, say

_LIMIT = 300
_LATENCY = 0.2
_NUMBERS_PER_CALL = 1_000
_SENDS_PER_SECOND = 20
_PATIENCE = 1_800.0


def main() -> None:
    """Send, track, and loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--loop-seconds", type=float, default=60.0)
    options = parser.parse_args()
    with Stage(calls_per_second=_SENDS_PER_SECOND, numbers_per_call=_NUMBERS_PER_CALL) as stage:
        gateway = stage.sandbox.gateway
        gateway.set_deliveries(low=0, high=0, visible_after=0)
        chunks = math.ceil(options.messages / _NUMBERS_PER_CALL)
        say(f"sending to {chunks * _NUMBERS_PER_CALL:,} numbers ...")
        stage.start(
            stage.campaign(
                "tracked", chunks=chunks, numbers_per_call=_NUMBERS_PER_CALL, calls_per_second=_SENDS_PER_SECOND
            )
        ).wait(_PATIENCE)
        gateway.set_latency(_LATENCY)
        say(f"one id after the other, {options.loop_seconds:g} s ...")
        loop = [sys.executable, "-m", "tests.benchmarks.rival_query_loop", f"--seconds={options.loop_seconds}"]
        stage.start(list(loop)).wait(_PATIENCE)
        rows = [_row("one at a time", stage)]
        before = sum(1 for _ in gateway.queries())
        say(f"globe-sms track, at {_LIMIT} queries/s ...")
        results = f"--results=s3://{stage.sandbox.bucket}/campaigns"
        program = stage.start([script("globe-sms"), "track", "tracked", results, "--json"])
        said = json.loads(program.wait(_PATIENCE).splitlines()[-1])
        rows.insert(0, _row("globe-sms track", stage, before, peak_mb=program.peak_mb, cpu=program.cpu_seconds))
    print_table(
        f"{chunks * _NUMBERS_PER_CALL:,} message ids, {_LIMIT} queries/s, answers after {_LATENCY:g} s",
        ["", "share of the limit", "queries", "throttled", "busiest second", "largest gap, s", "peak MB", "CPU, s"],
        rows,
        f"{said['open']:,} open at the end, {said['queries']:,} queries, {said['seconds']} s from start to end.",
    )


def _row(name: str, stage: Stage, skip: int = 0, *, peak_mb: float = 0.0, cpu: float = 0.0) -> list[str]:
    queries = [query for index, query in enumerate(stage.sandbox.gateway.queries()) if index >= skip]
    times = sorted(query.monotonic for query in queries)
    admitted = [query.monotonic for query in queries if query.admitted]
    share = (len(admitted) - 1) / (max(admitted) - min(admitted)) / _LIMIT
    return [
        name,
        f"{share:.3f}",
        f"{len(times):,}",
        f"{len(times) - len(admitted):,}",
        f"{busiest_second(times)}",
        f"{max(after - before for before, after in pairwise(times)):.2f}",
        f"{peak_mb:.0f}" if peak_mb else "",
        f"{cpu:.0f}" if cpu else "",
    ]


if __name__ == "__main__":
    main()
