"""Arbitrary bytes give correct rows or one InputError."""

import csv
import gzip
import io
import json
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from list_files import recipients, workbook

from globe_sms.tasks.vocabulary.errors import InputError

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
# No carriage returns: within quotes they are text, bare ones are refused.
CELLS = st.one_of(
    st.from_regex(r"\+65[0-9]{8}", fullmatch=True),
    st.text(alphabet="ab ,;\t|\"'\n0123é—\u200b=😀", max_size=8),
)
STARTS = st.sampled_from(
    [
        b"",
        b"PAR1",
        b"PK\x03\x04",
        b"\x1f\x8b\x08\x00",
        b"\x28\xb5\x2f\xfd",
        b"phone\n",
        b"\xff\xfe",
        b"{",
        b"[{",
        b"sep=",
    ]
)
EDIT = st.tuples(
    st.integers(0, 10_000),
    st.integers(0, 3),
    st.sampled_from([b"", b'"', b'""', b"\n", b",", b"\r", b"\0", b"\xe9", b"}"]),
)
EDITS = st.lists(EDIT, min_size=1, max_size=4)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], int]:
    """Draw rows of one width, the header first, and the position of the number column."""
    width = draw(st.integers(1, 4))
    place = draw(st.integers(0, width - 1))
    header = [f"c{column}" for column in range(width)]
    header[place] = draw(st.sampled_from(["phone", "Mobile No.", "MSISDN"]))
    # A list of one column whose rows are split by a delimiter is ambiguous, and refused.
    cells = CELLS if width > 1 else CELLS.map(lambda text: text.translate(dict.fromkeys(map(ord, ",;|\t"))))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=20))
    return [header, *rows], place


def edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Replace some bytes of data."""
    changed = bytearray(data)
    for place, length, put in edits:
        start = place % (len(changed) + 1)
        changed[start : start + length] = put
    return bytes(changed)


def read_or_refused(path: Path, data: bytes, number: str | None = None) -> list[str | None] | None:
    """Read a list of these bytes; None if it's refused in one line."""
    path.write_bytes(data)
    try:
        return recipients(path, number=number)
    except InputError as error:
        message = str(error)
    assert len(message.splitlines()) == 1
    return None


@SAME_FOLDER
@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|"),
    ends=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    pack=st.sampled_from([bytes, gzip.compress, zstandard.compress, lambda data: b"\xef\xbb\xbf" + data]),
)
def test_a_well_formed_csv_is_read_exactly(
    tmp_path: Path, table: tuple[list[list[str]], int], delimiter: str, ends: str, quoting: int, pack: type[bytes]
) -> None:
    """The values that the csv module wrote come back; an empty field may come back as null."""
    (header, *rows), place = table
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=ends, quoting=quoting).writerows([header, *rows])
    (tmp_path / "list").write_bytes(pack(file.getvalue().encode()))
    # Named, because most of its values aren't numbers.
    assert [text or "" for text in recipients(tmp_path / "list", number=header[place])] == [row[place] for row in rows]


@SAME_FOLDER
@given(table=tables(), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), edits=EDITS)
def test_a_damaged_csv_is_refused_or_read_like_the_csv_module(
    tmp_path: Path, table: tuple[list[list[str]], int], quoting: int, edits: list[tuple[int, int, bytes]]
) -> None:
    """No row is silently lost or joined."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n", quoting=quoting).writerows(table[0])
    data = edited(file.getvalue().encode(), edits)
    read = read_or_refused(tmp_path / "list", data, table[0][0][table[1]])
    if read is None or b"\r" in data:
        return
    lines = data.decode("utf-8-sig").split("\n")
    first = next(place for place, line in enumerate(lines) if line.strip())
    choices: list[list[str]] = []
    for delimiter in (",", ";", "|", "\t", "\x1f"):
        text = io.StringIO("\n".join(lines[first:]), newline="")
        header, *rows = list(csv.reader(text, delimiter=delimiter))
        choices += [[row[place] if place < len(row) else "" for row in rows] for place in range(len(header))]
    assert [text or "" for text in read] in choices


@SAME_FOLDER
@given(
    values=st.lists(st.one_of(CELLS, st.none(), st.integers(0, 10**15), st.booleans()), min_size=1, max_size=20),
    ascii_only=st.booleans(),
)
def test_ndjson_is_read_exactly(tmp_path: Path, values: list[str | int | None], ascii_only: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """Text stays, whole numbers keep all digits, null is null."""
    lines = [json.dumps({"x": "{", "phone": value}, ensure_ascii=ascii_only) for value in values]
    (tmp_path / "list").write_text("\n".join(lines), encoding="utf-8")
    expected = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    assert recipients(tmp_path / "list", number="phone") == expected


@SAME_FOLDER
@given(values=st.lists(CELLS, min_size=1, max_size=10), edits=EDITS)
def test_damaged_ndjson_is_refused_or_keeps_its_rows(
    tmp_path: Path, values: list[str], edits: list[tuple[int, int, bytes]]
) -> None:
    """A line that is still an object is a row; any other line makes the list invalid."""
    data = edited("\n".join(json.dumps({"phone": value}) for value in values).encode(), edits)
    read = read_or_refused(tmp_path / "list", data, "phone")
    if read is not None and data.lstrip().startswith(b"{"):
        lines = [line for line in data.decode("utf-8-sig").split("\n") if line.strip()]
        assert len(read) == len(lines)


@SAME_FOLDER
@given(start=STARTS, rest=st.binary(max_size=300))
def test_random_bytes_never_raise_anything_else(tmp_path: Path, start: bytes, rest: bytes) -> None:
    """Even after the first bytes of every known format."""
    read_or_refused(tmp_path / "list", start + rest)


@settings(SAME_FOLDER, max_examples=40)
@given(cells=st.lists(CELLS, min_size=1, max_size=5), edits=EDITS)
@pytest.mark.parametrize("form", ["parquet", "xlsx", "gz", "zst"])
def test_damaged_files_never_raise_anything_else(
    tmp_path: Path, form: str, cells: list[str], edits: list[tuple[int, int, bytes]]
) -> None:
    """Panics of a parser are caught too."""
    if form == "parquet":
        file = io.BytesIO()
        pl.DataFrame({"phone": cells}).write_parquet(file)
        data = file.getvalue()
    elif form == "xlsx":
        data = workbook([["phone"], *([cell] for cell in cells)])
    else:
        plain = "\n".join(["phone", *cells]).encode()
        data = gzip.compress(plain) if form == "gz" else zstandard.compress(plain)
    read_or_refused(tmp_path / "list", edited(data, edits))
