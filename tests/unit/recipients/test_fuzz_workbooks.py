"""Any workbook, damaged or not, gives all its rows or one InputError in one line."""

import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import fastexcel
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from list_files import no_s3
from workbook_parts import package, sheet_xml, zipped

from globe_sms.tasks.recipients import Hidden, ReadOptions, find_lists, open_lists, rows_of, translate_errors
from globe_sms.tasks.vocabulary.errors import InputError

VALUES = st.one_of(
    st.sampled_from(
        ["+6591234567", "1", "46360.375", "-0.5", "1e400", "nan", "", " ", "#N/A", "2026-12-04T09:00", "9" * 40]
    ),
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="<>&\ufffe\uffff"),
        max_size=5,
    ),
)
CODES = st.one_of(
    st.sampled_from(
        ["General", "dd/mm/yyyy", "h:mm AM/PM", "[h]:mm:ss.00", "#,##0.00", "0%", "0.00E+00", "# ?/?", ";;;", "@"]
    ),
    st.integers(0, 200),
    st.text(alphabet='0#?.,%E+-/ymdhs[]$€"\\_*;@ >=<:GeneralAMP', max_size=12),
)
CELLS = st.tuples(
    st.sampled_from(["n", "s", "str", "b", "e", "d", "inlineStr", "x", ""]), st.integers(-1, 4), VALUES, st.booleans()
)
ROWS = st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.lists(CELLS, max_size=4)), max_size=6)
EDITS = st.lists(
    st.tuples(
        st.integers(0, 5_000),
        st.integers(0, 12),
        st.sampled_from([b"", b"<", b">", b'"', b"&#0;", b"</row>", b"<row r='9'>", b'hidden="1"', b"\xff", b"9" * 9]),
    ),
    max_size=3,
)


def _cell(place: str, cell: tuple[str, int, str, bool]) -> str:
    kind, style, value, named = cell
    where = f'r="{place}" ' if named else ""
    text = f"<is><t>{value}</t></is>" if kind == "inlineStr" else f"<v>{value}</v>"
    return f'<c {where}t="{kind}" s="{style}">{text}</c>'


def _sheet(rows: Sequence[tuple[int, bool, Sequence[tuple[str, int, str, bool]]]], before: str) -> tuple[str, int]:
    """A sheet under a header, and the number of its last row."""
    number = 1
    written = '<row r="1"><c r="A1" t="str"><v>phone</v></c><c r="B1" t="str"><v>x</v></c></row>'
    for gap, hidden, cells in rows:
        number += gap
        inner = "".join(_cell(f"{chr(65 + place)}{number}", cell) for place, cell in enumerate(cells))
        written += f'<row r="{number}" hidden="{int(hidden)}">{inner}</row>'
    return sheet_xml(written, before=before), number


def _rows_with_a_number(rows: Sequence[tuple[int, bool, Sequence[tuple[str, int, str, bool]]]]) -> Iterator[int]:
    """Yield the rows of data whose first cell surely has a text: none of them may be lost."""
    number = 1
    for gap, _, cells in rows:
        number += gap
        if cells and cells[0][0] in {"str", "inlineStr"} and any(letter.isalnum() for letter in cells[0][2]):
            yield number - 2


def _damaged(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Edit the sheet inside the archive, so that the damage is beyond its checksums."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    sheet = bytearray(parts["xl/worksheets/s1.xml"])
    for place, length, put in edits:
        start = place % (len(sheet) + 1)
        sheet[start : start + length] = put
    return zipped({**parts, "xl/worksheets/s1.xml": bytes(sheet)})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    rows=ROWS,
    codes=st.lists(CODES, max_size=3),
    before=st.sampled_from(
        ["", '<cols><col min="2" max="2" hidden="1"/></cols>', '<dimension ref="A1:XFD9"/>', "<cols>"]
    ),
    edits=st.one_of(st.just([]), EDITS),
    hidden=st.sampled_from(Hidden),
    columns=st.sampled_from([(), ("x",)]),
)
@example(rows=[(1, False, [("s", 0, "9" * 40, False)])], codes=[], before="", edits=[], hidden=Hidden.SEND, columns=())
@example(rows=[], codes=["0" * 400], before="", edits=[], hidden=Hidden.SEND, columns=("x",))
def test_any_workbook_gives_its_rows_or_one_line(
    tmp_path: Path,
    rows: list[tuple[int, bool, list[tuple[str, int, str, bool]]]],
    codes: list[str | int],
    before: str,
    edits: list[tuple[int, int, bytes]],
    hidden: Hidden,
    columns: tuple[str, ...],
) -> None:
    """A read workbook has no more rows than the sheet, and nobody hidden is read unasked."""
    sheet, last = _sheet(rows, before)
    data = package({"S": sheet}, formats=codes, strings=["+6581234567", "y"])
    path = tmp_path / "list"
    path.write_bytes(_damaged(data, edits) if edits else data)
    try:
        sources = find_lists([str(path)], no_s3, options=ReadOptions(hidden=hidden))
        with translate_errors(sources, number_column="phone", s3=no_s3, columns=columns):
            opened = open_lists(sources, number_column="phone", s3=no_s3, columns=columns)
            read = rows_of(opened, s3=no_s3, columns=columns).collect()
    except InputError as error:
        message = str(error)
    else:
        message = None
    if message is not None:
        assert message.startswith(f"{path}: ")
        assert len(message.splitlines()) == 1
        return
    assert read["row"].to_list() == list(range(read.height))
    if not edits:
        assert read.height <= last - 1
        for row in _rows_with_a_number(rows):
            assert read["recipient"][row] is not None
        gone = [number for number, (_, is_hidden, cells) in enumerate(rows) if is_hidden and any(c[2] for c in cells)]
        assert hidden is not Hidden.REFUSE or not gone or not read["hidden"].any()
        assert hidden is not Hidden.SEND or not read["hidden"].any()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**14),
            st.one_of(st.none(), st.text(alphabet="aé日<&\"' ,1\n", min_size=1, max_size=8)),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_plain_cells_are_read_as_by_another_reader(tmp_path: Path, people: list[tuple[int, str | None]]) -> None:
    """Whole numbers and text, inline or shared."""
    texts = [text for _, text in people if text is not None]
    written = '<row r="1"><c r="A1" t="str"><v>phone</v></c><c r="B1" t="str"><v>x</v></c></row>'
    for row, (number, text) in enumerate(people, 2):
        shared = "" if text is None else f'<c r="B{row}" t="s"><v>{texts.index(text)}</v></c>'
        written += f'<row r="{row}"><c r="A{row}"><v>{number}</v></c>{shared}</row>'
    data = package({"S": sheet_xml(written)}, strings=texts)
    (tmp_path / "list").write_bytes(data)
    sources = find_lists([str(tmp_path / "list")], no_s3)
    opened = open_lists(sources, number_column="phone", s3=no_s3, columns=("x",))
    read = rows_of(opened, s3=no_s3, columns=("x",)).select("recipient", "x").collect()
    other = fastexcel.read_excel(data).load_sheet(0, dtypes="string").to_polars()
    assert read.rows() == other.select("phone", "x").rows()
