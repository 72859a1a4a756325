"""Writes and reads lists for the tests."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from xml.sax.saxutils import escape

import polars as pl

from globe_sms.tasks.recipients import check_unchanged, find_lists, read_lists, translate_errors

Cell = str | float | None
_CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def no_s3() -> NoReturn:
    """An S3 access that no test here may use."""
    raise AssertionError("S3 was asked for")


def read(
    *paths: Path | str,
    number: str | None = None,
    encoding: str | None = None,
    has_header: bool = True,
    columns: Sequence[str] = (),
) -> pl.DataFrame:
    """Find and read local lists like the flow."""
    sources = find_lists([str(path) for path in paths], no_s3, encoding=encoding, has_header=has_header)
    with translate_errors(sources, number_column=number, s3=no_s3, columns=columns):
        frame = read_lists(sources, number_column=number, s3=no_s3, columns=columns).collect(engine="streaming")
    check_unchanged(sources, no_s3)
    return frame


def recipients(
    *paths: Path | str, number: str | None = None, encoding: str | None = None, has_header: bool = True
) -> list[str | None]:
    """Return the recipients of local lists, in order."""
    return read(*paths, number=number, encoding=encoding, has_header=has_header)["recipient"].to_list()


def workbook(*sheets: Sequence[Sequence[Cell]]) -> bytes:
    """Write an XLSX workbook; strings become text cells, numbers numeric ones."""
    file = io.BytesIO()
    numbers = range(1, len(sheets) + 1)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr(
            "_rels/.rels",
            f'{_RELATIONS}<Relationship Id="r1" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        )
        named = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>{named}</sheets></workbook>'
        )
        targets = "".join(
            f'<Relationship Id="r{n}" Type="{_RELATION}/worksheet" Target="worksheets/s{n}.xml"/>' for n in numbers
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f"{_RELATIONS}{targets}</Relationships>")
        for n, rows in zip(numbers, sheets, strict=True):
            archive.writestr(f"xl/worksheets/s{n}.xml", _sheet(rows))
    return file.getvalue()


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    cells = "".join(
        f'<row r="{row}">{"".join(_cell(f"{chr(65 + place)}{row}", value) for place, value in enumerate(values))}</row>'
        for row, values in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>'


def _cell(place: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'
