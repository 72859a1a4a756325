"""What the measurements beside many campaigns share: options, a place, a process for each look, the table."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from globe_sms.deployments.sandbox.s3_server import S3Server
from tests.benchmarks.measured_process import peak_mb
from tests.benchmarks.printed_table import print_table, say

ONCE = "--once"


def read_options(doc: str | None, values: int) -> argparse.Namespace:
    """Read the command line; `once` are the values with which a process of its own looks once."""
    options = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--campaigns", type=int, default=300)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--list", type=int, default=100_000)
    options.add_argument("--s3", action="store_true")
    options.add_argument(ONCE, nargs=values, help=argparse.SUPPRESS)
    return options.parse_args()


@contextmanager
def place_of(given: argparse.Namespace) -> Generator[tuple[str, Path]]:
    """Yield the URI of an empty results folder, on S3 or on disk, and a scratch folder."""
    with tempfile.TemporaryDirectory(prefix="globe-sms-bench-") as folder, S3Server("bench") as server:
        os.environ.update(server.environment)
        place = "s3://bench/out" if given.s3 else str(Path(folder) / "out")
        say(f"making {given.campaigns} campaigns of {given.rows:,} rows in {place}")
        yield place, Path(folder)


def look_once(module: str, *values: object) -> list[str]:
    """Run a module with `--once` in a process of its own; return seconds, memory and what it left out, as printed."""
    command = [sys.executable, "-m", module, ONCE, *map(str, values)]
    done = subprocess.run(command, env=dict(os.environ), check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return [f"{found['seconds']:.2f}", f"{found['megabytes']:.0f}", f"{found['left_out']:,} of {found['rows']:,}"]


def tell(seconds: float, left_out: int, rows: int) -> None:
    """Write what a look found, for the process that started it."""
    found = {"seconds": seconds, "megabytes": peak_mb(os.getpid()), "left_out": left_out, "rows": rows}
    sys.stdout.write(json.dumps(found))


def print_looks(title: str, lines: Sequence[Sequence[str]], place: str) -> None:
    """Print the table."""
    columns = ["", "seconds", "most memory, MB", "left out"]
    print_table(title, columns, [[*line] for line in lines], place.partition("/")[0] or "a local folder")
