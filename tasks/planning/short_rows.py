"""Finds the rows of CSV lists that end before the field with the number: they are `too_few_fields`, not `empty`.

polars fills such rows, so lists with rows that seem empty are read once more; others cost one look at the plan's rows.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.recipients import Format, OpenedList, count_fields, short_rows_error
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.row_reasons import RowReason

SHORT: Final = "short"
_FEW: Final = "few"


def find_short_rows(
    rows: pl.LazyFrame, folder: Path, *, opened: Sequence[OpenedList], s3: Callable[[], S3Access]
) -> pl.LazyFrame | None:
    """Return for each row whether it lacks the number's field, in the column `SHORT`; None if no row does.

    Args:
        rows: The rows of the lists, in input order, with the columns source, e164 and reason.
        folder: A local folder; what is found is kept there.
        opened: The lists.
        s3: Gives the access to S3.

    Raises:
        InputError: a list has no number, and every row of it that isn't blank has fewer fields than the header.
    """
    by_uri = {each.source.uri: each for each in opened if _can_be_short(each)}
    if not by_uri:
        return None
    is_empty, has_number = pl.col("reason") == RowReason.EMPTY.value, pl.col("e164").is_not_null()
    facts = rows.group_by("source").agg(is_empty.any().alias("empty"), has_number.any().alias("numbers"))
    found = facts.filter(pl.col("empty") | ~pl.col("numbers")).collect(engine="streaming")
    suspects = by_uri.keys() & set(found["source"])
    if not suspects:
        return None
    path = folder / "short.parquet"
    _look_again(rows, opened, suspects, s3).sink_parquet(path, engine="streaming")
    short = pl.scan_parquet(path, glob=False)
    lists = pl.concat([rows.select("source"), short], how="horizontal").group_by("source", maintain_order=True)
    counted = lists.agg(pl.col(_FEW).any() & pl.col(_FEW).all(), pl.col(SHORT).any()).collect(engine="streaming")
    numberless = suspects & set(found.filter(~pl.col("numbers"))["source"])
    for uri in counted.filter(pl.col(_FEW))["source"]:
        if uri in numberless:
            raise short_rows_error(by_uri[uri], s3)
    return short.select(SHORT) if counted[SHORT].any() else None


def _look_again(
    rows: pl.LazyFrame, opened: Sequence[OpenedList], suspects: Collection[str], s3: Callable[[], S3Access]
) -> pl.LazyFrame:
    """Return for each row whether it has fewer fields than the header, and is short; null where nothing is suspected.

    A blank line has no number of fields.
    """
    parts: list[pl.LazyFrame] = []
    for shape, lists in groupby(opened, key=lambda each: each.shape):
        group = tuple(lists)
        uris = {each.source.uri for each in group}
        if uris.isdisjoint(suspects):
            # Made of a column: literals alone would be one row, however many there are.
            nothing = pl.when(pl.col("source").is_null()).then(pl.lit(value=False))
            parts.append(rows.filter(pl.col("source").is_in(uris)).select(nothing.alias(_FEW), nothing.alias(SHORT)))
        else:
            fields = pl.when(pl.col("fields") > 0).then("fields")
            few, short = fields < shape.width, fields <= shape.positions[0]
            parts.append(count_fields(group, shape, s3).select(few.alias(_FEW), short.alias(SHORT)))
    return pl.concat(parts)


def reason_with_short_rows() -> pl.Expr:
    """Return the reason of rows beside the column `SHORT`: those that are short aren't called empty."""
    reason = pl.col("reason")
    is_short = pl.col(SHORT) & (reason == RowReason.EMPTY.value)
    return pl.when(is_short).then(pl.lit(RowReason.TOO_FEW_FIELDS.value)).otherwise(reason.cast(pl.String))


def _can_be_short(opened: OpenedList) -> bool:
    return opened.shape.format is Format.CSV and opened.shape.width > 1
