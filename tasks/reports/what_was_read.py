"""Says what was read of the lists: which sheet and column, from which row on, and what was passed over."""

from collections.abc import Mapping, Sequence
from typing import Final

from globe_sms.tasks.recipients import Format, ListReading
from globe_sms.tasks.reports.page_blocks import Notes
from globe_sms.tasks.vocabulary.plurals import counted

_MOST: Final = 5
_DELIMITERS: Final[Mapping[str, str]] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_DONE: Final[Mapping[str | None, str]] = {"skip": "left out", "send": "read like the others"}


def reading_notes(readings: Sequence[tuple[str, ListReading]]) -> Notes | None:
    """Return what was read of each list, those that were read in the same way together; None if it isn't known."""
    groups: dict[ListReading, list[str]] = {}
    for uri, reading in readings:
        of_query = reading.origin is not None and reading.origin.connection is not None
        groups.setdefault(reading, []).append("query" if of_query else uri.rstrip("/").rpartition("/")[2])
    entries = [(_names(lists), reading_sentence(reading)) for reading, lists in groups.items()]
    if len(entries) > _MOST:
        rest = sum(len(lists) for lists in list(groups.values())[_MOST:])
        entries = [*entries[:_MOST], (counted(rest, "more list"), "read in other ways; campaign.json has each.")]
    return Notes("What was read", tuple(entries)) if entries else None


def reading_sentence(reading: ListReading) -> str:
    """Say in one line what was read of a list."""
    said = [f"{_format(reading)}; numbers in the column {reading.number_column}"]
    if reading.region_column is not None:
        said.append(f"their countries in {reading.region_column}")
    if reading.rows_above:
        said.append(f"{counted(reading.rows_above, 'row')} above the header passed over")
    if reading.hidden_rows:
        said.append(f"{counted(reading.hidden_rows, 'hidden row')} {_DONE.get(reading.hidden, 'found')}")
    if reading.hidden_sheets:
        said.append(f"hidden sheets not read: {', '.join(reading.hidden_sheets)}")
    return "; ".join(said) + "."


def _format(reading: ListReading) -> str:
    origin = reading.origin
    if origin is not None and origin.connection is not None:
        return f"asked on {origin.connection}, {counted(origin.rows or 0, 'row')}"
    said = ["NDJSON" if reading.format == Format.NDJSON else reading.format.upper()]
    if reading.format == Format.PARQUET:
        said = ["parquet"]
    if origin is not None and origin.version is not None:
        said = [f"{reading.format.capitalize()} table", origin.version]
    if reading.sheet is not None:
        said.append(f"sheet {reading.sheet}")
    if reading.delimiter is not None:
        said.append(f"separated by {_DELIMITERS.get(reading.delimiter, repr(reading.delimiter))}")
    if reading.encoding is not None:
        said.append(reading.encoding.upper())
    if reading.header_row is not None:
        said.append(f"header in row {reading.header_row}")
    elif reading.format in {Format.CSV, Format.XLSX}:
        said.append("no header")
    return ", ".join(said)


def _names(lists: Sequence[str]) -> str:
    return lists[0] if len(lists) == 1 else f"{lists[0]} and {len(lists) - 1:,} more"
