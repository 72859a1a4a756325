"""Streams the rows of a sheet: raw cells, which rows and columns the program hides, and which cells are merged."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.recipients.workbooks.contents import Sheet, is_true
from globe_sms.tasks.recipients.workbooks.package import DAMAGED, Package
from globe_sms.tasks.recipients.workbooks.xml_stream import XmlHandler, read_xml

_MOST_ROWS: Final = 1_048_576
_MOST_COLUMNS: Final = 16_384
_LONGEST_CELL: Final = 1 << 17  # Excel's limit is 32,767 characters
_MOST_MERGED: Final = 200_000
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ESCAPED: Final = re.compile(r"_x((?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})_")  # no halves of surrogate pairs
_A: Final = ord("A") - 1


class Cell(NamedTuple):
    """A cell as stored: its type (`n`, `s`, `str`, `b`, `e`, `d`, `inlineStr`), its style, and its value as text."""

    type: str
    style: int
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row with a value in at least one cell: its number as the program shows it, and its cells by column, from 0."""

    number: int
    hidden: bool
    cells: Mapping[int, Cell]


@dataclass(slots=True)
class SheetNotes:
    """What a sheet says beside its rows: hidden columns as ranges from 0, and merged ranges as written.

    Columns come before the rows, merged cells after them.
    """

    hidden_columns: list[range] = field(default_factory=list[range])
    merged: list[str] = field(default_factory=list[str])

    def hides(self, column: int) -> bool:
        """Whether the program hides a column."""
        return any(column in columns for columns in self.hidden_columns)


def read_sheet(package: Package, sheet: Sheet, on_row: Callable[[Row], None]) -> SheetNotes:
    """Pass the rows of a sheet to a function, in order, until the end or until it raises `EnoughError`.

    Raises:
        InputError: the sheet is damaged, or its rows aren't in order.
    """
    reader = _SheetReader(package.uri, on_row)
    with package.open(sheet.part) as stream:
        read_xml(package.uri, stream, reader)
    return reader.notes


def cell_name(column: int, row: int) -> str:
    """Return a cell's name in the program, such as `B7`; `column` counts from 0, `row` from 1."""
    return f"{column_name(column)}{row}"


def column_name(column: int) -> str:
    """Return a column's letters in the program: `A` for 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def merged_cells(ranges: list[str], row: int) -> list[tuple[str, range]]:
    """Return the merged ranges that cover a row, each with its columns."""
    found: list[tuple[str, range]] = []
    for each in ranges:
        first, _, last = each.partition(":")
        corners = _corner(first), _corner(last or first)
        if corners[0] and corners[1] and corners[0][1] <= row <= corners[1][1]:
            found.append((each, range(corners[0][0], corners[1][0] + 1)))
    return found


def _corner(reference: str) -> tuple[int, int] | None:
    found = _REFERENCE.fullmatch(reference.replace("$", ""))
    return None if found is None else (_column_of(found[1]), int(found[2]))


def _column_of(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - _A
    return column - 1


class _SheetReader(XmlHandler):
    def __init__(self, uri: str, on_row: Callable[[Row], None]) -> None:
        self._uri = uri
        self._on_row = on_row
        self._columns: dict[str, int] = {}
        self.notes = SheetNotes()
        self._row = 0
        self._hidden = False
        self._cells: dict[int, Cell] = {}
        self._column = -1
        self._type = "n"
        self._style = 0
        self._value: list[str] | None = None
        self._length = 0
        self._is_reading = False
        self._in_phonetics = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif name == "v" or (name == "t" and self._value is not None and not self._in_phonetics):
            self._is_reading = self._value is not None
        elif name == "row":
            self._start_row(attributes)
        elif name == "rPh":
            self._in_phonetics = True
        elif name == "col":
            self._note_column(attributes)
        elif name == "mergeCell" and len(self.notes.merged) < _MOST_MERGED:
            self.notes.merged.append(attributes.get("ref", ""))

    def end(self, name: str) -> None:
        if name in {"v", "t"}:
            self._is_reading = False
        elif name == "c":
            self._end_cell()
        elif name == "row" and self._cells:
            self._on_row(Row(self._row, self._hidden, self._cells))
        elif name == "rPh":
            self._in_phonetics = False

    def text(self, data: str) -> None:
        if self._is_reading and self._value is not None:
            self._value.append(data)
            self._length += len(data)
            if self._length > _LONGEST_CELL:
                where = cell_name(self._column, self._row)
                raise refusal(self._uri, f"the cell {where} holds more than {_LONGEST_CELL:,} characters: shorten it")

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        number = int(attributes.get("r") or self._row + 1)
        if not self._row < number <= _MOST_ROWS:
            raise refusal(self._uri, DAMAGED)
        self._row = number
        self._column = -1
        self._cells = {}
        self._hidden = is_true(attributes.get("hidden")) or _is_zero(attributes.get("ht"))

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        self._column = self._place(attributes.get("r"))
        if not 0 <= self._column < _MOST_COLUMNS or not self._row:
            raise refusal(self._uri, DAMAGED)
        self._type = attributes.get("t", "n")
        self._style = int(attributes.get("s") or 0)
        self._value = []
        self._length = 0

    def _place(self, reference: str | None) -> int:
        if not reference:
            return self._column + 1
        letters = reference.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            if not (letters.isascii() and letters.isalpha() and letters.isupper() and len(letters) <= len("XFD")):
                return -1
            column = self._columns[letters] = _column_of(letters)
        return column

    def _end_cell(self) -> None:
        value = "".join(self._value or ())
        self._value = None
        if not value:  # formatted, but blank
            return
        if self._type in {"inlineStr", "str"}:
            value = unescaped(value)
        self._cells[self._column] = Cell(self._type, self._style, value)

    def _note_column(self, attributes: Mapping[str, str]) -> None:
        if is_true(attributes.get("hidden")) or _is_zero(attributes.get("width")):
            first, last = int(attributes.get("min") or 1), int(attributes.get("max") or 1)
            self.notes.hidden_columns.append(range(first - 1, last))
            if len(self.notes.hidden_columns) > _MOST_COLUMNS:
                raise refusal(self._uri, DAMAGED)


def unescaped(text: str) -> str:
    """Return a text with its escaped control characters, as in `a_x000D_`, decoded."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _is_zero(size: str | None) -> bool:
    return size is not None and float(size) == 0
