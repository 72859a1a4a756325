"""Reads XLSX workbooks as text, whole into memory; meant for ad-hoc lists."""

import io
import zipfile

import polars as pl

from globe_sms.tasks.recipients.list_source import position_names, refusal
from globe_sms.tasks.recipients.number_column import is_usual_name, normalize_name

_MOST_UNPACKED = 2 << 30
_DAMAGED = "it isn't a readable XLSX workbook: save it again, or as CSV"


def read_workbook(
    uri: str, data: bytes, wanted: str | None, *, has_header: bool
) -> tuple[tuple[str, ...], pl.DataFrame]:
    """Return the column names and the rows of the sheet with the list, as text in columns `f0`, `f1`, ...

    The first non-empty row names the columns; without a header it's the first data row. If there are several sheets,
    the one with a phone number column is read.

    Raises:
        InputError: the workbook is damaged or empty, or several sheets contain lists.
    """
    _check_parts(uri, data)
    sheets = _sheets(uri, data)
    lists = [read for sheet in sheets if (read := _below_header(sheet, has_header=has_header))]
    if not lists:
        raise refusal(uri, "its sheets are empty: put the list in one of them")
    if len(lists) > 1 and not has_header:
        raise refusal(uri, "several of its sheets contain lists: save each as a separate list")
    if len(lists) > 1:
        fitting = [read for read in lists if any(_fits(name, wanted) for name in read[0])]
        if len(fitting) > 1:
            raise refusal(uri, "several of its sheets contain lists: save each as a separate list")
        lists = fitting or lists
    return lists[0]


def _fits(name: str, wanted: str | None) -> bool:
    return is_usual_name(name) if wanted is None else normalize_name(name) == normalize_name(wanted)


def _check_parts(uri: str, data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise refusal(uri, _DAMAGED) from None
    if "xl/workbook.xml" not in names:
        raise refusal(uri, "it is a zip archive, not an XLSX workbook: unpack it and pass the lists in it")
    if unpacked > _MOST_UNPACKED:
        raise refusal(uri, "the workbook is larger than 2 GiB when unpacked: save it as CSV")


def _sheets(uri: str, data: bytes) -> list[pl.DataFrame]:
    import fastexcel

    try:
        book = fastexcel.read_excel(data)
        return [
            book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
            for name in book.sheet_names
        ]
    except Exception:  # noqa: BLE001 - whatever error the parser raises for a damaged workbook, the advice is the same
        raise refusal(uri, _DAMAGED) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # a panic of the parser isn't an Exception
            raise refusal(uri, _DAMAGED) from None
        raise


def _below_header(sheet: pl.DataFrame, *, has_header: bool) -> tuple[tuple[str, ...], pl.DataFrame] | None:
    for position, row in enumerate(sheet.iter_rows()):
        if any(row):
            rows = sheet.slice(position + 1 if has_header else position)
            rows.columns = [f"f{column}" for column in range(rows.width)]
            if not has_header:
                return position_names(rows.width), rows
            return tuple(name or "" for name in row), rows
    return None
