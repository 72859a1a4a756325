"""The CPU time that sending one chunk costs: Prefect's task run, turn, claim and receipt on S3, and the call.

The pieces apart, one after the other in one process, and all together as the flow does it at 100 calls/s, against a
gateway that answers at once; CPU time of that process and of Prefect's server (which records the task runs). What a
chunk waits does not count. No bound: it is to fall. Some 3 minutes.
"""

import argparse
import json
import sys

from tests.benchmarks.benchmark_lists import write_list
from tests.benchmarks.measured_campaigns import Stage
from tests.benchmarks.printed_table import print_table, say

_PATIENCE = 1_800.0


def main() -> None:
    """Measure chunks of each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=1_000)
    parser.add_argument("--numbers-per-call", type=int, nargs="+", default=[250, 1_000])
    options = parser.parse_args()
    found = {size: _measure(options.chunks, size) for size in options.numbers_per_call}
    pieces = list(next(iter(found.values())))
    print_table(
        f"CPU time a chunk in milliseconds, {options.chunks:,} chunks",
        ["", *(f"{whose}, {size:,} numbers" for size in found for whose in ("ours", "Prefect's server"))],
        [
            [piece, *(f"{1000 * seconds:.1f}" for result in found.values() for seconds in result[piece])]
            for piece in pieces
        ],
    )


def _measure(chunks: int, size: int) -> dict[str, list[float]]:
    say(f"{chunks:,} chunks of {size:,} numbers ...")
    with Stage(calls_per_second=10_000, numbers_per_call=size, log_numbers=False) as stage:
        path = stage.folder / "list.parquet"
        write_list(path, stage.numbers(chunks * size))
        program = stage.start(
            [
                sys.executable,
                "-m",
                "tests.benchmarks.overhead_pieces",
                path,
                f"--results=s3://{stage.sandbox.bucket}/campaigns",
                f"--chunks={chunks}",
                f"--numbers-per-call={size}",
                f"--server={stage.prefect.pid}",
            ]
        )
        printed: dict[str, list[float]] = json.loads(program.wait(_PATIENCE).splitlines()[-1])
    return printed


if __name__ == "__main__":
    main()
