"""Scans lists of one shape with polars, for each format: path, recipient, extra texts, and each row's fault.

The column `fault` is 0 for a valid row. NDJSON also has `line`, to distinguish a row without a value from a line that
isn't JSON.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from functools import partial
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from globe_sms.tasks.recipients.cell_text import as_text
from globe_sms.tasks.recipients.csv_quotes import NO_DELIMITER, PATH, stray_quotes
from globe_sms.tasks.recipients.lake_tables import scan_table
from globe_sms.tasks.recipients.list_layout import OpenedList, Shape, json_path
from globe_sms.tasks.recipients.list_source import Format
from globe_sms.tasks.recipients.read_options import Hidden
from globe_sms.tasks.store.s3_access import S3Access

_NO_FAULT = pl.lit(0, pl.UInt8)
_MANY_FILES = 8
_BATCH_ROWS = 100_000
_SCIENTIFIC = r"-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+"
_WHOLE_FLOAT = r"-?[0-9]+\.0"


class RowFault(IntEnum):
    """Why a row is invalid, as far as a scan can tell."""

    EXTRA_FIELDS = 1
    ZERO_BYTE = 2
    BARE_RETURN = 3
    NO_VALUE = 4
    """No value was found: fine if the line is an object without this key."""


def scan(group: Sequence[OpenedList], shape: Shape, s3: Callable[[], S3Access]) -> pl.LazyFrame:
    """Scan lists of one shape, in order.

    `recipient`, `t0`, `t1` ... are the columns of the shape as text, `k0`, `k1` ... those that are kept, with their
    types.
    """
    options: dict[str, Any] = s3().polars_options(shape.bucket) if shape.bucket else {}
    paths = [each.source.readable for each in group]
    if shape.format is Format.CSV:
        return _scan_csv(paths, shape, options)
    if shape.format is Format.NDJSON:
        return _scan_ndjson(paths, shape, options)
    if shape.format is Format.PARQUET:
        return _scan_parquet(group, paths, shape, options)
    if (table := group[0].source.table) is not None:
        return _texts_of(scan_table(table, s3), pl.lit(group[0].source.uri), shape)
    return _scan_workbook(group[0], shape)


def _in_large_batches(rows: pl.LazyFrame, files: int) -> pl.LazyFrame:
    """Put the rows of many small files together: each batch costs as much as some ten thousand rows."""
    if files < _MANY_FILES:
        return rows

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, count: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = rows if count is None else rows.head(count)
        wanted = wanted if predicate is None else wanted.filter(predicate)
        wanted = wanted if columns is None else wanted.select(columns)
        for batch in wanted.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True, engine="streaming"):
            yield batch.rechunk()

    return register_io_source(batches, schema=rows.collect_schema())


def _renamed(texts: Sequence[pl.Expr]) -> list[pl.Expr]:
    names = ("recipient", *(f"t{position}" for position in range(len(texts) - 1)))
    return [text.alias(name) for text, name in zip(texts, names, strict=True)]


def _kept(columns: Iterable[pl.Expr]) -> list[pl.Expr]:
    return [column.alias(f"k{place}") for place, column in enumerate(columns)]


def _without_point(text: pl.Expr) -> pl.Expr:
    """Return texts in which a whole float, as pandas writes a column of counts, is a whole number: `1200.0` is 1200.

    The number of a row keeps its `.0`, which is judged with the rest of it.
    """
    return text.str.replace(r"^(-?(?:0|[1-9][0-9]*))\.0$", "$1")


def _has_zero_byte(texts: Sequence[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal([text.str.contains("\0", literal=True) for text in texts])


def _scan_csv(paths: Sequence[str], shape: Shape, options: dict[str, Any]) -> pl.LazyFrame:
    fields = [f"f{position}" for position in range(shape.width + shape.spare_fields)]
    rows = pl.scan_csv(
        list(paths),
        has_header=False,  # already parsed, and polars would rename repeated columns
        skip_lines=shape.header_lines,
        separator=shape.delimiter or NO_DELIMITER,
        schema=dict.fromkeys(fields, pl.String),
        infer_schema=False,
        missing_columns="insert",
        extra_columns="raise",
        include_file_paths=PATH,
        glob=False,
        **options,
    )
    rows = _in_large_batches(rows, len(paths))
    texts = [pl.col(f"f{position}") for position in shape.positions]
    # polars skips fields that aren't selected, and their faults with them, so each of them is looked at.
    faults = pl.struct(fields).map_batches(
        partial(_csv_faults, shape=shape), return_dtype=pl.UInt8, is_elementwise=True
    )
    kept = _kept(pl.col(f"f{each.place}") for each in shape.kept)
    texts[1:] = [_without_point(text) for text in texts[1:]]
    return rows.select(PATH, *_renamed(texts), *kept, faults.alias("fault"))


def _csv_faults(batch: pl.Series, *, shape: Shape) -> pl.Series:
    """Return the fault of each row by its fields; almost all lists have none, and a batch is looked at as a whole."""
    rows = batch.struct.unnest()
    spare = [column for column in rows.get_columns()[shape.width :] if column.null_count() < column.len()]
    texts = [rows.get_column(f"f{position}") for position in shape.positions]
    looked_for = "\0\r" if shape.width == 1 else "\0"
    if not spare and not any(text.str.count_matches(each, literal=True).max() for text in texts for each in looked_for):
        return pl.repeat(0, rows.height, dtype=pl.UInt8, eager=True)
    extra = pl.any_horizontal([pl.lit(value=False), *(column.str.strip_chars() != "" for column in spare)])
    fault = pl.when(extra).then(RowFault.EXTRA_FIELDS)
    fault = fault.when(_has_zero_byte([pl.col(text.name) for text in texts])).then(RowFault.ZERO_BYTE)
    if shape.width == 1:  # with more columns, the swallowed row shows as extra fields
        bare_return = pl.col(texts[0].name).str.strip_chars().str.contains("\r", literal=True)
        fault = fault.when(bare_return).then(RowFault.BARE_RETURN)
    return rows.select(fault.otherwise(0).cast(pl.UInt8)).to_series()


def hidden_faults(group: Sequence[OpenedList], shape: Shape, s3: Callable[[], S3Access]) -> pl.LazyFrame | None:
    """Return a frame without rows that raises for faults that `scan` can't see; None if `scan` sees them all."""
    if shape.format is not Format.CSV:
        return None
    options: dict[str, Any] = s3().polars_options(shape.bucket) if shape.bucket else {}
    return stray_quotes([each.source.readable for each in group], shape.delimiter, options)


def _scan_ndjson(paths: Sequence[str], shape: Shape, options: dict[str, Any]) -> pl.LazyFrame:
    # Each line is parsed on its own: polars' json_decode joins lines and can shift rows, and its scan_ndjson turns the
    # number 6.58e9 into 6580000000, which would pass for a phone number.
    lines = pl.scan_lines(list(paths), name="line", include_file_paths=PATH, glob=False, **options)
    lines = _in_large_batches(lines, len(paths))
    line = pl.col("line").str.strip_prefix("\ufeff")
    lines = lines.filter(line.str.strip_chars() != "").with_columns(line)
    texts = [pl.col("line").str.json_path_match(json_path(name)) for name in shape.names]
    scientific = pl.col("line").str.extract(_number_of(shape.names[0], _SCIENTIFIC), 1)
    texts[0] = pl.when(scientific.is_not_null()).then(scientific).otherwise(texts[0])
    for place, name in enumerate(shape.names[1:], 1):
        is_number = pl.col("line").str.extract(_number_of(name, _WHOLE_FLOAT), 1) == texts[place]
        texts[place] = pl.when(is_number).then(_without_point(texts[place])).otherwise(texts[place])
    kept = _kept(pl.col("line").str.json_path_match(json_path(each.name)) for each in shape.kept)
    named = lines.select(PATH, "line", *_renamed(texts), *kept)
    recipient = pl.col("recipient")
    fault = (
        pl.when(recipient.is_null()).then(RowFault.NO_VALUE).when(_has_zero_byte([recipient])).then(RowFault.ZERO_BYTE)
    )
    return named.with_columns(fault.otherwise(0).cast(pl.UInt8).alias("fault"))


def _number_of(name: str, number: str) -> str:
    """Return a pattern that captures this key's value as written if it's a number like `number`, not a string."""
    spellings = {json.dumps(name), json.dumps(name, ensure_ascii=False)}
    key = "|".join(sorted(re.escape(spelling) for spelling in spellings))
    return rf"(?:{key})\s*:\s*({number})"


def _scan_parquet(
    group: Sequence[OpenedList], paths: Sequence[str], shape: Shape, options: dict[str, Any]
) -> pl.LazyFrame:
    path = PATH
    while path in {*shape.names, *(each.name for each in shape.kept)}:
        path += "_"
    stored = dict(zip(shape.names, shape.types, strict=True)) | {each.name: each.stored for each in shape.kept}
    schema = {name: dtype for name, dtype in stored.items() if name not in shape.partitions}
    rows = pl.scan_parquet(
        list(paths),
        schema=schema,
        extra_columns="ignore",
        hive_partitioning=False,
        include_file_paths=path,
        glob=False,
        **options,
    )
    rows = _in_large_batches(rows, len(paths))
    values = [dict(each.source.partitions) for each in group]
    partitions = [
        pl.col(path).replace_strict(list(paths), [each[name] for each in values], return_dtype=pl.String).alias(name)
        for name in shape.partitions
    ]
    return _texts_of(rows.with_columns(partitions), pl.col(path), shape)


def _texts_of(rows: pl.LazyFrame, path: pl.Expr, shape: Shape) -> pl.LazyFrame:
    """Return the columns of a shape as text, from rows whose columns have types and names."""
    texts = [as_text(pl.col(name), dtype) for name, dtype in zip(shape.names, shape.types, strict=True)]
    texts[1:] = [
        _without_point(text) if dtype.is_float() or dtype.is_decimal() else text  # in a column of text it is meant
        for text, dtype in zip(texts[1:], shape.types[1:], strict=True)
    ]
    kept = _kept(pl.col(each.name).cast(each.dtype) for each in shape.kept)
    named = rows.select(path.alias(PATH), *_renamed(texts), *kept)
    zero = pl.when(_has_zero_byte([pl.col("recipient")])).then(RowFault.ZERO_BYTE).otherwise(0).cast(pl.UInt8)
    return named.with_columns(zero.alias("fault"))


def _scan_workbook(opened: OpenedList, shape: Shape) -> pl.LazyFrame:
    rows = opened.rows if opened.rows is not None else pl.DataFrame()
    texts = [pl.col(f"f{place}") for place in range(len(shape.positions))]
    kept = _kept(pl.col(f"f{len(texts) + place}") for place in range(len(shape.kept)))
    hidden = pl.col("hidden") if opened.source.options.hidden is Hidden.SKIP else pl.lit(False)
    return rows.lazy().select(
        pl.lit(opened.source.uri).alias(PATH), *_renamed(texts), *kept, _NO_FAULT.alias("fault"), hidden.alias("hidden")
    )
