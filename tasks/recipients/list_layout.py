"""The layout of a list: which columns are read, and how. Lists of the same shape are read in one scan."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from globe_sms.tasks.recipients.cell_text import refused_type
from globe_sms.tasks.recipients.file_content import read_stored
from globe_sms.tasks.recipients.list_source import Compression, Format, ListSource, refusal
from globe_sms.tasks.recipients.number_column import named_column, number_column
from globe_sms.tasks.recipients.xlsx import read_workbook
from globe_sms.tasks.store.s3_access import S3Access


@dataclass(frozen=True, slots=True)
class Shape:
    """How a list is split and which of its columns are read; lists of equal shape share a scan."""

    format: Format
    compression: Compression | None
    on_s3: bool
    positions: tuple[int, ...]
    """The positions of the number column and the extra columns."""
    names: tuple[str, ...]
    """The same columns' names in the list."""
    types: tuple[pl.DataType, ...] = ()
    """Their types; parquet only."""
    delimiter: str | None = None
    header_lines: int = 0
    width: int = 0
    """Fields in the header; CSV only."""
    spare_fields: int = 0
    workbook: str | None = None
    """The URI of a workbook, as each has its own shape."""


@dataclass(frozen=True, slots=True)
class OpenedList:
    """A list with known columns; a workbook's rows are already in memory."""

    source: ListSource
    shape: Shape
    names: tuple[str, ...]
    """The names of all of its columns; without a header their positions, from "1"."""
    rows: pl.DataFrame | None = field(default=None, repr=False, compare=False)


def open_list(
    source: ListSource, *, number: str | None, columns: Sequence[str], s3: Callable[[], S3Access]
) -> OpenedList:
    """Find the number column and the extra columns of a list; reads a parquet footer or a whole workbook.

    Raises:
        InputError: a column is missing, or the footer or workbook can't be read.
    """
    rows: pl.DataFrame | None = None
    types: tuple[pl.DataType, ...] = ()
    names = source.layout.names
    if source.format is Format.XLSX:
        names, rows = read_workbook(source.uri, read_stored(source, s3), number, has_header=source.layout.has_header)
    elif source.format is Format.PARQUET:
        schema = _parquet_schema(source, s3)
        names, types = tuple(schema), tuple(schema.values())
    has_header = source.layout.has_header or source.format not in {Format.CSV, Format.XLSX}
    positions = (
        number_column(source.uri, names, number, has_header=has_header),
        *(named_column(source.uri, names, column) for column in columns),
    )
    read = tuple(names[position] for position in positions)
    if types:
        types = tuple(types[position] for position in positions)
        _check_types(source.uri, read, types)
    if source.format is Format.NDJSON:
        _check_keys(source.uri, read)
    csv = source.format is Format.CSV
    shape = Shape(
        source.format,
        None if source.copy else source.compression,
        on_s3=source.on_s3 and source.copy is None,
        positions=() if source.format in {Format.PARQUET, Format.NDJSON} else positions,
        names=() if csv else read,
        types=types,
        delimiter=source.layout.delimiter,
        header_lines=source.layout.header_lines,
        width=len(names) if csv else 0,
        spare_fields=source.layout.spare_fields if csv else 0,
        workbook=source.uri if rows is not None else None,
    )
    return OpenedList(source, shape, tuple(names), rows)


def _parquet_schema(source: ListSource, s3: Callable[[], S3Access]) -> dict[str, pl.DataType]:
    options: dict[str, Any] = s3().polars_options() if source.on_s3 else {}
    try:
        return dict(pl.scan_parquet(source.uri, glob=False, hive_partitioning=False, **options).collect_schema())
    except (pl.exceptions.PolarsError, OSError, ValueError, pl.exceptions.PanicException):
        raise refusal(source.uri, UNREADABLE_PARQUET) from None


UNREADABLE_PARQUET = (
    "it isn't a readable parquet file (damaged, truncated, of an unknown type, or its text isn't UTF-8): write it again"
)


def _check_types(uri: str, names: Sequence[str], types: Sequence[pl.DataType]) -> None:
    for name, dtype in zip(names, types, strict=True):
        reason = refused_type(dtype)
        if reason:
            raise refusal(uri, f"the column {name!r} {reason}")


def _check_keys(uri: str, names: Sequence[str]) -> None:
    for name in names:
        probe = pl.Series([json.dumps({name: "found"})])
        try:
            found = pl.select(pl.lit(probe).str.json_path_match(json_path(name))).item()
        except pl.exceptions.PolarsError:
            found = None
        if found != "found":
            raise refusal(uri, f"the column name {name!r} can't be looked up in JSON: rename it")


def json_path(name: str) -> str:
    """Return the JSON path of one key of an object."""
    mark = "'" if '"' in name else '"'
    return f"$[{mark}{name}{mark}]"  # it can't escape quotes and backslashes: such a name is refused
