"""Adds shortcuts to a table: runs that lead to other runs are split along them, so that one lookup is enough."""

from typing import Final

import polars as pl

from globe_sms.tasks.numbers.libphonenumber import Verdict
from globe_sms.tasks.numbers.lookup_table import PLAIN, Table, codes
from globe_sms.tasks.numbers.partial_numbers import Reread
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

MOST_ROWS: Final = 200_000  # to add at most: many carrier codes would lead to millions


def with_shortcuts(table: Table, most_rows: int = MOST_ROWS) -> Table:
    """Return a table of the same verdicts in which most digits without a plus sign need one lookup. Takes about 30 ms.

    Runs that lead to few others are split first; the ones beyond `most_rows` still need a second lookup.
    """
    rows = pl.DataFrame({"start": table.starts, "difference": table.differences, "code": table.codes})
    is_plain = pl.col("start").cast(pl.String).str.starts_with(str(PLAIN))
    leading = (
        rows.with_columns(end=table.ends_of(table.starts))
        .filter(is_plain & pl.col("code").is_between(1, len(Reread)))
        .with_columns(
            first=table.run_of(pl.col("start") + pl.col("difference")),
            last=table.run_of(pl.col("end") - 1 + pl.col("difference")),
        )
        .with_columns(count=pl.col("last") - pl.col("first") + 1)
        .sort("count")
        .filter(pl.col("count").cast(pl.Int64).cum_sum() <= most_rows)
    )
    no_country_code = codes()[Verdict(status=Status.INVALID, reason=RowReason.INVALID_COUNTRY_CODE)]
    # Digits may lack a country code after a plus sign only once: after an international prefix they have none.
    lacks_code = (pl.col("code") == codes()[Reread.INTERNATIONAL]) & (
        pl.col("next_code") == codes()[Reread.WITHOUT_PLUS]
    )
    cut = (
        leading.with_columns(run=pl.int_ranges("first", pl.col("last") + 1))
        .explode("run", empty_as_null=True, keep_nulls=True)
        .with_columns(
            next_start=pl.lit(table.starts).gather("run"),
            next_difference=pl.lit(table.differences).gather("run"),
            next_code=pl.lit(table.codes).gather("run"),
        )
        .select(
            start=pl.max_horizontal("start", pl.col("next_start") - pl.col("difference")),
            difference=pl.col("difference") + pl.col("next_difference"),
            code=pl.when(lacks_code).then(no_country_code).otherwise("next_code").cast(pl.UInt16),
        )
    )
    kept = rows.join(leading, on="start", how="anti")
    return Table(*pl.concat([kept, cut]).sort("start").get_columns())
