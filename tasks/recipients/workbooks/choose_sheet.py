"""Chooses the sheet with the list, by the first rows of each, and finds its header; hidden sheets aren't looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.recipients.column_names import normalize_name
from globe_sms.tasks.recipients.header_row import SEARCHED_ROWS, find_header, naming
from globe_sms.tasks.recipients.list_source import position_names, refusal
from globe_sms.tasks.recipients.number_column import show
from globe_sms.tasks.recipients.read_options import Hidden, ReadOptions
from globe_sms.tasks.recipients.workbooks.contents import Contents, Sheet
from globe_sms.tasks.recipients.workbooks.package import DAMAGED, Package
from globe_sms.tasks.recipients.workbooks.shared_strings import read_strings
from globe_sms.tasks.recipients.workbooks.sheet_rows import (
    Cell,
    Row,
    SheetNotes,
    column_name,
    read_sheet,
)
from globe_sms.tasks.recipients.workbooks.xml_stream import EnoughError
from globe_sms.tasks.store.s3_access import one_line

_MOST_CELLS: Final = 1_000_000
_LONGEST_INDEX: Final = 9


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
        InputError: the sheet doesn't exist, is hidden or empty, or several sheets contain lists.
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
            raise refusal(package.uri, "its sheets are too many and too wide to search: name the list's with --sheet")
    shared = {
        string_index(package.uri, cell)
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


def string_index(uri: str, cell: Cell) -> int:
    """Return the number of the shared string that a cell refers to.

    Raises:
        InputError: it refers to none.
    """
    number = cell.value.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_INDEX):
        raise refusal(uri, DAMAGED)
    return int(number)


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
