"""Writes XLSX workbooks part by part, as programs and attackers do."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'


def sheet_xml(rows: str, *, before: str = "", after: str = "") -> str:
    """A sheet of these rows, with what comes before and after them."""
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def row_xml(number: int, values: Sequence[str], *, more: str = "") -> str:
    """A row of text cells; `more` is put into its element."""
    cells = "".join(text_cell(f"{chr(65 + place)}{number}", value) for place, value in enumerate(values) if value)
    return f'<row r="{number}" {more}>{cells}</row>'


def text_cell(place: str, value: str) -> str:
    """A cell of inline text."""
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def rows_xml(rows: Iterable[Sequence[str]], hidden: Iterable[int] = ()) -> str:
    """Rows of text, from row 1; `hidden` are the numbers of those that are hidden."""
    gone = set(hidden)
    return "".join(
        row_xml(number, values, more='hidden="1"' if number in gone else "") for number, values in enumerate(rows, 1)
    )


def package(
    sheets: Mapping[str, str],
    *,
    states: Mapping[str, str] | None = None,
    formats: Sequence[str | int] = (),
    strings: Sequence[str] = (),
    from_1904: bool = False,
    parts: Mapping[str, str] | None = None,
) -> bytes:
    """A workbook of sheets by their names; cell styles 1, 2, ... have `formats`, and `parts` replaces whole parts."""
    names = list(sheets)
    book = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" state="{(states or {}).get(name, "visible")}" r:id="r{n}"/>'
        for n, name in enumerate(names, 1)
    )
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATION}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    relations += f'<Relationship Id="styles" Type="{_RELATION}/styles" Target="styles.xml"/>'
    relations += f'<Relationship Id="strings" Type="{_RELATION}/sharedStrings" Target="sharedStrings.xml"/>'
    codes = "".join(
        f'<numFmt numFmtId="{163 + n}" formatCode={quoteattr(code)}/>'
        for n, code in enumerate(formats, 1)
        if isinstance(code, str)
    )
    styles = "".join(
        f'<xf numFmtId="{163 + n if isinstance(code, str) else code}"/>' for n, code in enumerate(formats, 1)
    )
    written = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'{_RELATIONS}<Relationship Id="r1" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_RELATION}">'
        f'<workbookPr date1904="{int(from_1904)}"/><sheets>{book}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"{_RELATIONS}{relations}</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellXfs><xf numFmtId="0"/>{styles}'
        "</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">'
        + "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
        + "</sst>",
        **{f"xl/worksheets/s{n}.xml": sheets[name] for n, name in enumerate(names, 1)},
        **(parts or {}),
    }
    return zipped(written)


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()
