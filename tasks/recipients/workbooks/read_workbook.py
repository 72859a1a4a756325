"""Reads the list in a workbook: chooses the sheet, finds its header, and gives the rows as text.

First the head of each sheet is read, then the needed columns of the chosen one, row by row. What the program hides is
never read unasked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from globe_sms.tasks.recipients.column_names import normalize_name
from globe_sms.tasks.recipients.header_row import SEARCHED_ROWS, find_header, naming
from globe_sms.tasks.recipients.list_source import position_names, refusal
from globe_sms.tasks.recipients.number_column import show
from globe_sms.tasks.recipients.read_options import Hidden, ReadOptions
from globe_sms.tasks.recipients.workbooks.contents import Contents, Sheet
from globe_sms.tasks.recipients.workbooks.date_formats import serial_of
from globe_sms.tasks.recipients.workbooks.number_formats import (
    GENERAL,
    UnknownFormatError,
    show_as_digits,
    show_number,
)
from globe_sms.tasks.recipients.workbooks.package import DAMAGED, Package
from globe_sms.tasks.recipients.workbooks.shared_strings import read_strings
from globe_sms.tasks.recipients.workbooks.sheet_rows import (
    Cell,
    Row,
    SheetNotes,
    cell_name,
    column_name,
    merged_cells,
    read_sheet,
)
from globe_sms.tasks.recipients.workbooks.xml_stream import EnoughError
from globe_sms.tasks.store.s3_access import one_line

_LONGEST_GAP: Final = 10_000
_MOST_CELLS: Final = 1_000_000
_MOST_CHARACTERS: Final = 256 << 20
_MOST_KNOWN: Final = 10_000
_EXACT: Final = 15
_BATCH: Final = 50_000


@dataclass(frozen=True, slots=True)
class SheetHead:
    """The first rows of a sheet, as text by column, with their row numbers; and where the list in it begins."""

    sheet: Sheet
    notes: SheetNotes
    rows: tuple[tuple[int, Mapping[int, str]], ...]
    header: int | None
    """The position of the header in `rows`; None if the list has none."""

    @property
    def columns(self) -> range:
        """The columns of the list, from the first one with a value."""
        used = [self.rows[self.header][1]] if self.header is not None else [cells for _, cells in self.rows]
        places = [column for cells in used for column in cells]
        return range(min(places), max(places) + 1) if places else range(0)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, or their positions from "1" without a header."""
        if self.header is None:
            return position_names(len(self.columns))
        cells = self.rows[self.header][1]
        return tuple(cells.get(column, "") for column in self.columns)

    @property
    def header_row(self) -> int | None:
        """The number of the header's row, as the program shows it."""
        return None if self.header is None else self.rows[self.header][0]

    @property
    def texts(self) -> list[list[str]]:
        """The values of the list's columns in the first rows after the header."""
        first = 0 if self.header is None else self.header + 1
        return [[cells.get(column, "") for column in self.columns] for _, cells in self.rows[first:]]

    @property
    def hidden_positions(self) -> frozenset[int]:
        """The positions of the columns that the program hides."""
        return frozenset(place for place, column in enumerate(self.columns) if self.notes.hides(column))

    def column_at(self, position: int) -> str:
        """Return a column's letters in the program and its name: `B (phone)`."""
        name = self.names[position].strip()
        letters = column_name(self.columns[position])
        return f"{letters} ({show([name])})" if self.header is not None and name else letters


def choose_sheet(
    package: Package, contents: Contents, options: ReadOptions, *, wanted: str | None, has_header: bool
) -> SheetHead:
    """Return the head of the sheet with the list: the one named, the only one, or the only one with a number column.

    Raises:
        InputError: there is no such sheet, it is hidden or empty, or several sheets contain lists.
    """
    heads = _read_heads(package, contents, _candidates(package.uri, contents, options))
    filled = [each for each in heads if each.rows]
    if not filled:
        hidden = _names_of([sheet for sheet in contents.sheets if sheet.hidden])
        more = f"; hidden sheets aren't read ({hidden})" if hidden and options.hidden is not Hidden.SEND else ""
        raise refusal(package.uri, f"its sheets are empty: put the list in one of them{more}")
    lists = [_with_header(package.uri, each, options, wanted, has_header=has_header) for each in filled]
    if len(lists) > 1:
        names_it = naming(wanted)
        fitting = [each for each in lists if has_header and any(names_it(name) for name in each.names)]
        if len(fitting) != 1:
            several = _names_of([each.sheet for each in fitting or lists])
            raise refusal(
                package.uri,
                f"several of its sheets contain lists ({several}): name one with --sheet, or save each as a separate "
                "list",
            )
        lists = fitting
    return lists[0]


def _names_of(sheets: Sequence[Sheet]) -> str:
    return show([sheet.name for sheet in sheets]) if sheets else ""


def _candidates(uri: str, contents: Contents, options: ReadOptions) -> list[Sheet]:
    sheets = [sheet for sheet in contents.sheets if options.hidden is Hidden.SEND or not sheet.hidden]
    if options.sheet is None:
        return sheets
    named = [sheet for sheet in contents.sheets if sheet.name == options.sheet] or [
        sheet for sheet in contents.sheets if normalize_name(sheet.name) == normalize_name(options.sheet)
    ]
    if not named:
        raise refusal(
            uri,
            f"it has no sheet {one_line(options.sheet)!r} (sheets: {_names_of(contents.sheets) or 'none'}): "
            "give another --sheet",
        )
    if named[0] not in sheets:
        raise refusal(
            uri,
            f"its sheet {show([named[0].name])!r} is hidden, so nobody on it is texted: unhide it, or read what is "
            "hidden with --hidden send",
        )
    return named[:1]


def _read_heads(package: Package, contents: Contents, sheets: Sequence[Sheet]) -> list[SheetHead]:
    """Read the first rows with a value of each sheet."""
    raw: list[tuple[Sheet, SheetNotes, list[Row]]] = []
    cells = 0
    for sheet in sheets:
        rows: list[Row] = []

        def keep(row: Row, rows: list[Row] = rows) -> None:
            rows.append(row)
            if len(rows) >= SEARCHED_ROWS:
                raise EnoughError

        notes = read_sheet(package, sheet, keep)
        raw.append((sheet, notes, rows))
        cells += sum(len(row.cells) for row in rows)
        if cells > _MOST_CELLS:
            raise refusal(package.uri, "its sheets are too many and too wide: name the one with the list with --sheet")
    shared = {
        _index(package.uri, cell)
        for _, _, rows in raw
        for row in rows
        for cell in row.cells.values()
        if cell.type == "s"
    }
    strings = read_strings(package, contents.strings, shared)
    return [
        SheetHead(
            sheet,
            notes,
            tuple(
                (row.number, {column: _plainly(cell, strings) for column, cell in row.cells.items()}) for row in rows
            ),
            None,
        )
        for sheet, notes, rows in raw
    ]


def _index(uri: str, cell: Cell) -> int:
    if not (cell.value.isascii() and cell.value.strip().isdigit()):
        raise refusal(uri, DAMAGED)
    return int(cell.value)


def _plainly(cell: Cell, strings: Mapping[int, str]) -> str:
    return strings.get(int(cell.value), "") if cell.type == "s" else cell.value


def _with_header(uri: str, head: SheetHead, options: ReadOptions, wanted: str | None, *, has_header: bool) -> SheetHead:
    if not has_header:
        return head
    if options.header_row is not None:
        found = next((place for place, (number, _) in enumerate(head.rows) if number == options.header_row), None)
        if found is None:
            raise refusal(
                uri,
                f"row {options.header_row} of its sheet {show([head.sheet.name])!r} is blank or beyond its first "
                f"{SEARCHED_ROWS} rows: give the row that names the columns with --header-row",
            )
        return SheetHead(head.sheet, head.notes, head.rows, found)
    found = find_header([list(cells.values()) for _, cells in head.rows], naming(wanted)) or 0
    return SheetHead(head.sheet, head.notes, head.rows, found)


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
                f"the cell {where} of its sheet {show([self._head.sheet.name])!r} stands {row.number - last - 1:,} "
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
                    index = _index(self._uri, cell)
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
                f"the column {column!r} can't be read as the spreadsheet shows it: of the cell {where}, {error}. Turn "
                "the column into text, or give it a format of its own, such as yyyy-mm-dd or 0.00",
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
        for place in range(len(self._columns)):  # one long string may stand in every row
            used = rows.select(number=f"s{place}").join(sizes, on="number", how="inner")
            self._characters += int(used["size"].sum())
        self._check_size()
        for place in range(len(self._columns)):
            looked = rows.select(number=f"s{place}").join(found, on="number", how="left", maintain_order="left")
            rows = rows.with_columns(pl.coalesce(f"f{place}", looked["text"]).alias(f"f{place}"))
        return rows.select(*(f"f{place}" for place in range(len(self._columns))), "hidden")
