"""Reads lists into one lazy frame, and checks each row for faults that polars would silently misread."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import groupby

import polars as pl

from globe_sms.tasks.recipients.column_samples import ColumnSample
from globe_sms.tasks.recipients.csv_quotes import PATH
from globe_sms.tasks.recipients.file_formats import parse_line
from globe_sms.tasks.recipients.find_lists import map_in_threads
from globe_sms.tasks.recipients.kept_columns import KEPT, Kept, kept_over_lists
from globe_sms.tasks.recipients.list_layout import OpenedList, Shape, open_list
from globe_sms.tasks.recipients.list_source import ListSource, refusal
from globe_sms.tasks.recipients.number_column import check_extra_columns
from globe_sms.tasks.recipients.polars_scans import RowFault, hidden_faults, scan
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

_FAULTS = {
    RowFault.EXTRA_FIELDS: "has more fields than there are columns, and a shifted column could text a stranger: fix it",
    RowFault.ZERO_BYTE: "contains a NUL byte, so the list is damaged: write it again",
    RowFault.BARE_RETURN: "contains a bare carriage return: save the list with LF or CRLF line ends",
}
COUNTRY = "listed country"
HIDDEN = "hidden"
MARKS = (COUNTRY, HIDDEN)
"""The columns that say more about a row than its text."""
BAD_JSON = "isn't one complete JSON object: fix the line"


def read_lists(
    sources: Sequence[ListSource],
    *,
    number_column: str | None,
    s3: Callable[[], S3Access],
    columns: Sequence[str] = (),
    prefix: str = "",
    keep: Sequence[str] = (),
) -> pl.LazyFrame:
    """Open lists and return their rows: `open_lists` and `rows_of`, without their marks."""
    opened = open_lists(sources, number_column=number_column, s3=s3, columns=columns, keep=keep)
    return rows_of(opened, s3=s3, columns=columns, prefix=prefix).drop(*MARKS).cast({"source": pl.String})


def open_lists(
    sources: Sequence[ListSource],
    *,
    number_column: str | None,
    s3: Callable[[], S3Access],
    columns: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> tuple[OpenedList, ...]:
    """Find the columns of each list; only parquet footers, samples and workbooks are read.

    Args:
        sources: the lists that `find_lists` found.
        number_column: the name of the column with the phone numbers; None looks for a usual name in each list.
        s3: returns the access to S3; called only if a list is on S3.
        columns: the names of extra columns to read; each list must have all of them.
        keep: the names of columns to keep as they are; each list must have all of them. `*` is all columns of each.

    Raises:
        InputError: a column is missing or ambiguous, its types in the lists can't be one, or a footer or workbook can't
            be read.
    """
    access = cache(s3)
    if any(source.on_s3 for source in sources):
        access()
    sampled: dict[object, tuple[ColumnSample, ...]] = {}
    opening = partial(open_list, number=number_column, columns=columns, s3=access, sampled=sampled, keep=keep)
    opened = tuple(map_in_threads(opening, sources))
    kept_of(opened)  # fails here, before anything is read
    return opened


def kept_of(opened: Sequence[OpenedList]) -> Mapping[str, Kept]:
    """Return the columns that are kept of opened lists, by what was asked for.

    Raises:
        InputError: the types of one can't be one.
    """
    return kept_over_lists((each.source.uri, each.shape.kept) for each in opened)


def rows_of(
    opened: Sequence[OpenedList], *, s3: Callable[[], S3Access], columns: Sequence[str] = (), prefix: str = ""
) -> pl.LazyFrame:
    """Return a lazy frame of the lists, in the order given, for polars' streaming engine.

    Its columns are `source` (Categorical: the URI), `row` (UInt64: 0 is the source's first data row), `recipient`
    (String or null: as written), then `columns`, as text, and `MARKS`: the country as the list has it (String, null
    without a column of countries) and whether the spreadsheet hides the row (Boolean, false unless such rows are
    skipped). Then come the columns that are kept, with their types, each named `KEPT` and its name. Blank lines are
    rows in CSV lists, but not in NDJSON. Faults in rows are raised when the frame is collected with `recipient`, so do
    that inside `translate_errors`. CSV lists are then read twice, in parallel.

    Args:
        opened: the lists, as `open_lists` returned them.
        s3: as there.
        columns: as there.
        prefix: a prefix for the names of `columns` in the frame.

    Raises:
        InputError: the names of columns clash.
    """
    named = tuple(f"{prefix}{column}" for column in columns)
    check_extra_columns(named)
    access = cache(s3)
    kept = kept_of(opened)
    frames = [
        _numbered(tuple(group), shape, named, kept, access)
        for shape, group in groupby(opened, key=lambda each: each.shape)
    ]
    if frames:
        return pl.concat(frames)
    texts = dict.fromkeys(("recipient", *named), pl.String)
    return pl.LazyFrame(
        schema={"source": pl.Categorical, "row": pl.UInt64, **texts, COUNTRY: pl.String, HIDDEN: pl.Boolean}
    )


def _numbered(
    group: Sequence[OpenedList],
    shape: Shape,
    columns: Sequence[str],
    kept: Mapping[str, Kept],
    s3: Callable[[], S3Access],
) -> pl.LazyFrame:
    """Read lists of one shape in one scan, and number each list's rows from 0.

    One scan, because the streaming engine's time grows with the square of the number of scans. A scan numbers rows
    across all files, so a row's number is its distance from the last row where the path changed.
    """
    frame = scan(group, shape, s3).with_row_index("index")
    index = pl.col("index").cast(pl.UInt64)
    if len(group) > 1:
        starts = (pl.col(PATH) != pl.col(PATH).shift(1)).fill_null(value=True)
        index -= pl.when(starts).then(index).otherwise(0).cum_max()
    copied = {each.source.readable: each.source.uri for each in group if each.source.copy}
    source = pl.col(PATH).replace(list(copied), list(copied.values())) if copied else pl.col(PATH)
    if len(group) == 1:  # a text of its own for each of 10 million rows would take a gigabyte
        source = pl.lit(group[0].source.uri)
    frame = frame.select(source.cast(pl.Categorical).alias("source"), index.alias("row"), pl.exclude(PATH, "index"))
    checked = pl.struct("recipient", "fault", "source", "row", "^line$").map_batches(
        partial(_check, key=shape.names[0] if shape.names else ""), return_dtype=pl.String, is_elementwise=True
    )
    read = frame.select(
        "source",
        "row",
        checked.alias("recipient"),
        *(pl.col(f"t{n}").alias(name) for n, name in enumerate(columns)),
        (pl.col(f"t{len(columns)}") if shape.has_region else pl.lit(None, pl.String)).alias(COUNTRY),
        (pl.col("hidden") if shape.workbook else pl.lit(False)).alias(HIDDEN),
        *_kept(shape, kept),
    )
    unread = hidden_faults(group, shape, s3)
    if unread is None:
        return read
    texts = [pl.col(PATH).alias(name) for name in ("recipient", *columns)]
    marks = (pl.lit(None, pl.String).alias(COUNTRY), pl.lit(False).alias(HIDDEN))
    marks += tuple(pl.lit(None, each.dtype).alias(f"{KEPT}{each.name}") for each in kept.values())
    nothing = unread.select(
        pl.col(PATH).cast(pl.Categorical).alias("source"), pl.lit(0, pl.UInt64).alias("row"), *texts, *marks
    )
    return pl.concat([nothing, read])


def _kept(shape: Shape, kept: Mapping[str, Kept]) -> list[pl.Expr]:
    """Return the kept columns of a scan; those that its lists lack are null."""
    places = {each.wanted: pl.col(f"k{place}") for place, each in enumerate(shape.kept)}
    return [
        places.get(wanted, pl.lit(None)).cast(each.dtype).alias(f"{KEPT}{each.name}") for wanted, each in kept.items()
    ]


def _check(batch: pl.Series, *, key: str) -> pl.Series:
    """Return a batch's recipients, or raise for its first invalid row."""
    faults = batch.struct.field("fault")
    if not faults.max():
        return batch.struct.field("recipient")
    for row in pl.DataFrame({"batch": batch}).filter(faults != 0)["batch"]:
        if row["fault"] != RowFault.NO_VALUE:
            raise fault_in(row["source"], row["row"], _FAULTS[row["fault"]])
        value = parse_line(row["line"])
        if not isinstance(value, dict) or value.get(key) is not None:
            raise fault_in(row["source"], row["row"], BAD_JSON)
    return batch.struct.field("recipient")


def fault_in(uri: str, row: int, what: str) -> InputError:
    """Return an error that names a row of a list; rows count from 0 after the header, as in the results."""
    return refusal(uri, f"row {row} {what} (row 0 is the first row of data)")
