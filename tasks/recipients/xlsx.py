"""XLSX workbooks as text; for ad-hoc lists, read whole into memory."""

import io
import zipfile

import polars as pl

from globe_sms.tasks.recipients.list_source import place_names, refusal
from globe_sms.tasks.recipients.number_column import is_common, plain

_MOST_UNPACKED = 2 << 30
_DAMAGED = "it is no readable XLSX workbook: save it again, or as CSV"


def read_workbook(
    uri: str, data: bytes, wanted: str | None, *, has_header: bool
) -> tuple[tuple[str, ...], pl.DataFrame]:
    """Read the sheet that holds the list: its column names, and its rows below them as text in columns `f0`, `f1`, ...

    The first row that is not empty names the columns; without a header it is the first row of the list. Of several
    sheets, the one with a phone number column is meant.

    Raises:
        InputError: The workbook is damaged or empty, or several sheets hold lists.
    """
    _check_parts(uri, data)
    sheets = _sheets(uri, data)
    lists = [read for sheet in sheets if (read := _below_header(sheet, has_header=has_header))]
    if not lists:
        raise refusal(uri, "its sheets are empty: write the list into one of them")
    if len(lists) > 1 and not has_header:
        raise refusal(uri, "several of its sheets hold lists: save each as a list of its own")
    if len(lists) > 1:
        fitting = [read for read in lists if any(_fits(name, wanted) for name in read[0])]
        if len(fitting) > 1:
            raise refusal(uri, "several of its sheets hold lists: save each as a list of its own")
        lists = fitting or lists
    return lists[0]


def _fits(name: str, wanted: str | None) -> bool:
    return is_common(name) if wanted is None else plain(name) == plain(wanted)


def _check_parts(uri: str, data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise refusal(uri, _DAMAGED) from None
    if "xl/workbook.xml" not in names:
        raise refusal(uri, "it is a zip archive and no XLSX workbook: unpack it and give the lists in it")
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
    except Exception:  # noqa: BLE001 - whatever its parser makes of a damaged workbook, the user can do one thing
        raise refusal(uri, _DAMAGED) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # a panic of the parser, which is no Exception
            raise refusal(uri, _DAMAGED) from None
        raise


def _below_header(sheet: pl.DataFrame, *, has_header: bool) -> tuple[tuple[str, ...], pl.DataFrame] | None:
    for place, row in enumerate(sheet.iter_rows()):
        if any(row):
            rows = sheet.slice(place + 1 if has_header else place)
            rows.columns = [f"f{column}" for column in range(rows.width)]
            if not has_header:
                return place_names(rows.width), rows
            return tuple(name or "" for name in row), rows
    return None
