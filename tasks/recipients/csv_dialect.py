"""Detects the dialect of a CSV list from its first lines: the delimiter, the header, and where the data starts."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from globe_sms.tasks.recipients.column_samples import sample_columns
from globe_sms.tasks.recipients.file_formats import DecodedHead
from globe_sms.tasks.recipients.header_row import find_header, naming
from globe_sms.tasks.recipients.list_source import Layout, position_names, refusal
from globe_sms.tasks.recipients.read_options import AS_IT_IS, ReadOptions

NO_HEADER_ADVICE = ", or use --no-header"
DELIMITERS = "\t;|,"  # rarest in ordinary text first: it wins if two fit equally well
_NAMEABLE = DELIMITERS + ":^~"
_SAMPLE_ROWS = 200
_FITTING_SHARE = 0.8
_MOST_SPARE = 256
_SPARE = 4  # rows of a spreadsheet may end with more delimiters than the header
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_BARE_RETURN = re.compile(r"\r(?![\r\n]|$)")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class _Trial:
    """The first records of a list, split with one delimiter."""

    delimiter: str
    header: list[str]
    header_lines: int
    """Lines up to the end of the header."""
    rows: list[list[str]]
    names_it: bool
    """Whether the header names a number column."""
    rows_above: int = 0
    above: int = 0
    """Lines above the header."""

    @property
    def widest(self) -> int:
        """The fields of the longest record, including the header."""
        return max(len(self.header), *(len(row) for row in self.rows), 0)

    @property
    def fitting(self) -> float:
        """The share of rows with as many fields as the header."""
        return sum(len(row) == len(self.header) for row in self.rows) / len(self.rows) if self.rows else 1.0

    @property
    def rank(self) -> tuple[bool, bool, float, int]:
        return (self.names_it, self.fitting >= _FITTING_SHARE, round(self.fitting, 2), len(self.header))


def csv_layout(uri: str, head: DecodedHead, *, has_header: bool, options: ReadOptions = AS_IT_IS) -> Layout | None:
    """Find the delimiter and the header; None if the header extends beyond the bytes read.

    The header is the first line that isn't blank, unless a later one names the number column and those above it are
    titles and comments, or the options name its line. Without a header the first record is an ordinary row, and the
    widest of the first rows sets the columns.

    Raises:
        InputError: the lines end with a bare carriage return, or the header can't be read.
    """
    lines = _lines(head)
    if not lines:
        return None
    _refuse_bare_returns(uri, head)
    blank = next(position for position, line in enumerate(lines) if line.strip())
    chosen = _SEPARATOR_LINE.fullmatch(lines[blank])
    start = blank + 1 if chosen else blank if has_header else 0
    candidates = chosen[1] if chosen and chosen[1] in _NAMEABLE else DELIMITERS
    if has_header and options.header_row is not None:
        start = max(options.header_row - 1, start)
    if start >= len(lines) or (has_header and not lines[start].strip()):
        if start < len(lines) or head.whole:
            raise refusal(uri, _no_header(options.header_row))
        return None
    absent = [each for each in candidates if each not in head.text]
    trials = [
        trial
        for each in candidates
        if each not in absent[1:]  # one that isn't there splits like any other
        and (trial := _try(lines[start:], each, options.number_column, whole=head.whole))
    ]
    if not trials:
        if head.whole:
            raise refusal(uri, "its header can't be read: is a quotation mark left open?")
        return None
    if has_header and options.header_row is None and not any(trial.names_it for trial in trials):
        trials = [_below_titles(lines[start:], trial, options.number_column, whole=head.whole) for trial in trials]
    trial, delimiter = _choose(trials)
    if not has_header:
        return Layout(
            delimiter,
            position_names(trial.widest),
            has_header=False,
            header_lines=start,
            spare_fields=_SPARE,
            samples=sample_columns([trial.header, *trial.rows], trial.widest),
        )
    spare = min(trial.widest - len(trial.header), _MOST_SPARE) + _SPARE
    return Layout(
        delimiter,
        tuple(trial.header),
        header_lines=start + trial.header_lines,
        spare_fields=spare,
        header_row=start + trial.above + 1,
        rows_above=trial.rows_above + sum(bool(line.strip()) for line in lines[:start]) - bool(chosen),
        samples=sample_columns(trial.rows, len(trial.header), trial.header),
    )


def _no_header(line: int | None) -> str:
    if line is None:
        return f"it has no header: the first line must name the columns{NO_HEADER_ADVICE}"
    return f"its line {line} is blank or missing: give the line of the header with --header-row"


def _lines(head: DecodedHead) -> list[str]:
    """Split the text into lines, without a possibly incomplete last one; empty if all are blank."""
    lines = head.text.split("\n")
    last = lines.pop()
    cut = [line + "\n" for line in lines]
    if last and head.whole:
        cut.append(last)
    return cut if any(line.strip() for line in cut) else []


def _refuse_bare_returns(uri: str, head: DecodedHead) -> None:
    text = head.text if head.whole else head.text[: head.text.rfind("\n") + 1]
    if "\r" in text and _BARE_RETURN.search(_QUOTED.sub("", text)):
        raise refusal(
            uri, "its lines end with a bare carriage return (old Macintosh): save it with LF or CRLF line ends"
        )


def _records(lines: list[str], delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Yield each record with the number of lines up to its end; stop early if the csv module fails."""
    reader = csv.reader(iter(lines), delimiter=delimiter)
    try:
        for record in reader:
            yield record, reader.line_num
    except csv.Error:
        return


def _try(lines: list[str], delimiter: str, wanted: str | None, *, whole: bool) -> _Trial | None:
    records = _first_records(lines, delimiter, whole=whole)
    if not records:
        return None
    (header, header_lines), *rows = records
    names_it = any(map(naming(wanted), header))
    return _Trial(delimiter, header, header_lines, [row for row, _ in rows if row], names_it)


def _first_records(lines: list[str], delimiter: str, *, whole: bool) -> list[tuple[list[str], int]]:
    records: list[tuple[list[str], int]] = []
    for record in _records(lines, delimiter):
        records.append(record)
        if len(records) > _SAMPLE_ROWS:
            break
    starts = [0, *(end for _, end in records)]
    if records and not whole and _is_open(lines[starts[-2] : starts[-1]]):
        records.pop()  # the bytes read end inside its quotes
    return records


def _below_titles(lines: list[str], trial: _Trial, wanted: str | None, *, whole: bool) -> _Trial:
    """Return the trial with the header that is below title and comment rows; unchanged if there is none."""
    records = _first_records(lines, trial.delimiter, whole=whole)
    filled = [place for place, (row, _) in enumerate(records) if any(cell.strip() for cell in row)]
    found = find_header([records[place][0] for place in filled], naming(wanted))
    if not found:
        return trial
    place = filled[found]
    header, header_lines = records[place]
    rows = [row for row, _ in records[place + 1 :] if row]
    return _Trial(
        trial.delimiter, header, header_lines, rows, names_it=True, rows_above=found, above=records[place - 1][1]
    )


def _is_open(lines: list[str]) -> bool:
    return sum(line.count('"') for line in lines) % 2 == 1


def _choose(trials: list[_Trial]) -> tuple[_Trial, str | None]:
    several = [trial for trial in trials if len(trial.header) > 1]
    if several:
        best = max(several, key=lambda trial: trial.rank)
        return best, best.delimiter
    # One column. If a delimiter still splits most rows, keep it: the rows are then refused, and don't pass for numbers.
    for trial in trials:
        if trial.rows and sum(any(row[1:]) for row in trial.rows) * 2 > len(trial.rows):
            return trial, trial.delimiter
    return trials[0], None
