"""Workbooks are read as the spreadsheet program shows them; what it hides isn't texted unasked."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from list_files import no_s3
from workbook_parts import package, row_xml, rows_xml, sheet_xml, text_cell, zipped

from globe_sms.tasks.recipients import (
    Hidden,
    ReadOptions,
    find_lists,
    open_lists,
    read_lists,
    rows_of,
    translate_errors,
)
from globe_sms.tasks.recipients.list_source import ListReading
from globe_sms.tasks.vocabulary.errors import InputError

PEOPLE = [["name", "phone"], ["Anna", "+6591234567"], ["Bert", "+6591234568"], ["Cleo", "+6591234569"]]
LIST = sheet_xml(rows_xml(PEOPLE))
_VERSION, _FLAGS, _METHOD = 6, 8, 10  # places in an entry of a zip archive's directory
SAVE_AS = "open it in a spreadsheet program and save it as XLSX or CSV"


def reading(path: Path, options: ReadOptions, number: str | None = None, columns: tuple[str, ...] = ()) -> ListReading:
    """What is said to be read of a workbook."""
    sources = find_lists([str(path)], no_s3, options=options)
    return open_lists(sources, number_column=number, s3=no_s3, columns=columns)[0].reading


def rows(
    data: bytes,
    folder: Path,
    *columns: str,
    number: str | None = None,
    hidden: Hidden = Hidden.REFUSE,
    sheet: str | None = None,
    header_row: int | None = None,
    has_header: bool = True,
) -> list[tuple[str | None, ...]]:
    """Recipient and other columns of a workbook's list, and at the end whether a row is hidden."""
    path = folder / "list.xlsx"
    path.write_bytes(data)
    options = ReadOptions(number_column=number, hidden=hidden, sheet=sheet, header_row=header_row)
    sources = find_lists([str(path)], no_s3, has_header=has_header, options=options)
    with translate_errors(sources, number_column=number, s3=no_s3, columns=columns):
        opened = open_lists(sources, number_column=number, s3=no_s3, columns=columns)
        frame = rows_of(opened, s3=no_s3, columns=columns).collect()
    return frame.select("recipient", *columns, "hidden").rows()


@pytest.mark.parametrize("more", ['hidden="1"', 'hidden="true"', 'ht="0" customHeight="1"'])
def test_hidden_rows_are_refused_with_their_number(more: str, tmp_path: Path) -> None:
    """Rows that a filter hides are hidden rows; --hidden says what to do with them."""
    shown = [row_xml(n, values, more=more if n in {3, 4} else "") for n, values in enumerate(PEOPLE, 1)]
    data = package({"List": sheet_xml("".join(shown))})
    with pytest.raises(
        InputError, match=r"2 rows of its sheet 'List' are hidden .*row 3 .*--hidden skip.*--hidden send"
    ):
        rows(data, tmp_path)
    assert [row[-1] for row in rows(data, tmp_path, hidden=Hidden.SKIP)] == [False, True, True]
    assert [row[-1] for row in rows(data, tmp_path, hidden=Hidden.SEND)] == [False, False, False]


def test_a_hidden_row_without_values_or_above_the_header_is_nothing_to_ask_about(tmp_path: Path) -> None:
    """Nobody is on it."""
    parts = [["Report"], [], *PEOPLE]
    data = package(
        {"List": sheet_xml(rows_xml(parts, hidden=[1, 2]) + '<row r="99" hidden="1"><c r="A99" s="1"/></row>')}
    )
    assert len(rows(data, tmp_path)) == 3


@pytest.mark.parametrize("column", ['<col min="2" max="2" hidden="1"/>', '<col min="2" max="16384" width="0"/>'])
def test_a_hidden_column_is_not_read(column: str, tmp_path: Path) -> None:
    """Neither for the numbers nor for the texts, unless --hidden send."""
    data = package({"List": sheet_xml(rows_xml(PEOPLE), before=f"<cols>{column}</cols>")})
    with pytest.raises(InputError, match=r"the column B \(phone\) of its sheet 'List' is hidden.*--hidden send"):
        rows(data, tmp_path)
    assert len(rows(data, tmp_path, hidden=Hidden.SEND)) == 3
    data = package({"List": sheet_xml(rows_xml(PEOPLE), before='<cols><col min="1" max="1" hidden="1"/></cols>')})
    with pytest.raises(InputError, match=r"the column A \(name\) .* is hidden"):
        rows(data, tmp_path, "name")
    assert len(rows(data, tmp_path)) == 3


def test_a_visible_column_goes_before_a_hidden_one_of_a_usual_name(tmp_path: Path) -> None:
    """What isn't shown is no second candidate."""
    people = [["phone", "mobile"], ["+6591234567", "+6581234567"]]
    data = package({"List": sheet_xml(rows_xml(people), before='<cols><col min="1" max="1" hidden="1"/></cols>')})
    assert rows(data, tmp_path) == [("+6581234567", False)]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_no_list(state: str, tmp_path: Path) -> None:
    """It isn't read in place of a visible one, nor when it's named, unless --hidden send."""
    contacts = sheet_xml(rows_xml([["name", "Contact"], ["Anna", "x"]]))
    data = package({"Contacts": contacts, "old": LIST}, states={"old": state})
    with pytest.raises(InputError, match=r"columns: name, Contact.*sheet 'Contacts'; hidden sheets aren't read: old"):
        rows(data, tmp_path)
    with pytest.raises(InputError, match=r"its sheet 'old' is hidden.*--hidden send"):
        rows(data, tmp_path, sheet="old")
    assert len(rows(data, tmp_path, sheet="old", hidden=Hidden.SEND)) == 3
    with pytest.raises(InputError, match=r"its sheets are empty.*hidden sheets aren't read \(old\)"):
        rows(package({"Empty": sheet_xml(""), "old": LIST}, states={"old": state}), tmp_path)


def test_a_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    """Of several lists; the message names them."""
    data = package({"May": LIST, "June": sheet_xml(rows_xml(PEOPLE[:2]))})
    with pytest.raises(InputError, match=r"several of its sheets contain lists \(May, June\): name one with --sheet"):
        rows(data, tmp_path)
    assert len(rows(data, tmp_path, sheet="June")) == 1
    with pytest.raises(InputError, match=r"no sheet 'July' \(sheets: May, June\)"):
        rows(data, tmp_path, sheet="July")


SHOWN = {
    ("46360", "dd/mm/yyyy"): "04/12/2026",
    ("46360", "d mmmm yyyy"): "4 December 2026",
    ("46360", "[$-409]ddd, d-mmm-yy;@"): "Fri, 4-Dec-26",
    ("46360.375", "yyyy-mm-dd hh:mm"): "2026-12-04 09:00",
    ("46360.5", "h:mm AM/PM"): "12:00 PM",
    ("0.375", 20): "9:00",
    ("1.5", "[h]:mm"): "36:00",
    ("0.0007", "mm:ss"): "01:00",
    ("0.15", 9): "15%",
    ("0.075", "0.0%"): "7.5%",
    ("1234.5", "#,##0.00"): "1,234.50",
    ("1234.5", '"$"#,##0.00'): "$1,234.50",
    ("-5", '"$"#,##0;[Red]("$"#,##0)'): "($5)",
    ("1234.5", "[$€-407]#,##0.00"): "€1,234.50",
    ("29.019999999999996", 0): "29.02",
    ("1200.0", 0): "1200",
    ("1.2E3", 0): "1200",
    ("123456789012", 0): "123456789012",
    ("0.1", 0): "0.1",
    ("7", '0" pcs"'): "7 pcs",
    ("42", "00000"): "00042",
    ("0", '0;-0;"none"'): "none",
    ("1", ";;;"): "",
}


@pytest.mark.parametrize(("stored", "number_format"), SHOWN, ids=str)
def test_numbers_read_as_the_program_shows_them(stored: str, number_format: str | int, tmp_path: Path) -> None:
    """Dates, times, percentages, currencies and whole floats."""
    cells = f'{text_cell("A2", "+6591234567")}<c r="B2" s="1"><v>{stored}</v></c>'
    sheet = sheet_xml(row_xml(1, ["phone", "x"]) + f'<row r="2">{cells}</row>')
    data = package({"List": sheet}, formats=[number_format])
    assert rows(data, tmp_path, "x") == [("+6591234567", SHOWN[stored, number_format], False)]


@pytest.mark.parametrize(
    "number_format", [14, 22, 44, 5, 30, "[$-F800]dddd", "[$-407]mmmm", "# ?/?", "ge", '0" x', "0.0.0"]
)
def test_a_look_that_is_not_known_is_refused_by_column_and_cell(number_format: str | int, tmp_path: Path) -> None:
    """The short date of whose country? But only if the column is needed."""
    cells = f'{text_cell("A2", "+6591234567")}<c r="B2" s="1"><v>46361</v></c>'
    sheet = sheet_xml(row_xml(1, ["phone", "day"]) + f'<row r="2">{cells}</row>')
    data = package({"List": sheet}, formats=[number_format])
    with pytest.raises(InputError, match=r"the column 'day' can't be read as the spreadsheet shows it \(cell B2: "):
        rows(data, tmp_path, "day")
    assert rows(data, tmp_path) == [("+6591234567", False)]


def test_days_are_counted_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    """As old Macintosh programs did."""
    sheet = sheet_xml(row_xml(1, ["phone", "day"]) + '<row r="2"><c r="B2" s="1"><v>44898</v></c></row>')
    data = package({"List": sheet}, formats=["yyyy-mm-dd"], from_1904=True)
    assert rows(data, tmp_path, "day") == [(None, "2026-12-04", False)]


@pytest.mark.parametrize(
    ("stored", "number_format", "read"),
    [
        ("6591234567", 0, "6591234567"),
        ("6591234567.0", 0, "6591234567"),
        ("6.591234567E9", 0, "6591234567"),
        ("6591234567", 11, "6591234567"),
        ("6591234567", 3, "6591234567"),
        ("6591234567", 14, "6591234567"),
        ("91234567", "000000000", "091234567"),
        ("91234567", '"+65 "0000\\ 0000', "+65 9123 4567"),
        ("46360", "dd/mm/yyyy", "2026-12-04 00:00:00"),
        ("6591234567891234567", 0, "6.59123E+18"),
    ],
)
def test_a_phone_number_keeps_its_digits(stored: str, number_format: str | int, read: str, tmp_path: Path) -> None:
    """A format that adds digits belongs to the number; a date can't pass for one."""
    sheet = sheet_xml(row_xml(1, ["phone"]) + f'<row r="2"><c r="A2" s="1"><v>{stored}</v></c></row>')
    assert rows(package({"List": sheet}, formats=[number_format]), tmp_path) == [(read, False)]


def test_cells_of_every_type_are_text(tmp_path: Path) -> None:
    """Shared and rich strings without their reading aids, formulas by their last value; errors are no value."""
    cells = (
        '<c r="A2" t="s"><v>1</v></c><c r="B2" t="str"><f>X1</f><v>a_x000D_b</v></c><c r="C2" t="b"><v>1</v></c>'
        '<c r="D2" t="e"><v>#N/A</v></c><c r="E2" t="d" s="1"><v>2026-12-04T09:00:00</v></c>'
        '<c r="F2" t="inlineStr"><is><r><t>ri</t></r><r><t>ch</t></r><rPh><t>no</t></rPh></is></c>'
    )
    sheet = sheet_xml(row_xml(1, ["phone", "b", "c", "d", "e", "f"]) + f'<row r="2">{cells}</row>')
    data = package({"List": sheet}, strings=["unused", "+6591234567"], formats=["d.m.yyyy"])
    found = rows(data, tmp_path, "b", "c", "d", "e", "f")
    assert found == [("+6591234567", "a\rb", "TRUE", None, "4.12.2026", "rich", False)]


def test_what_was_read_is_told(tmp_path: Path) -> None:
    """File, sheet, header, columns, and what was passed over."""
    titles = [["Customers of 2026"], ["as of today"]]
    data = package(
        {"Cover": sheet_xml(""), "List": sheet_xml(rows_xml([*titles, *PEOPLE], hidden=[4])), "old": LIST},
        states={"old": "hidden"},
    )
    path = tmp_path / "list"
    path.write_bytes(data)
    assert reading(path, ReadOptions(hidden=Hidden.SKIP)) == ListReading(
        format="xlsx",
        number_column="phone",
        sheet="List",
        header_row=3,
        rows_above=2,
        hidden_rows=1,
        hidden="skip",
        hidden_sheets=("old",),
    )


def test_a_header_row_may_be_given(tmp_path: Path) -> None:
    """As the program counts rows; a blank one is refused."""
    data = package({"List": sheet_xml(rows_xml([["Phone", "list"], [], *PEOPLE]))})
    assert rows(data, tmp_path, header_row=3)[0] == ("+6591234567", False)
    with pytest.raises(InputError, match=r"row 2 of its sheet 'List' is blank.*--header-row"):
        rows(data, tmp_path, header_row=2)


def test_merged_cells_of_the_header_are_named(tmp_path: Path) -> None:
    """Those of a title above it don't matter."""
    merged = '<mergeCells count="1"><mergeCell ref="{}"/></mergeCells>'
    title = rows_xml([["Customers"], *PEOPLE])
    assert len(rows(package({"S": sheet_xml(title, after=merged.format("A1:B1"))}), tmp_path)) == 3
    with pytest.raises(InputError, match=r"the cells A2:B2 of its header are merged.*--header-row"):
        rows(package({"S": sheet_xml(title, after=merged.format("A2:B2"))}), tmp_path)


OTHER_FILES = {
    "ODS": (zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}), "ODS"),
    "ODS, packed": (
        zipped({"mimetype": "x", "content.xml": "<x/>", "META-INF/manifest.xml": ""}),
        "an OpenDocument file",
    ),
    "XLSB": (zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.bin": "x"}), "XLSB"),
    "Numbers": (zipped({"Index/Document.iwa": "x", "preview.jpg": "x"}), "an Apple Numbers document"),
    "Word": (zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<x/>"}), "a Word document"),
    "backslashes": (zipped({"[Content_Types].xml": "<Types/>", "xl\\workbook.xml": "<x/>"}), "named with backslashes"),
    "XLS": (b"\xd0\xcf\x11\xe0" + bytes(508) + "Workbook".encode("utf-16-le"), r"an old Excel workbook \(XLS\)"),
}


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_other_spreadsheets_are_named_with_what_to_save_them_as(kind: str, tmp_path: Path) -> None:
    """The advice works in the program that opens the file."""
    data, what = OTHER_FILES[kind]
    with pytest.raises(InputError, match=f"it is .*{what}.*{SAVE_AS}"):
        rows(data, tmp_path)


def test_a_protected_workbook_is_named(tmp_path: Path) -> None:
    """It is a compound file with an encrypted package in it."""
    data = b"\xd0\xcf\x11\xe0" + bytes(508) + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(InputError, match="password-protected workbook: save it without a password"):
        rows(data, tmp_path)


# What a part's entry in the archive's directory says -> what zipfile says of it.
CANNOT_UNPACK = {
    "encrypted": (_FLAGS, 0x01, "is encrypted, password required"),
    "patched": (_FLAGS, 0x20, "compressed patched data"),
    "strongly encrypted": (_FLAGS, 0x40, "strong encryption"),
    "of a later version": (_VERSION, 99, "zip file version 9.9"),
}


@pytest.mark.parametrize("kind", CANNOT_UNPACK)
def test_an_archive_that_zipfile_cannot_unpack_is_named(kind: str, tmp_path: Path) -> None:
    """In one line, as a damaged workbook."""
    place, value, said = CANNOT_UNPACK[kind]
    data = _with_entries(package({"List": LIST}), place, value)
    with pytest.raises(RuntimeError, match=said), zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.read("xl/workbook.xml")
    with pytest.raises(InputError, match="it isn't a readable XLSX workbook: save it again, or as CSV"):
        rows(data, tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99], ids=["bzip2", "lzma", "unknown"])
def test_only_the_compression_of_workbooks_is_unpacked(method: int, tmp_path: Path) -> None:
    """Another one would be unpacked in pieces of any size, or not at all."""
    with pytest.raises(InputError, match="it isn't a readable XLSX workbook"):
        rows(_with_entries(package({"List": LIST}), _METHOD, method), tmp_path)


def _with_entries(data: bytes, place: int, value: int) -> bytes:
    """Return an archive with this byte in each entry of its directory."""
    changed = bytearray(data)
    for entry in re.finditer(rb"PK\x01\x02", data):
        changed[entry.start() + place] = value
    return bytes(changed)


def test_read_lists_reads_hidden_rows_of_other_tables(tmp_path: Path) -> None:
    """An opt-out that a filter hides is still an opt-out."""
    (tmp_path / "list").write_bytes(package({"S": sheet_xml(rows_xml(PEOPLE, hidden=[2, 3]))}))
    sources = find_lists([str(tmp_path / "list")], no_s3)
    assert read_lists(sources, number_column=None, s3=no_s3).collect().height == 3
