"""How fast a list is judged, beside copying it and beside `phonenumbers` row by row.

    python -m tests.benchmarks.bench_numbers [--rows 10000000] [--default-region SG] [--rival-python python3.12]

The list: several spellings of mobile numbers of 25 regions, 30 % duplicates, 3 % junk. Each time is the median of
three runs, from parquet to parquet in the streaming engine, the ways in turn; the rivals judge a sample of the same
list. Files are written as polars does unless told (zstd, statistics), and as the plan writes what was judged: raw. The
second floor copies the list raw too: the stricter reading. The C++ binding (closeio-phonenumbers) has the import name
of `phonenumbers`, so it is installed in a virtual environment of its own, by an interpreter that it has a wheel for.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import phonenumbers
import polars as pl

from globe_sms.tasks.numbers import checked_region, validate
from globe_sms.tasks.numbers.lookup_keys import keys_of
from globe_sms.tasks.numbers.lookup_table import ASK_REFERENCE
from globe_sms.tasks.numbers.region_table import cached_table, compiled_table
from globe_sms.tasks.numbers.table_cache import cache_folder
from tests.benchmarks.printed_table import print_table, say

REGIONS = (
    "SG", "GB", "DE", "FR", "IT", "ES", "IN", "ID", "MY", "TH", "PH", "VN", "AU", "NZ", "JP", "KR", "HK", "TW", "BR",
    "MX", "AR", "CA", "ZA", "NG", "AE",
)  # fmt: skip
JUNK = ("", "n/a", "unknown", "-", "12345", "0", "+65 8123", "ann@example.com", "see notes", "00000000")
RUNS = 3
SAMPLE = 30_000
RAW = {
    "compression": "uncompressed",
    "statistics": False,
}  # as `tasks.planning.make_plan.plan_rows` writes the judged rows
WHOLE = "judge: scan, judge, sink all"
AS_INTEGER = "judge, number as integer, sink"
AS_PLANNED = "judge, as the plan does (number as integer, raw)"
VERDICTS = "judge, the verdicts alone (number as integer, raw)"
COUNTED = "judge, and only count by status"
LIST_FLOOR = "floor: scan and sink of the list"
RAW_FLOOR = "floor: scan and sink of the list, raw"
JUDGED_FLOOR = "floor: scan and sink of the judged list"
DUPLICATES_PERCENT = 30
JUNK_PERCENT = 3


def realistic(rows: int, seed: int) -> pl.LazyFrame:
    """Make recipients as lists have them: each region's mobile prefix and six digits drawn at random."""
    examples = [phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE) for region in REGIONS]
    prefixes = [phonenumbers.national_significant_number(example)[:-6] for example in examples if example]
    codes = [str(example.country_code) for example in examples if example]
    forms = (
        (0.36, pl.format("+{}{}", "code", "nsn")),
        (0.66, pl.format("{}{}", "code", "nsn")),
        (0.73, pl.format("00{}{}", "code", "nsn")),
        (0.83, pl.format("+{} {} {}", "code", "head", "tail")),
        (0.88, pl.format("+{}-{}-{}", "code", "head", "tail")),
        (0.93, pl.format("(+{}) {} {}", "code", "head", "tail")),
        (0.96, pl.format("{}.{}.{}", "code", "head", "tail")),
        (0.99, pl.format("{}{}.0", "code", "nsn")),
        (0.999, pl.format("\u202a+{} {}\u202c", "code", "nsn")),
        (1.0, pl.format("+{}{} ext. 12", "code", "nsn")),
    )

    def drawn(place: int, below: int) -> pl.Expr:
        return (pl.col("person").hash(seed + place) % below).cast(pl.UInt32)

    spelt = pl.when(False).then(pl.lit(None, dtype=pl.String))
    for share, form in forms:
        spelt = spelt.when(pl.col("form") < share * 1_000_000).then(form)
    return (
        pl.LazyFrame({"row": pl.int_range(rows, eager=True)})
        .select(
            person=pl.when(pl.col("row").hash(seed) % 100 < DUPLICATES_PERCENT)
            .then((pl.col("row").hash(seed + 1) % rows).cast(pl.Int64))
            .otherwise("row")
        )
        .select(
            place=drawn(2, len(REGIONS)),
            number=drawn(3, 1_000_000).cast(pl.String).str.zfill(6),
            form=drawn(4, 1_000_000),
            junk=drawn(5, 100) < JUNK_PERCENT,
            word=drawn(6, len(JUNK)),
        )
        .with_columns(
            code=pl.col("place").replace_strict(dict(enumerate(codes)), return_dtype=pl.String),
            nsn=pl.col("place").replace_strict(dict(enumerate(prefixes)), return_dtype=pl.String) + pl.col("number"),
            word=pl.col("word").replace_strict(dict(enumerate(JUNK)), return_dtype=pl.String),
        )
        .with_columns(head=pl.col("nsn").str.slice(0, 3), tail=pl.col("nsn").str.slice(3))
        .select(recipient=pl.when("junk").then("word").otherwise(spelt))
    )


def median_seconds(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median time of some runs of each way; they take turns, so that a busy minute hits them all."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def rival(python: str, texts: Path, region: str | None, *options: str) -> tuple[str, float]:
    """Return the package that an interpreter has, and how many rows a second it judges."""
    script = Path(__file__).with_name("rival_row_by_row.py")
    ran = subprocess.run(
        [python, script, texts, region or "none", *options], capture_output=True, check=True, encoding="utf-8"
    )
    measured = json.loads(ran.stdout)
    return measured["package"], measured["rows_a_second"]


def python_with_binding(base: str, folder: Path) -> str | None:
    """Install the C++ binding beside nothing else; None where this cannot be done."""
    python = folder / "bin" / "python"
    try:
        subprocess.run([base, "-m", "venv", folder], capture_output=True, check=True)
        subprocess.run([python, "-m", "pip", "install", "closeio-phonenumbers"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return str(python)


def peak_mib() -> int:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--default-region")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rival-python", default="python3.12", help="an interpreter with a wheel of the C++ binding")
    given = options.parse_args()
    region = checked_region(given.default_region)
    with tempfile.TemporaryDirectory() as name:
        measure(given.rows, region, given.seed, given.rival_python, Path(name))


def measure(rows: int, region: str | None, seed: int, rival_python: str, folder: Path) -> None:
    """Measure each way, in a folder for the lists, and print the table."""
    source, target, verdicts = folder / "list.parquet", folder / "out.parquet", folder / "judged.parquet"
    say(f"making {rows:,} recipients, seed {seed}")
    realistic(rows, seed).sink_parquet(source)
    start = time.perf_counter()
    if cached_table(region, cache_folder()) is None:
        compiled_table(region, cache_folder())
    ready = time.perf_counter() - start
    lazy = pl.scan_parquet(source)
    validated = validate(lazy, default_region=region)
    validated.sink_parquet(verdicts)
    planned = validated.drop("phone_number")
    before = peak_mib()
    say("judging and copying")
    seconds = median_seconds(
        {
            WHOLE: lambda: validated.sink_parquet(target),
            AS_INTEGER: lambda: planned.sink_parquet(target),
            AS_PLANNED: lambda: planned.sink_parquet(target, **RAW),
            VERDICTS: lambda: planned.drop("recipient").sink_parquet(target, **RAW),
            COUNTED: lambda: validated.group_by("status").len().collect(engine="streaming"),
            LIST_FLOOR: lambda: lazy.sink_parquet(target),
            RAW_FLOOR: lambda: lazy.sink_parquet(target, **RAW),
            JUDGED_FLOOR: lambda: pl.scan_parquet(verdicts).sink_parquet(target),
        }
    )
    peak = peak_mib()
    lines = [(what, rows / taken) for what, taken in seconds.items()]
    say("the rivals; ours: " + ", ".join(f"{what} {rate:,.0f} rows/s" for what, rate in lines))
    sample = folder / "sample.json"
    sample.write_text(json.dumps(pl.read_parquet(source, n_rows=SAMPLE)["recipient"].to_list()), encoding="utf-8")
    package, plain = rival(sys.executable, sample, region)
    lines.append((f"{package}, row by row", plain))
    lines.append((f"{package}, row by row, patterns kept", rival(sys.executable, sample, region, "--keep-patterns")[1]))
    binding = python_with_binding(rival_python, folder / "binding")
    if binding is not None:
        package, rate = rival(binding, sample, region)
        lines.append((f"{package} (C++), row by row", rate))
    odd = lazy.select(
        pl.col("recipient").map_batches(keys_of, return_dtype=pl.Int64, is_elementwise=True) == ASK_REFERENCE
    )
    share = odd.mean().collect(engine="streaming").item()
    rates = dict(lines)
    list_floor, raw_floor = rates[LIST_FLOOR], rates[RAW_FLOOR]
    notes = [
        f"judge to the floor of the list: {list_floor / rates[WHOLE]:.2f} times (target: 2)",
        f"- number as integer: {list_floor / rates[AS_INTEGER]:.2f} times",
        f"- as the plan does: {list_floor / rates[AS_PLANNED]:.2f} times",
        f"- the verdicts alone: {list_floor / rates[VERDICTS]:.2f} times",
        f"- counted only: {list_floor / rates[COUNTED]:.2f} times",
        f"- as the plan does, to the raw floor: {raw_floor / rates[AS_PLANNED]:.2f} times",
        f"- all, to the floor of what it writes: {rates[JUDGED_FLOOR] / rates[WHOLE]:.2f} times",
        f"copying what was judged, to the floor of the list: {list_floor / rates[JUDGED_FLOOR]:.2f} times",
        f"judge to phonenumbers: {rates[WHOLE] / plain:.0f} times as fast (target: 150)",
        f"- as the plan does: {rates[AS_PLANNED] / plain:.0f} times",
        f"- neither writes anything: {rates[COUNTED] / plain:.0f} times",
        f"rows by the slow way: {share:.3%} (target: under 0.5 %)",
        f"table ready in {ready:.2f} s; peak memory {before} MiB before judging, {peak} MiB after",
        f"polars {pl.__version__}, {pl.thread_pool_size()} threads; {RUNS} runs; rivals on {SAMPLE:,} rows",
    ]
    if binding is None:
        notes.append(f"closeio-phonenumbers is not measured: {rival_python} cannot install it (--rival-python)")
    print_table(
        f"Judging {rows:,} recipients of {len(REGIONS)} regions, default region {region}, seed {seed}",
        ["what", "rows/s", "seconds", "to the list's floor"],
        [[what, f"{rate:,.0f}", f"{rows / rate:,.2f}", f"{list_floor / rate:,.2f}"] for what, rate in lines],
        "\n".join(notes),
    )


if __name__ == "__main__":
    main()
