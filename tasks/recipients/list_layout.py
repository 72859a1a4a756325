"""The layout of a list: which columns are read, and how. Lists of the same shape are read in one scan."""

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from globe_sms.tasks.recipients.cell_text import refused_type
from globe_sms.tasks.recipients.column_samples import ColumnSample, sample_columns
from globe_sms.tasks.recipients.kept_columns import KeptColumn, kept_columns
from globe_sms.tasks.recipients.list_source import Compression, Format, ListReading, ListSource, refusal
from globe_sms.tasks.recipients.number_column import named_column, number_column, show
from globe_sms.tasks.recipients.read_options import Hidden
from globe_sms.tasks.recipients.region_column import region_column
from globe_sms.tasks.recipients.stored_schema import sample_stored, stored_schema
from globe_sms.tasks.recipients.workbooks.choose_sheet import SheetHead, choose_sheet
from globe_sms.tasks.recipients.workbooks.contents import read_contents
from globe_sms.tasks.recipients.workbooks.open_workbook import open_workbook
from globe_sms.tasks.recipients.workbooks.read_rows import read_rows
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

_TYPED: Final = (Format.PARQUET, Format.DELTA, Format.ICEBERG)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a list is split and which of its columns are read; lists of equal shape share a scan."""

    format: Format
    compression: Compression | None
    bucket: str | None
    """Where polars reads from S3; None for files."""
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
    table: str | None = None
    """The URI of a table, likewise."""
    partitions: tuple[str, ...] = ()
    """Which of the columns the folders of the files name, not the files."""
    has_region: bool = False
    """Whether the last of the columns is the one of the countries."""
    kept: tuple[KeptColumn, ...] = ()
    """The columns that the campaign keeps as they are."""


@dataclass(frozen=True, slots=True)
class OpenedList:
    """A list with known columns; a workbook's rows are already in memory, with `hidden` for rows it hides."""

    source: ListSource
    shape: Shape
    names: tuple[str, ...]
    """The names of all of its columns; without a header their positions, from "1"."""
    reading: ListReading
    rows: pl.DataFrame | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a list: their names, types (parquet only), and what their first values look like."""

    names: tuple[str, ...]
    types: tuple[pl.DataType, ...] = ()
    samples: tuple[ColumnSample, ...] = ()


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The positions of the number column, the extra columns and, if there's one, of the countries; what is kept."""

    number: int
    others: tuple[int, ...]
    region: int | None
    kept: tuple[KeptColumn, ...]

    @property
    def positions(self) -> tuple[int, ...]:
        return (self.number, *self.others, *(() if self.region is None else (self.region,)))


def open_list(
    source: ListSource,
    *,
    number: str | None,
    columns: Sequence[str],
    s3: Callable[[], S3Access],
    sampled: dict[object, tuple[ColumnSample, ...]],
    keep: Sequence[str] = (),
) -> OpenedList:
    """Find the number column and the extra columns of a list; reads a parquet footer or a whole workbook.

    `keep` names the columns that are kept as they are (`kept_columns`). `sampled` keeps the samples of parquet lists by
    their schema, so that one of a thousand equal lists is sampled.

    Raises:
        InputError: a column is missing, or the footer or workbook can't be read.
    """
    if source.format is Format.XLSX:
        return _open_workbook(source, number, columns, keep, s3)
    found = _Columns(source.layout.names, samples=source.layout.samples)
    partitions: dict[str, str | None] = {}
    if source.format in _TYPED:
        stored = stored_schema(source, s3)
        partitions = {name: value for name, value in source.partitions if name not in stored}
        schema = {**stored, **dict.fromkeys(partitions, pl.String())}
        key = (number, tuple(schema.items()))
        if key not in sampled:
            sampled[key] = sample_stored(source, schema, partitions, s3)
        found = _Columns(tuple(schema), tuple(schema.values()), sampled[key])
    has_header = source.layout.has_header or source.format is not Format.CSV
    chosen = _choose(source, found, number, columns, keep, has_header=has_header)
    read = tuple(found.names[position] for position in chosen.positions)
    types = tuple(found.types[position] for position in chosen.positions) if found.types else ()
    if types:
        _check_types(source.uri, read, types)
    if source.format is Format.NDJSON:
        _check_keys(source.uri, (*read, *(each.name for each in chosen.kept)))
    csv = source.format is Format.CSV
    shape = Shape(
        source.format,
        source.compression if source.copy is None or not source.copy.is_decoded else None,
        bucket=source.bucket,
        positions=chosen.positions if csv else (),
        names=() if csv else read,
        types=types,
        delimiter=source.layout.delimiter,
        header_lines=source.layout.header_lines,
        width=len(found.names) if csv else 0,
        spare_fields=source.layout.spare_fields if csv else 0,
        has_region=chosen.region is not None,
        table=None if source.table is None else source.uri,
        partitions=tuple(partitions),
        kept=chosen.kept,
    )
    reading = ListReading(
        format=str(source.format),
        number_column=show([found.names[chosen.number]]),
        encoding=None if source.format in _TYPED else source.encoding,
        delimiter=source.layout.delimiter,
        header_row=source.layout.header_row,
        rows_above=source.layout.rows_above,
        region_column=None if chosen.region is None else show([found.names[chosen.region]]),
        origin=source.origin,
    )
    return OpenedList(source, shape, found.names, reading)


def _choose(
    source: ListSource,
    found: _Columns,
    number: str | None,
    columns: Sequence[str],
    keep: Sequence[str],
    *,
    has_header: bool,
) -> _Chosen:
    chosen = number_column(source.uri, found.names, number, has_header=has_header, samples=found.samples)
    return _Chosen(
        chosen,
        tuple(named_column(source.uri, found.names, column, why="the message needs it") for column in columns),
        region_column(source.uri, found.names, source.options, number=chosen, samples=found.samples),
        kept_columns(source.uri, found.names, found.types, keep),
    )


def _open_workbook(
    source: ListSource, number: str | None, columns: Sequence[str], keep: Sequence[str], s3: Callable[[], S3Access]
) -> OpenedList:
    options, has_header = source.options, source.layout.has_header
    with open_workbook(source, s3) as package:
        contents = read_contents(package)
        head = choose_sheet(package, contents, options, wanted=number, has_header=has_header)
        hidden = tuple(show([sheet.name]) for sheet in contents.sheets if sheet.hidden and sheet != head.sheet)
        with _naming_sheet(head, () if options.hidden is Hidden.SEND else hidden):
            chosen = _choose_visible(source, head, number, columns, keep)
        others = (*chosen.positions[1:], *(each.place for each in chosen.kept))
        rows = read_rows(package, contents, head, options, number=chosen.number, others=others)
    shape = Shape(
        source.format,
        None,
        bucket=source.bucket,
        positions=chosen.positions,
        names=(),
        workbook=source.uri,
        has_region=chosen.region is not None,
        kept=chosen.kept,
    )
    reading = ListReading(
        format=str(source.format),
        number_column=show([head.names[chosen.number]]),
        sheet=show([head.sheet.name]),
        header_row=head.header_row,
        rows_above=head.header or 0,
        region_column=None if chosen.region is None else show([head.names[chosen.region]]),
        hidden_rows=rows.hidden,
        hidden=str(options.hidden) if rows.hidden else None,
        hidden_sheets=() if options.hidden is Hidden.SEND else hidden,
    )
    return OpenedList(source, shape, head.names, reading, rows.frame)


@contextmanager
def _naming_sheet(head: SheetHead, hidden: Sequence[str]) -> Generator[None]:
    """Add to an error about columns which sheet has been read, and which ones haven't."""
    try:
        yield
    except InputError as error:
        unread = f"; hidden sheets aren't read: {show(hidden)}" if hidden else ""
        raise InputError(f"{error} (sheet {show([head.sheet.name])!r}{unread})") from None


def _choose_visible(
    source: ListSource, head: SheetHead, number: str | None, columns: Sequence[str], keep: Sequence[str]
) -> _Chosen:
    """Find the columns among those that the spreadsheet program shows; a hidden one is refused by its name."""
    has_header = head.header is not None
    samples = sample_columns(head.texts, len(head.names), head.names)
    everything = _Columns(head.names, samples=samples)
    if source.options.hidden is Hidden.SEND or not head.hidden_positions:
        return _choose(source, everything, number, columns, keep, has_header=has_header)
    shown = tuple(
        "" if place in head.hidden_positions and has_header else name for place, name in enumerate(head.names)
    )
    seen = tuple(ColumnSample() if place in head.hidden_positions else sample for place, sample in enumerate(samples))
    try:
        chosen = _choose(source, _Columns(shown, samples=seen), number, columns, keep, has_header=has_header)
    except InputError:
        chosen = _choose(source, everything, number, columns, keep, has_header=has_header)
    read = (*chosen.positions, *(each.place for each in chosen.kept))
    hidden = [place for place in read if place in head.hidden_positions]
    if hidden:
        raise refusal(
            source.uri,
            f"the column {head.column_at(hidden[0])} of its sheet {show([head.sheet.name])!r} is hidden, so it isn't "
            "read: unhide it, or read what is hidden with --hidden send",
        )
    return chosen


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
