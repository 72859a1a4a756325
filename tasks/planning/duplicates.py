"""Finds the rows that repeat the number of an earlier row, in lists of any length, with little memory.

The numbers are split into parts by their hash, so equal ones are in the same part, and each part fits into memory. The
findings go to files, which are then read in the order of the list.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path

import polars as pl

PART_NUMBERS = 250_000  # in two million, each look-up misses the processor's caches: that takes three times as long
BLOCK_ROWS = 2_000_000
_MOST_PARTS = 400
_AT_ONCE = 2
_ROWS_AT_ONCE = 20_000  # of each part in memory, while the numbers are split into parts
_PIECE_OF_PARTS = 8  # a part with more rows than so many times the usual is read in pieces
_FIRST_LOOK = 10_000
_PAIR = ("index", "first")
_NUMBER = pl.when(pl.col("status").is_null()).then(pl.col("e164")).alias("number")


def rank_rows(
    rows: Path,
    folder: Path,
    *,
    ranked: pl.Expr | None = None,
    part_numbers: int = PART_NUMBERS,
    block_rows: int = BLOCK_ROWS,
) -> pl.LazyFrame:
    """Return a frame beside `rows`, row for row: `nth`, `first_source` and `first_row`, null where they don't apply.

    `nth` (UInt32) counts from 0 the rows whose number isn't in an earlier row; `first_source` (String) and `first_row`
    (UInt32) name that row for the others. Two seconds for ten million rows, some 500 MB of memory for any list.

    Args:
        rows: A parquet file with the columns source, row, e164 and status. Rows with a status are ignored. The rows
            of a source are together and count from 0.
        folder: Where the frame's files are written; they must stay as long as it is read.
        ranked: Which rows have `nth`, the same for all rows of a number; None for all of them. Duplicates are found
            among the others, too.
        part_numbers: How many rows are compared with each other at once; more if many have the same number.
        block_rows: How many rows are read at once.
    """
    count = int(pl.scan_parquet(rows, glob=False).select(pl.len()).collect().item())
    parts: list[Path] = []
    if not _is_ordered(rows, count):
        parts = _hand_out(rows, folder / "numbers", min(_MOST_PARTS, -(-count // part_numbers)))
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="duplicates") as pool:
        found = pool.map(partial(_write_duplicates, most=part_numbers * _PIECE_OF_PARTS), parts)
        duplicates = list(chain.from_iterable(found))
    ranks = _write_ranks(rows, duplicates, folder, ranked=ranked, count=count, block_rows=block_rows)
    return pl.scan_parquet(list(ranks), glob=False)


def _is_ordered(rows: Path, count: int) -> bool:
    """Whether each number is above the one before it, or each below: then none is there twice.

    Exports often are. What is in disorder shows it in the first rows.
    """
    before: pl.Series | None = None
    rising = falling = True
    start, size = 0, _FIRST_LOOK
    while start < count and (rising or falling):
        block = pl.scan_parquet(rows, glob=False).select(_NUMBER).slice(start, size).collect(engine="streaming")
        numbers = block.to_series().drop_nulls()
        steps = (numbers if before is None else pl.concat([before, numbers])).diff().drop_nulls()
        rising, falling = rising and bool((steps > 0).all()), falling and bool((steps < 0).all())
        before = numbers.tail(1) if numbers.len() else before
        start, size = start + size, BLOCK_ROWS
    return rising or falling


def _hand_out(rows: Path, folder: Path, parts: int) -> list[Path]:
    """Write each number with its `index` to the files of its part, in one pass; return the parts' folders."""
    (
        pl.scan_parquet(rows, glob=False)
        .select(_NUMBER)
        .with_row_index("index")
        .filter(pl.col("number").is_not_null())
        .with_columns(part=(pl.col("number").hash() % parts).cast(pl.UInt32))
        .sink_parquet(
            pl.PartitionBy(folder, key="part", include_key=False),
            mkdir=True,
            compression="uncompressed",
            statistics=False,
            row_group_size=_ROWS_AT_ONCE,
            engine="streaming",
        )
    )
    return sorted(each for each in folder.glob("*") if each.is_dir())  # a part without numbers has none


def _write_duplicates(part: Path, most: int) -> list[Path]:
    """Write the rows of a part whose number an earlier row has, by position: `index`, and `first` for that row.

    A part has few different numbers, but perhaps very many rows: it's read in pieces of `most` rows.
    """
    files = sorted(part.glob("*.parquet"))
    numbers = pl.scan_parquet(files, glob=False, hive_partitioning=False)
    rows = int(numbers.select(pl.len()).collect().item())
    firsts: pl.DataFrame | None = None
    if rows > most:
        firsts = numbers.group_by("number").agg(pl.col("index").min().alias("first")).collect(engine="streaming")
    written: list[Path] = []
    for start in range(0, rows, most):
        piece = numbers.slice(start, most).collect()
        if not piece["index"].is_sorted():
            piece = piece.sort("index")
        found = _repeated(piece) if firsts is None else _repeated_of(piece, firsts)
        if not found.is_empty():
            written.append(part / f"duplicates-{start:012}")
            found.write_parquet(written[-1], compression="lz4")  # by position, so a block finds its own alone
    return written


def _repeated(numbers: pl.DataFrame) -> pl.DataFrame:
    """Return `index` and `first` of the rows, in order, whose number another one before has."""
    is_first = numbers["number"].is_first_distinct()
    if is_first.all():
        return pl.DataFrame(schema={"index": pl.UInt32, "first": pl.UInt32})
    firsts = numbers.filter(is_first).select("number", first="index")
    return numbers.filter(~is_first).join(firsts, on="number", how="inner", maintain_order="left").select(*_PAIR)


def _repeated_of(numbers: pl.DataFrame, firsts: pl.DataFrame) -> pl.DataFrame:
    """Return the same where the first row of each number is known."""
    found = numbers.join(firsts, on="number", how="left", maintain_order="left").select(*_PAIR)
    return found.filter(pl.col("first") != pl.col("index"))


def _write_ranks(
    rows: Path, duplicates: list[Path], folder: Path, *, ranked: pl.Expr | None, count: int, block_rows: int
) -> Iterator[Path]:
    counts = _NUMBER.is_not_null() if ranked is None else _NUMBER.is_not_null() & ranked
    starts = _source_starts(rows)
    nothing = pl.LazyFrame(schema={"index": pl.UInt32, "first": pl.UInt32})
    found = pl.scan_parquet(duplicates, glob=False) if duplicates else nothing
    done = 0
    for start in range(0, max(count, 1), block_rows):
        block = pl.scan_parquet(rows, glob=False).select(counts).slice(start, block_rows)
        has_number = block.collect(engine="streaming").to_series()
        duplicated = found.filter(pl.col("index").is_between(start, start + block_rows - 1)).collect(engine="streaming")
        ranks = _with_places(_beside(has_number, duplicated, start), starts, done)
        done += ranks["nth"].count()
        path = folder / f"ranks-{start:012}.parquet"
        ranks.write_parquet(path, compression="uncompressed", statistics=False)
        yield path


def _beside(has_number: pl.Series, duplicated: pl.DataFrame, start: int) -> pl.DataFrame:
    """Return for each row of a block whether it has a number, and the earlier row with it, if there is one."""
    nothing = pl.repeat(None, has_number.len(), dtype=pl.UInt32, eager=True)
    return pl.DataFrame(
        {"has_number": has_number, "first": nothing.scatter(duplicated["index"] - start, duplicated["first"])}
    )


def _source_starts(rows: Path) -> pl.DataFrame:
    """Return where each source begins: `source` and `index`, in the order of the rows."""
    return (
        pl.scan_parquet(rows, glob=False)
        .select("source", "row")
        .with_row_index("index")
        .filter(pl.col("row") == 0)
        .select("source", "index")
        .collect(engine="streaming")
        .sort("index")
    )


def _with_places(rows: pl.DataFrame, starts: pl.DataFrame, ranked: int) -> pl.DataFrame:
    """Rank rows from `ranked` on, and add the source and the row of the first to those that repeat its number."""
    first = pl.col("first")
    is_first = pl.col("has_number") & first.is_null()
    source = pl.when(first.is_not_null()).then(pl.lit(starts["index"]).search_sorted(first, side="right") - 1)
    return rows.with_columns(source=source).select(
        nth=pl.when(is_first).then(is_first.cast(pl.UInt32).cum_sum() - 1 + ranked),
        first_source=pl.lit(starts["source"]).gather("source"),
        first_row=(first - pl.lit(starts["index"]).gather("source")).cast(pl.UInt32),
    )
