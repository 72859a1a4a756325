"""Lists -> one lazy frame. What polars would read wrongly without a word is looked for as the rows go by."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import groupby

import polars as pl

from globe_sms.tasks.recipients.csv_quotes import PATH
from globe_sms.tasks.recipients.file_formats import parse_line
from globe_sms.tasks.recipients.find_lists import on_each
from globe_sms.tasks.recipients.list_layout import Opened, Shape, open_list
from globe_sms.tasks.recipients.list_source import ListSource, refusal
from globe_sms.tasks.recipients.number_column import check_wanted
from globe_sms.tasks.recipients.polars_scans import Fault, scan, unread_faults
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

_FAULTS = {
    Fault.EXTRA_FIELDS: "has more fields than there are columns: a shifted column could reach a stranger: mend it",
    Fault.ZERO_BYTE: "holds a NUL byte: the list is damaged: write it again",
    Fault.BARE_RETURN: "holds a bare carriage return: save the list with LF or CRLF line ends",
}
BAD_JSON = "is not one whole JSON object: mend the line"


def read_lists(
    sources: Sequence[ListSource],
    *,
    number_column: str | None,
    s3: Callable[[], S3Access],
    columns: Sequence[str] = (),
    prefix: str = "",
) -> pl.LazyFrame:
    """Read lists, in the order given, into one lazy frame that polars' streaming engine can run.

    Its columns are `source` (String: the URI), `row` (UInt64: 0 is the first data row of its source), `recipient`
    (String or null: as it was written) and then `columns`, as text. Blank lines of a CSV list are rows, of NDJSON not.
    Only parquet footers and workbooks are read at once. What is wrong further down a list shows when the frame is
    collected with its `recipient`: do that inside `translate_errors`. A CSV list is read twice then, side by side.

    Args:
        sources: What `find_lists` found.
        number_column: The name of the column with the phone numbers; None looks for a usual name in each list.
        s3: Gives the access to S3; called only when a list is there.
        columns: Further columns to read, by name; each list must have them all.
        prefix: What the names of `columns` begin with in the frame.

    Raises:
        InputError: A column is not to be found, or is there twice; or a footer or a workbook cannot be read.
    """
    named = tuple(f"{prefix}{column}" for column in columns)
    check_wanted(named)
    access = cache(s3)
    if any(source.on_s3 for source in sources):
        access()
    opened = on_each(partial(open_list, number=number_column, columns=columns, s3=access), sources)
    frames = [
        _numbered(tuple(group), shape, named, access) for shape, group in groupby(opened, key=lambda each: each.shape)
    ]
    if frames:
        return pl.concat(frames)
    texts = dict.fromkeys(("recipient", *named), pl.String)
    return pl.LazyFrame(schema={"source": pl.String, "row": pl.UInt64, **texts})


def _numbered(
    group: Sequence[Opened], shape: Shape, columns: Sequence[str], s3: Callable[[], S3Access]
) -> pl.LazyFrame:
    """Read lists of one shape in one scan, and number the rows of each from 0.

    One scan, since the streaming engine's time grows with the square of the number of scans. It numbers rows over all
    files, so that each row's number is its distance from the latest row that has another path than the one before.
    """
    frame = scan(group, shape, s3).with_row_index("index")
    index = pl.col("index").cast(pl.UInt64)
    if len(group) > 1:
        starts = (pl.col(PATH) != pl.col(PATH).shift(1)).fill_null(value=True)
        index -= pl.when(starts).then(index).otherwise(0).cum_max()
    copied = {each.source.readable: each.source.uri for each in group if each.source.copy}
    source = pl.col(PATH).replace(list(copied), list(copied.values())) if copied else pl.col(PATH)
    frame = frame.select(source.alias("source"), index.alias("row"), pl.exclude(PATH, "index"))
    checked = pl.struct("recipient", "fault", "source", "row", "^(line|whole)$").map_batches(
        partial(_check, key=shape.names[0] if shape.names else ""), return_dtype=pl.String, is_elementwise=True
    )
    read = frame.select(
        "source", "row", checked.alias("recipient"), *(pl.col(f"t{n}").alias(name) for n, name in enumerate(columns))
    )
    unread = unread_faults(group, shape, s3)
    if unread is None:
        return read
    texts = [pl.col(PATH).alias(name) for name in ("recipient", *columns)]
    nothing = unread.select(pl.col(PATH).alias("source"), pl.lit(0, pl.UInt64).alias("row"), *texts)
    return pl.concat([nothing, read])


def _check(batch: pl.Series, *, key: str) -> pl.Series:
    """Let a batch of rows pass, or raise for the first row of it that must not be read."""
    faults = batch.struct.field("fault")
    if not faults.max():
        return batch.struct.field("recipient")
    for row in pl.DataFrame({"batch": batch}).filter(faults != 0)["batch"]:
        if row["fault"] != Fault.NO_VALUE:
            raise fault_in(row["source"], row["row"], _FAULTS[row["fault"]])
        value = parse_line(row["line"])
        if not isinstance(value, dict) or value.get(key) is not None:
            raise fault_in(row["source"], row["row"], BAD_JSON)
    return batch.struct.field("recipient")


def fault_in(uri: str, row: int, what: str) -> InputError:
    """Return the error that names a row of a list; rows count from 0 after the header, as in the results."""
    return refusal(uri, f"row {row} {what} (row 0 is the first row of data)")
