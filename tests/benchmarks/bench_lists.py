"""The plan and the results of long lists on S3: how long, how much memory, beside copying the same file and DuckDB.

    .venv/bin/python -m tests.benchmarks.bench_lists [--only plan scale results shapes] [--rows 10000000] [--runs 3]

Each side runs in a process of its own (`list_workloads`), S3 is the sandbox's server on the same machine, and times are
medians. `plan`: find, read, judge, dedupe, cut, freeze, from S3 to S3. `copy`: polars' scan and sink of the same file,
from S3 to S3. `results`: the plan and a receipt for every chunk, joined, to S3; receipts are read from a local file and
decoded as the ledger does. `shapes`: plan and results of lists of other shapes, beside copying the same list; with
`--large` also of a parquet of so many rows, beside the same of a tenth. DuckDB reads and writes local files, since its
S3 part is a download.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from globe_sms.deployments.sandbox.s3_server import S3Server
from tests.benchmarks.benchmark_lists import SHAPES, customers, shaped
from tests.benchmarks.measured_process import Program
from tests.benchmarks.printed_table import print_table, say

_MILLION = 1_000_000
_FORMATS = ("csv", "parquet")
_TABLES = ["plan", "scale", "results", "shapes"]
_FILES = 1_000
_USUAL = "as usual"
_ALL_SHAPES = (_USUAL, *SHAPES)
_SECONDS_A_ROW = 60e-6  # when to give up


@dataclass(frozen=True, slots=True)
class Figures:
    """The medians of some runs of one side."""

    seconds: float
    cpu: float
    """CPU time that the work took, user and system, without imports; the S3 server's isn't in it."""
    peak: float
    """The most memory in RAM, in MB."""


class Bench:
    """An S3 server with lists on it, and the sides that are run on them."""

    def __init__(self, server: S3Server, folder: Path, runs: int) -> None:
        self._server = server
        self._folder = folder
        self._runs = runs
        self._count = 0

    @cached_property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, **self._server.environment, "AWS_EC2_METADATA_DISABLED": "true"}

    def put_lists(self, rows: int, formats: Sequence[str]) -> None:
        """Make a list, on disk and on S3, in each of the formats."""
        say(f"making a list of {rows:,} rows ...")
        made = customers(rows)
        client = self._server.client()
        for form in formats:
            path = self.local(rows, form)
            if form == "csv":
                made.sink_csv(path)
            else:
                made.sink_parquet(path)
            client.upload_file(str(path), self._server.bucket, path.name)
        client.close()

    def put_shape(self, rows: int, shape: str) -> str:
        """Make a CSV list of a shape on S3, or a thousand of them; return its URI."""
        say(f"making a list of {rows:,} rows: {shape} ...")
        made = customers(rows) if shape == _USUAL else shaped(rows, shape)
        parts = _FILES if shape == "files" else 1
        client = self._server.client()
        path = self.local(rows, "csv")
        folder = f"shapes/{shape.replace(' ', '-')}/"
        for part in range(parts):
            made.slice(rows * part // parts, rows * (part + 1) // parts - rows * part // parts).sink_csv(path)
            client.upload_file(str(path), self._server.bucket, f"{folder}{part:04}.csv")
        path.unlink()
        client.close()
        return self.on_s3(folder)

    def drop_lists(self, rows: int, formats: Sequence[str]) -> None:
        """Remove them again."""
        for form in formats:
            self.local(rows, form).unlink()

    def local(self, rows: int, form: str) -> Path:
        """Where a list is on disk."""
        return self._folder / f"list-{rows}.{form}"

    def on_s3(self, name: str) -> str:
        """Return the URI of an object or folder of the bench."""
        return f"s3://{self._server.bucket}/{name}"

    def measure(self, side: str, *arguments: str, rows: int, runs: int | None = None) -> Figures:
        """Run a side some times; return the medians."""
        found: list[Figures] = []
        for _ in range(runs or self._runs):
            self._count += 1
            command = [sys.executable, "-m", "tests.benchmarks.list_workloads", side, *arguments]
            program = Program(command, self._environment, self._folder / f"run-{self._count}")
            try:
                told = json.loads(program.wait(60 + rows * _SECONDS_A_ROW).splitlines()[-1])
            finally:
                program.stop()
            found.append(Figures(told["seconds"], told["cpu"], told["peak"]))
            say(
                f"{side} {' '.join(arguments)}: {told['seconds']:.1f} s, {told['cpu']:.2f} s of CPU, "
                f"{told['peak']:.0f} MB"
            )
        return Figures(
            *(statistics.median(getattr(each, name) for each in found) for name in ("seconds", "cpu", "peak"))
        )


def plan_table(bench: Bench, rows: int) -> None:
    """The whole plan of a list, beside the floor and DuckDB."""
    bench.put_lists(rows, _FORMATS)
    lines: list[list[str]] = []
    for form in _FORMATS:
        name = bench.local(rows, form).name
        floor = bench.measure("copy", bench.on_s3(name), bench.on_s3("copy.parquet"), rows=rows)
        plan = bench.measure("plan", bench.on_s3(name), bench.on_s3(f"plan-{form}"), rows=rows)
        rival = bench.measure("duckdb", str(bench.local(rows, form)), f"{bench.local(rows, form)}.out", rows=rows)
        lines += [
            _line(f"{form}: copy, S3 to S3 (the floor)", floor, floor, rows),
            _line(f"{form}: the whole plan, S3 to S3", plan, floor, rows),
            _line(f"{form}: DuckDB, distinct and a regex, local", rival, floor, rows),
        ]
    bench.drop_lists(rows, _FORMATS)
    print_table(
        f"The whole plan of {rows:,} rows, 30 % duplicates",
        _COLUMNS,
        lines,
        "To reach: at most 5 times the floor, at most 2,048 MB",
    )


def scale_table(bench: Bench, sizes: Sequence[int]) -> None:
    """Time and memory of the plan as the list grows."""
    lines: list[list[str]] = []
    for rows in sizes:
        bench.put_lists(rows, _FORMATS)
        for form in _FORMATS:
            name = bench.local(rows, form).name
            found = bench.measure("plan", bench.on_s3(name), bench.on_s3(f"plan-{form}-{rows}"), rows=rows)
            lines.append(
                [
                    f"{rows:,} rows of {form}",
                    f"{found.seconds:.1f}",
                    f"{1e6 * found.seconds / rows:.2f}",
                    f"{1e6 * found.cpu / rows:.2f}",
                    f"{found.peak:,.0f}",
                ]
            )
        bench.drop_lists(rows, _FORMATS)
    print_table(
        "The whole plan as the list grows, S3 to S3",
        ["list", "seconds", "µs a row", "CPU, µs a row", "peak, MB"],
        sorted(lines, key=lambda line: line[0].split()[-1]),
        "To reach: time linear, memory level beyond 3 million",
    )


def results_table(bench: Bench, rows: int) -> None:
    """The results of a campaign, beside the floor: copying what they are made of, and what they become."""
    bench.put_lists(rows, ["parquet"])
    place = bench.on_s3("results")
    bench.measure("plan", bench.on_s3(bench.local(rows, "parquet").name), place, rows=rows, runs=1)
    receipts = str(bench.local(rows, "receipts"))
    bench.measure("receipts", place, receipts, rows=rows, runs=1)
    results = bench.measure("write", place, receipts, rows=rows)
    plan = bench.measure("copy", f"{place}/plans/*.parquet", bench.on_s3("copy.parquet"), rows=rows)
    floor = bench.measure("copy", f"{place}/results.parquet", bench.on_s3("copy.parquet"), rows=rows)
    print_table(
        f"The results of a campaign of {rows:,} rows",
        _COLUMNS,
        [
            _line("copy of results.parquet, S3 to S3 (the floor)", floor, floor, rows),
            _line("copy of the plan, S3 to S3", plan, floor, rows),
            _line("results: plan and receipts joined, to S3", results, floor, rows),
        ],
        "To reach: at most 4 times the floor, at most 2,048 MB",
    )


def shapes_table(bench: Bench, rows: int, shapes: Sequence[str], large: int | None) -> None:
    """Plan and results of lists of these shapes, beside copying the list."""
    lines: list[list[str]] = []
    for shape in shapes:
        source = bench.put_shape(rows, shape)
        lines.append(_shape_line(bench, f"{rows:,} rows: {shape}", source, rows))
    if lines:
        print_table(
            f"Plan and results by the shape of the list ({_load()})",
            _SHAPE_COLUMNS,
            lines,
            "To reach: plan and results at most 6 times the copy, at most 1,024 MB",
        )
    if large is None:
        return
    lines = []
    for size in (large // 10, large):
        bench.put_lists(size, ["parquet"])
        name = bench.local(size, "parquet").name
        lines.append(_shape_line(bench, f"{size:,} rows of parquet", bench.on_s3(name), size))
        bench.drop_lists(size, ["parquet"])
    print_table(
        f"Plan and results of a large list ({_load()})",
        _SHAPE_COLUMNS,
        lines,
        "To reach: linear, at most 1,024 MB",
    )


def _shape_line(bench: Bench, what: str, source: str, rows: int) -> list[str]:
    place = bench.on_s3("shape")
    copy = bench.measure("copy", source, bench.on_s3("copy.parquet"), rows=rows)
    plan = bench.measure("plan", source, place, rows=rows)
    receipts = str(bench.local(rows, "receipts"))
    bench.measure("receipts", place, receipts, rows=rows, runs=1)
    results = bench.measure("write", place, receipts, rows=rows)
    return [
        what,
        f"{copy.seconds:.1f}",
        f"{plan.seconds:.1f}",
        f"{results.seconds:.1f}",
        f"{(plan.seconds + results.seconds) / copy.seconds:.1f}",
        f"{(plan.cpu + results.cpu) / copy.cpu:.1f}",
        f"{max(plan.peak, results.peak):,.0f}",
    ]


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


_SHAPE_COLUMNS = ["list", "copy, s", "plan, s", "results, s", "to the copy", "CPU to the copy's", "peak, MB"]
_COLUMNS = ["what", "seconds", "to the floor", "rows/s", "CPU, s", "peak, MB"]


def _line(what: str, found: Figures, floor: Figures, rows: int) -> list[str]:
    return [
        what,
        f"{found.seconds:.1f}",
        f"{found.seconds / floor.seconds:.1f}",
        f"{rows / found.seconds:,.0f}",
        f"{found.cpu:.1f}",
        f"{found.peak:,.0f}",
    ]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=_TABLES, default=_TABLES[:3])
    parser.add_argument("--rows", type=int, default=10 * _MILLION)
    parser.add_argument("--sizes", type=int, nargs="+", default=[_MILLION, 3 * _MILLION, 10 * _MILLION, 30 * _MILLION])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--shapes", nargs="*", choices=_ALL_SHAPES, default=_ALL_SHAPES)
    parser.add_argument("--large", type=int, help="with shapes: also a parquet of so many rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="globe-sms-bench-") as folder, S3Server("bench") as server:
        bench = Bench(server, Path(folder), options.runs)
        if "plan" in options.only:
            plan_table(bench, options.rows)
        if "scale" in options.only:
            scale_table(bench, options.sizes)
        if "results" in options.only:
            results_table(bench, options.rows)
        if "shapes" in options.only:
            shapes_table(bench, options.rows, options.shapes, options.large)


if __name__ == "__main__":
    main()
