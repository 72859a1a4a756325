"""Which row of a list cannot be read; a slow second reading, made only after polars has given up."""

import csv
import io
from collections.abc import Iterable, Iterator

from globe_sms.tasks.recipients.csv_quotes import NO_DELIMITER, sound_record
from globe_sms.tasks.recipients.file_formats import ENCODING_ADVICE, parse_line, undecodable
from globe_sms.tasks.recipients.list_source import ListSource
from globe_sms.tasks.recipients.read_lists import BAD_JSON, fault_in

_LONGEST_RECORD = 64 << 20
_STRAY_QUOTE = "has a quotation mark out of place: double it, or put the field in quotation marks"


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a stream into lines, each with its line feed; a last one may have none."""
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


def bad_json_row(source: ListSource, pieces: Iterable[bytes]) -> None:
    """Raise for the first line that is not one JSON object in UTF-8; return if there is none.

    Raises:
        InputError: It names the row.
    """
    row = 0
    for number, line in enumerate(lines_of(pieces), 1):
        try:
            text = line.decode().removeprefix("\ufeff").strip()
        except UnicodeDecodeError:
            raise undecodable(source.uri, "utf-8", number) from None
        if text:
            if not isinstance(parse_line(text), dict):
                raise fault_in(source.uri, row, BAD_JSON)
            row += 1


def bad_record(source: ListSource, pieces: Iterable[bytes]) -> None:
    """Raise for the first row of a CSV list that is not UTF-8 or too wide, else for one with a stray quotation mark.

    Raises:
        InputError: It names the row. Nothing is raised where no row is at fault.
    """
    layout = source.layout
    delimiter = layout.delimiter or NO_DELIMITER
    sound = sound_record(layout.delimiter)
    stray: int | None = None
    for row, record in enumerate(_records(lines_of(pieces), layout.header_lines)):
        try:
            text = record.decode()
        except UnicodeDecodeError:
            raise fault_in(source.uri, row, f"is not UTF-8: {ENCODING_ADVICE}") from None
        if stray is None and not sound.fullmatch(text):
            stray = row
        elif stray is None:
            _check_width(source, row, _fields(text, delimiter))
    if stray is not None:
        raise fault_in(source.uri, stray, _STRAY_QUOTE)


def _records(lines: Iterator[bytes], header_lines: int) -> Iterator[bytes]:
    """Put lines together to records, as far as quotation marks are open; the last one is what is left."""
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
        raise fault_in(source.uri, row, f"{what}: a shifted column could reach a stranger: mend or quote it")
