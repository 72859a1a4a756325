"""Finds the row of a list that can't be read, in a slow second pass after polars has failed."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice

from globe_sms.tasks.recipients.csv_quotes import NO_DELIMITER, valid_record_pattern
from globe_sms.tasks.recipients.file_formats import ENCODING_ADVICE, decoding_error, parse_line
from globe_sms.tasks.recipients.list_source import Format, ListSource
from globe_sms.tasks.recipients.read_lists import BAD_JSON, fault_in

_LONGEST_RECORD = 64 << 20
_STRAY_QUOTE = "has a misplaced quotation mark: double it, or put the field in quotation marks"


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Split a stream into lines, each with its line feed; the last one may lack it."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        if b"\n" in piece:
            *lines, last = rest.split(b"\n")
            for line in lines:
                yield bytes(line) + b"\n"
            rest = bytearray(last)
    if rest:
        yield bytes(rest)


def raise_bad_json_row(source: ListSource, pieces: Iterable[bytes]) -> None:
    """Raise for the first line that isn't one JSON object in UTF-8; return if there is none.

    Raises:
        InputError: the message names the row.
    """
    row = 0
    for number, line in enumerate(split_lines(pieces), 1):
        try:
            text = line.decode().removeprefix("\ufeff").strip()
        except UnicodeDecodeError:
            raise decoding_error(source.uri, "utf-8", number) from None
        if text:
            if not isinstance(parse_line(text), dict):
                raise fault_in(source.uri, row, BAD_JSON)
            row += 1


def raise_bad_record(source: ListSource, pieces: Iterable[bytes]) -> None:
    """Raise for the first row of a CSV list that isn't UTF-8 or is too wide, else for one with a stray quotation mark.

    Raises:
        InputError: the message names the row. Nothing is raised if all rows are fine.
    """
    layout = source.layout
    delimiter = layout.delimiter or NO_DELIMITER
    sound = valid_record_pattern(layout.delimiter)
    stray: int | None = None
    for row, record in enumerate(_records(split_lines(pieces), layout.header_lines)):
        try:
            text = record.decode()
        except UnicodeDecodeError:
            raise fault_in(source.uri, row, f"isn't UTF-8: {ENCODING_ADVICE}") from None
        if stray is None and not sound.fullmatch(text):
            stray = row
        elif stray is None:
            _check_width(source, row, _fields(text, delimiter))
    if stray is not None:
        raise fault_in(source.uri, stray, _STRAY_QUOTE)


def line_of_row(source: ListSource, row: int, pieces: Iterable[bytes]) -> int | None:
    """Return the line of the file, from 1, that a row of a text list begins on; None for other formats."""
    if source.format is Format.CSV:
        line = source.layout.header_lines
        for number, record in enumerate(_records(split_lines(pieces), source.layout.header_lines)):
            if number == row:
                return line + 1
            line += record.count(b"\n")
    elif source.format is Format.NDJSON:
        filled = (number for number, line in enumerate(split_lines(pieces), 1) if line.strip(b"\xef\xbb\xbf \t\r\n"))
        return next(islice(filled, row, None), None)
    return None


def _records(lines: Iterator[bytes], header_lines: int) -> Iterator[bytes]:
    """Join lines to records while quotation marks are open; the last record is the rest."""
    for _ in range(header_lines):
        next(lines, None)
    record, marks = bytearray(), 0
    for line in lines:
        record += line
        marks += line.count(b'"')
        if marks % 2 == 0 or len(record) > _LONGEST_RECORD:
            yield bytes(record)
            record, marks = bytearray(), 0
    if record:
        yield bytes(record)


def _fields(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:  # a field of more than 128 KiB
        return []


def _check_width(source: ListSource, row: int, fields: list[str]) -> None:
    width = len(source.layout.names)
    extra = fields[width:]
    if any(field.strip() for field in extra) or len(extra) > source.layout.spare_fields:
        what = f"has {len(fields)} fields in a list of {width} columns"
        raise fault_in(source.uri, row, f"{what}, and a shifted column could text a stranger: fix or quote it")
