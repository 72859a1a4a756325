"""How fast a list is judged, beside copying it and beside `phonenumbers` row by row.

    .venv/bin/python tests/benchmarks/bench_numbers.py [--rows 10000000] [--default-region SG]

The list: several spellings of mobile numbers of 25 regions, 30 % duplicates, 3 % junk. Each time is the median of
three runs, from parquet to parquet in the streaming engine; `phonenumbers` runs on a sample.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import phonenumbers
import polars as pl

from tasks.numbers import checked_region, judge
from tasks.numbers.cache import cache_folder
from tasks.numbers.compiled import compiled_table, kept_table
from tasks.numbers.keys import keys_of
from tasks.numbers.table import ASK_REFERENCE

REGIONS = (
    "SG", "GB", "DE", "FR", "IT", "ES", "IN", "ID", "MY", "TH", "PH", "VN", "AU", "NZ", "JP", "KR", "HK", "TW", "BR",
    "MX", "AR", "CA", "ZA", "NG", "AE",
)  # fmt: skip
JUNK = ("", "n/a", "unknown", "-", "12345", "0", "+65 8123", "ann@example.com", "see notes", "00000000")
RUNS = 3
SAMPLE = 30_000
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


def row_by_row(texts: list[str], region: str | None) -> float:
    """Return how many texts a second `phonenumbers` judges, as scripts use it."""
    start = time.perf_counter()
    for text in texts:
        try:
            number = phonenumbers.parse(text if region or text.startswith("+") else f"+{text}", region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            phonenumbers.number_type(number)
            phonenumbers.region_code_for_number(number)
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return len(texts) / (time.perf_counter() - start)


def median_seconds(run: Callable[[], object]) -> float:
    """Return the median time of some runs."""
    times: list[float] = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peak_mib() -> int:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--default-region")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    region = checked_region(given.default_region)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "list.parquet", Path(folder) / "out.parquet"
        realistic(given.rows, given.seed).sink_parquet(source)
        sample = pl.read_parquet(source, n_rows=SAMPLE)["recipient"].to_list()
        plain = row_by_row(sample, region)
        start = time.perf_counter()
        if kept_table(region, cache_folder()) is None:
            compiled_table(region, cache_folder())
        ready = time.perf_counter() - start
        lazy = pl.scan_parquet(source)
        copied = median_seconds(lambda: lazy.sink_parquet(target))
        before = peak_mib()
        judged = median_seconds(lambda: judge(lazy, default_region=region).sink_parquet(target))
        counted = median_seconds(
            lambda: judge(lazy, default_region=region).group_by("status").len().collect(engine="streaming")
        )
        peak = peak_mib()
        kept_patterns = row_by_row(sample, region)
        odd = lazy.select(
            pl.col("recipient").map_batches(keys_of, return_dtype=pl.Int64, is_elementwise=True) == ASK_REFERENCE
        )
        share = odd.mean().collect(engine="streaming").item()
    rate = given.rows / judged
    print(f"{given.rows:,} recipients, {len(REGIONS)} regions, default region {region}, seed {given.seed}")
    print(f"phonenumbers {phonenumbers.__version__}, polars {pl.__version__}, {pl.thread_pool_size()} threads")
    print(f"{'what':<52} {'rows/s':>12} {'seconds':>9}")
    for what, rows_per_second, seconds in (
        ("judge: scan, judge, sink", rate, judged),
        ("judge: scan, judge, count by status", given.rows / counted, counted),
        ("floor: scan and sink of the same file", given.rows / copied, copied),
        (f"phonenumbers row by row ({SAMPLE:,} rows)", plain, given.rows / plain),
        ("phonenumbers row by row, patterns kept", kept_patterns, given.rows / kept_patterns),
    ):
        print(f"{what:<52} {rows_per_second:>12,.0f} {seconds:>9.2f}")
    print(f"judge to floor: {judged / copied:.2f} times (target <= 2)")
    print(f"judge to phonenumbers: {rate / plain:.0f} times (target >= 150)")
    print(f"judge to phonenumbers with patterns kept: {rate / kept_patterns:.0f} times")
    print(f"rows by the slow way: {share:.3%} (target < 0.5 %)")
    print(f"table ready in {ready:.2f} s; peak memory {before} MiB before judging, {peak} MiB after")


if __name__ == "__main__":
    main()
