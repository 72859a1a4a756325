"""What the shared table says of each row: the results' columns, in types that every engine reads.

How much it says of a number is chosen (`PublishNumbers`). Unless that's everything, the number isn't in any other
column either: not as the list wrote it, and not in a column of the list that was kept.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from globe_sms.tasks.campaign.number_hashes import NumberHashes, is_hashed
from globe_sms.tasks.campaign.options.results_table import PublishNumbers
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA, digits_in
from globe_sms.tasks.vocabulary.masking import mask

_ROWS_AT_ONCE: Final = 250_000
_FEWEST_DIGITS: Final = 6  # of a number as the list wrote it, to look for it elsewhere
_LAST_DIGITS: Final = 7  # without its country code a number is still the number, and few others end like it
_LOOKS_LIKE_A_NUMBER: Final = r"\+?\d{7,}"
_SIGNED: Final[Mapping[pl.DataType, pl.DataType]] = {
    pl.UInt8(): pl.Int32(),
    pl.UInt16(): pl.Int32(),
    pl.UInt32(): pl.Int64(),
    pl.UInt64(): pl.Decimal(20, 0),
}


def published_rows(results: pl.LazyFrame, numbers: PublishNumbers, hashes: NumberHashes | None) -> pl.LazyFrame:
    """Return the rows of a campaign's partition: all columns of its results but `campaign`, which the path has.

    Args:
        results: the campaign's results, perhaps with columns of the lists.
        numbers: what the table says of a number.
        hashes: needed for hashed numbers only. The hashes of erased numbers stay, unless nothing is said of numbers.
    """
    schema = results.collect_schema()
    columns = {name: pl.col(name) for name in schema if name != "campaign"}
    if numbers is not PublishNumbers.FULL:
        columns |= {name: _without_number(name, dtype) for name, dtype in schema.items() if name not in RESULTS_SCHEMA}
        columns["recipient"] = pl.lit(None, pl.String)
        columns["response_description"] = pl.col("response_description").str.replace_all(_LOOKS_LIKE_A_NUMBER, "••••")
        columns["phone_number"] = _number(numbers, hashes)
    return results.select(_plain(name, column, schema[name]).alias(name) for name, column in columns.items())


def write_published(results: Path, numbers: PublishNumbers, hashes: NumberHashes | None, path: Path) -> None:
    """Write the rows of a campaign's partition to a local file, some at a time: memory doesn't grow with them."""
    rows = pl.scan_parquet(results, glob=False)
    count = int(rows.select(pl.len()).collect().item())

    def blocks(
        columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for start in range(0, max(count, 1), _ROWS_AT_ONCE):
            block = published_rows(rows.slice(start, _ROWS_AT_ONCE), numbers, hashes).collect(engine="streaming")
            yield block if columns is None else block.select(columns)

    schema = published_rows(rows, numbers, hashes).collect_schema()
    register_io_source(blocks, schema=schema).sink_parquet(path, compression="zstd", engine="streaming")


def _number(numbers: PublishNumbers, hashes: NumberHashes | None) -> pl.Expr:
    number = pl.col("phone_number")
    each: dict[str, Any] = {"return_dtype": pl.String, "is_elementwise": True}
    if numbers is PublishNumbers.HASHED and hashes is not None:
        return number.map_batches(hashes.numbers, **each)
    if numbers is PublishNumbers.MASKED:
        return pl.when(is_hashed()).then(number).otherwise(number.map_batches(_masked, **each))
    return pl.lit(None, pl.String)


def _masked(numbers: pl.Series) -> pl.Series:
    return pl.Series(numbers.name, [None if each is None else mask(each) for each in numbers], dtype=pl.String)


def _without_number(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a kept column without the values that contain the row's number."""
    if "Binary" in str(dtype):  # nobody knows what bytes say
        return pl.lit(None, dtype)
    digits = digits_in(name, dtype)
    if digits is None:
        return pl.col(name)
    known = pl.when(~is_hashed()).then(pl.col("phone_number").str.strip_chars_start("+").str.tail(_LAST_DIGITS))
    written = pl.col("recipient").str.replace_all(r"\D", "").str.strip_chars_start("0")
    written = pl.when(written.str.len_chars() >= _FEWEST_DIGITS).then(written)
    tells = pl.any_horizontal(
        [digits.str.contains(each, literal=True).fill_null(value=False) for each in (known, written)]
    )
    return pl.when(~tells).then(pl.col(name))


def _plain(name: str, column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a column in a type that SQL engines have: no enums, no unsigned numbers."""
    if isinstance(dtype, pl.Enum):
        return column.cast(pl.String)
    if name == "row":
        return column.cast(pl.Int64)
    return column.cast(_SIGNED[dtype]) if dtype in _SIGNED else column
