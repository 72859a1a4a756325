"""Personal texts of long lists: the plan with them beside the plan without, on the same list.

    .venv/bin/python -m tests.benchmarks.bench_messages [--rows 10000000] [--runs 3]

Each plan is made in a process of its own, from a local parquet to a local store; times are medians. The texts are a
template over three columns with a default, so that rendering, looking for UCS-2 and counting parts are all in it.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import polars as pl

from tests.benchmarks.printed_table import print_table, say

_TEXTS: Final = {
    "the same text for all": "Hello, your parcel is ready. Reply STOP to opt out.",
    "personal texts": "Hello {name|there}, your parcel {code} is ready at {shop}. Reply STOP to opt out.",
}


def write_list(path: Path, rows: int) -> None:
    """Write a list of different British numbers, with the columns that the texts need."""
    index = pl.int_range(rows, dtype=pl.Int64)
    shops = pl.Series(["Orchard [L2]", "Jurong East", "Café Bugis", "Łódź"])
    pl.select(index.alias("index")).lazy().select(
        phone=pl.format("+4474{}", pl.col("index").cast(pl.String).str.zfill(8)),
        name=pl.when(pl.col("index") % 10 > 0).then(pl.format("Customer {}", pl.col("index") % 5_000)),
        code=pl.format("P{}", pl.col("index") * 7_919 % 999_983),
        shop=pl.lit(shops).gather(pl.col("index") % 4),
    ).sink_parquet(path)


def time_plan(path: Path, message: str) -> float:
    """Make the plan and return the seconds that it took."""
    from globe_sms.tasks.campaign.config import CampaignConfig
    from globe_sms.tasks.planning.make_plan import make_plan
    from globe_sms.tasks.store import LocalStore
    from globe_sms.tasks.store.s3_access import S3Access

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        order = CampaignConfig.checked(recipients=(str(path),), message=message, type="NOTIFY", results=folder)
        began = time.perf_counter()
        make_plan(order, LocalStore(Path(folder) / "store"), S3Access.from_environment, Path(folder))
        return time.perf_counter() - began


def main() -> None:
    """Run both sides and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        sys.stdout.write(f"{time_plan(Path(options.side[0]), _TEXTS[options.side[1]])}\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.parquet"
        say(f"making a list of {options.rows:,} rows ...")
        write_list(path, options.rows)
        medians: dict[str, float] = {}
        for name in _TEXTS:
            command = [sys.executable, "-m", "tests.benchmarks.bench_messages", "--side", str(path), name]
            seconds = [
                float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                for _ in range(options.runs)
            ]
            medians[name] = statistics.median(seconds)
        plain = medians["the same text for all"]
        rows = [[name, f"{seconds:.1f}", f"{seconds / plain:.2f}"] for name, seconds in medians.items()]
        print_table(f"Plan of {options.rows:,} rows", ["plan with", "seconds", "ratio"], rows)


if __name__ == "__main__":
    main()
