"""Counts the fields of each row of CSV lists: in polars' rows a field that is missing is like one that is empty."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl

from globe_sms.tasks.recipients.csv_dialect import DELIMITERS
from globe_sms.tasks.recipients.csv_quotes import NO_DELIMITER, PATH
from globe_sms.tasks.recipients.list_layout import OpenedList, Shape
from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.plurals import counted

_QUOTED: Final = '"[^"]*(?:"|$)'


def count_fields(group: Sequence[OpenedList], shape: Shape, s3: Callable[[], S3Access]) -> pl.LazyFrame:
    """Scan CSV lists of one shape again, as lines, and count the fields of each row.

    Its rows are those of `rows_of`, in the same order, with the columns `fields` (UInt32; 0 for a blank line) and
    `line` (String: the last line of the row). It needs lists without misplaced quotation marks, which `rows_of`
    ensures.
    """
    options: dict[str, Any] = s3().polars_options(shape.bucket) if shape.bucket else {}
    paths = [each.source.readable for each in group]
    lines = pl.scan_lines(paths, name="line", include_file_paths=PATH, glob=False, **options).with_row_index("index")
    index, line, marks = pl.col("index").cast(pl.UInt64), pl.col("line"), pl.col("marks")
    starts = (pl.col(PATH) != pl.col(PATH).shift(1)).fill_null(value=True)
    place = index - pl.when(starts).then(index).otherwise(0).cum_max()
    is_inside, ends_inside = (pl.col("before") % 2 == 1), ((pl.col("before") + marks) % 2 == 1)
    unquoted = (
        pl.when((marks > 0) | is_inside)
        .then((pl.when(is_inside).then(pl.lit('"')).otherwise(pl.lit("")) + line).str.replace_all(_QUOTED, ""))
        .otherwise(line)
    )
    delimiters = unquoted.str.count_matches(shape.delimiter or NO_DELIMITER, literal=True).cast(pl.UInt64)
    total = pl.col("total")
    fields = (total - total.shift(1).fill_null(0) + 1).cast(pl.UInt32)
    return (
        lines.filter(place >= shape.header_lines)
        .with_columns(marks=line.str.count_matches('"', literal=True).cast(pl.UInt64))
        .with_columns(before=marks.cum_sum() - marks)
        .select("line", ends_inside.alias("goes on"), delimiters.cum_sum().alias("total"))
        .filter(~pl.col("goes on"))
        .select(pl.when(line.str.strip_chars() == "").then(0).otherwise(fields).cast(pl.UInt32).alias("fields"), "line")
    )


def short_rows_error(opened: OpenedList, s3: Callable[[], S3Access]) -> InputError:
    """Return the error for a CSV list without a number, of which every row has fewer fields than the header."""
    shape = opened.shape
    rows = count_fields([opened], shape, s3).with_row_index("row").filter(pl.col("fields") > 0)
    row, fields, line = rows.head(1).collect(engine="streaming").row(0)
    found = {each: line.count(each) for each in DELIMITERS if each != shape.delimiter}
    other = max(found, key=lambda each: found[each])
    advice = (
        f"The rows seem to be split by {other!r}, but the header by {shape.delimiter!r}: use one delimiter for both."
        if found[other]
        else "Does the header belong to another table? Write the list again, with a field for each column."
    )
    return refusal(
        opened.source.uri,
        f"none of its rows has a phone number, or as many fields as the header: row {row} (row 0 is the first row of "
        f"data) has {counted(fields, 'field')}, the header has {shape.width}. {advice}",
    )
