"""Reads the list on a sheet, row by row: only the needed columns, as text, and hidden rows only if asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.recipients.number_column import show
from globe_sms.tasks.recipients.read_options import Hidden, ReadOptions
from globe_sms.tasks.recipients.workbooks.choose_sheet import SheetHead, string_index
from globe_sms.tasks.recipients.workbooks.contents import Contents
from globe_sms.tasks.recipients.workbooks.date_formats import serial_of
from globe_sms.tasks.recipients.workbooks.number_formats import (
    GENERAL,
    UnknownFormatError,
    show_as_digits,
    show_number,
)
from globe_sms.tasks.recipients.workbooks.package import Package
from globe_sms.tasks.recipients.workbooks.shared_strings import read_strings
from globe_sms.tasks.recipients.workbooks.sheet_rows import (
    Cell,
    Row,
    cell_name,
    merged_cells,
    read_sheet,
)
from globe_sms.tasks.store.s3_access import one_line

_LONGEST_GAP: Final = 10_000
_MOST_CHARACTERS: Final = 256 << 20
_MOST_KNOWN: Final = 10_000
_EXACT: Final = 15
_BATCH: Final = 50_000


@dataclass(frozen=True, slots=True)
class SheetRows:
    """The rows of a sheet's list: columns `f0`, `f1`, ... as text, and `hidden` for rows that the program hides."""

    frame: pl.DataFrame
    hidden: int


def read_rows(
    package: Package, contents: Contents, head: SheetHead, options: ReadOptions, *, number: int, others: Sequence[int]
) -> SheetRows:
    """Read the list's columns at these positions, the number column first.

    Rows run from the one after the header to the last one with a value in any column of the list.

    Raises:
        InputError: a cell's look isn't known, rows are hidden, the header has merged cells, or a lone cell is far away.
    """
    reader = _ListReader(package.uri, contents, head, number, tuple(others))
    notes = read_sheet(package, head.sheet, reader.take)
    _check_merged(package.uri, head, notes.merged)
    strings = read_strings(package, contents.strings, reader.shared)
    frame = reader.frame(strings)
    hidden = int(frame["hidden"].sum())
    if hidden and options.hidden is Hidden.REFUSE:
        rows = "1 row" if hidden == 1 else f"{hidden:,} rows"
        raise refusal(
            package.uri,
            f"{rows} of its sheet {show([head.sheet.name])!r} are hidden or filtered out (row {reader.first_hidden} is "
            "the first): leave them out with --hidden skip, or text them too with --hidden send",
        )
    return SheetRows(frame, hidden)


def _check_merged(uri: str, head: SheetHead, merged: list[str]) -> None:
    if head.header_row is None:
        return
    for name, columns in merged_cells(merged, head.header_row):
        if any(column in head.columns for column in columns):
            raise refusal(
                uri,
                f"the cells {one_line(name)} of its header are merged, so not every column has a name of its own: "
                "unmerge them, or give the row that names the columns with --header-row",
            )


class _ListReader:
    """Takes the rows of a sheet one by one, and keeps the wanted columns as text or as numbers of shared strings."""

    def __init__(self, uri: str, contents: Contents, head: SheetHead, number: int, others: tuple[int, ...]) -> None:
        self._uri = uri
        self._contents = contents
        self._head = head
        self._columns = tuple(head.columns[place] for place in (number, *others))
        self._positions = (number, *others)
        self._list_columns = head.columns
        self._texts: list[list[str | None]] = [[] for _ in self._columns]
        self._shared: list[list[int | None]] = [[] for _ in self._columns]
        self._hidden: list[bool] = []
        self._batches: list[pl.DataFrame] = []
        self._before = head.header_row
        self._last: int | None = head.header_row
        self._characters = 0
        self._known: dict[tuple[Cell, bool], str | None] = {}
        self._general = {style for style, code in enumerate(contents.formats) if code == GENERAL} or {0}
        self.shared: set[int] = set()
        self.first_hidden: int | None = None

    def take(self, row: Row) -> None:
        """Keep a row of the list; rows above it are passed over."""
        if self._before is not None and row.number <= self._before:
            return
        last = row.number - 1 if self._last is None else self._last
        if row.number - last > _LONGEST_GAP:
            where = cell_name(next(iter(row.cells)), row.number)
            raise refusal(
                self._uri,
                f"the cell {where} of its sheet {show([self._head.sheet.name])!r} is {row.number - last - 1:,} "
                "blank rows below the list: delete it, or save the list as CSV",
            )
        if not any(column in self._list_columns for column in row.cells):
            return
        for _ in range(row.number - last - 1):
            self._keep(None)
        self._last = row.number
        self._keep(row)
        if len(self._hidden) >= _BATCH:
            self._flush()

    def _keep(self, row: Row | None) -> None:
        for place, column in enumerate(self._columns):
            cell = None if row is None else row.cells.get(column)
            text: str | None = None
            index: int | None = None
            if row is not None and cell is not None:
                if cell.type == "s":
                    index = string_index(self._uri, cell)
                    self.shared.add(index)
                else:
                    text = self._shown(cell, row.number, place)
                    self._characters += len(text or "")
            self._texts[place].append(text)
            self._shared[place].append(index)
        is_hidden = row is not None and row.hidden
        self._hidden.append(is_hidden)
        if is_hidden and row is not None and self.first_hidden is None:
            self.first_hidden = row.number

    def _shown(self, cell: Cell, row: int, place: int) -> str | None:
        if cell.type in {"inlineStr", "str"}:
            return cell.value
        if cell.type == "n" and self._is_plain(cell):
            return cell.value
        key = (cell, place == 0)
        known = self._known.get(key, "")
        if known != "":
            return known
        shown = self._shown_by_format(cell, row, place)
        if len(self._known) < _MOST_KNOWN:
            self._known[key] = shown
        return shown

    def _is_plain(self, cell: Cell) -> bool:
        """Whether a number is whole and shown as it's stored, as almost all phone numbers are."""
        value = cell.value
        return cell.style in self._general and value.isdigit() and len(value) <= _EXACT and value[0] in "123456789"

    def _shown_by_format(self, cell: Cell, row: int, place: int) -> str | None:
        if cell.type == "b":
            return "TRUE" if cell.value.strip() in {"1", "true"} else "FALSE"
        if cell.type == "e":  # #N/A and the like: no value
            return None
        formats = self._contents.formats
        number_format = formats[cell.style] if 0 <= cell.style < len(formats) else GENERAL
        show_cell = show_as_digits if place == 0 else show_number
        try:
            value = serial_of(cell.value, from_1904=self._contents.from_1904) if cell.type == "d" else cell.value
            return show_cell(value, number_format, from_1904=self._contents.from_1904)
        except UnknownFormatError as error:
            where = cell_name(self._columns[place], row)
            column = show([self._head.names[self._positions[place]]])
            raise refusal(
                self._uri,
                f"the column {column!r} can't be read as the spreadsheet shows it (cell {where}: {error}). Turn the "
                "column into text, or give it a format of its own, such as yyyy-mm-dd or 0.00",
            ) from None

    def _flush(self) -> None:
        columns = {
            **{f"f{place}": pl.Series(texts, dtype=pl.String) for place, texts in enumerate(self._texts)},
            **{f"s{place}": pl.Series(shared, dtype=pl.Int64) for place, shared in enumerate(self._shared)},
        }
        self._batches.append(pl.DataFrame({**columns, "hidden": pl.Series(self._hidden, dtype=pl.Boolean)}))
        self._texts = [[] for _ in self._columns]
        self._shared = [[] for _ in self._columns]
        self._hidden = []
        self._check_size()

    def _check_size(self) -> None:
        if self._characters > _MOST_CHARACTERS:
            raise refusal(self._uri, "its texts are too long for a list: save the list as CSV")

    def frame(self, strings: Mapping[int, str]) -> pl.DataFrame:
        """Return the rows with their shared strings filled in."""
        self._flush()
        rows = pl.concat(self._batches)
        numbers = pl.Series("number", list(strings), dtype=pl.Int64)
        texts = pl.Series("text", list(strings.values()), dtype=pl.String)
        found = pl.DataFrame([numbers, texts])
        sizes = found.select("number", size=pl.col("text").str.len_bytes().cast(pl.UInt64))
        for place in range(len(self._columns)):  # one long string may be in every row
            used = rows.select(number=f"s{place}").join(sizes, on="number", how="inner")
            self._characters += int(used["size"].sum())
        self._check_size()
        for place in range(len(self._columns)):
            looked = rows.select(number=f"s{place}").join(found, on="number", how="left", maintain_order="left")
            rows = rows.with_columns(pl.coalesce(f"f{place}", looked["text"]).alias(f"f{place}"))
        return rows.select(*(f"f{place}" for place in range(len(self._columns))), "hidden")
