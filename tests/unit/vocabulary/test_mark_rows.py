import polars as pl

from globe_sms.tasks.vocabulary.mark_rows import mark_rows
from globe_sms.tasks.vocabulary.statuses import STATUSES, Status


def test_a_row_that_has_a_status_keeps_it() -> None:
    """The first reason to leave somebody out is the one that the results name."""
    rows = pl.LazyFrame(
        {"status": [None, "invalid", None], "reason": [None, "too_short", None], "listed": ["a", "b", None]},
        schema_overrides={"status": pl.Enum(STATUSES)},
    )
    marked = mark_rows(rows, pl.col("listed").is_not_null(), Status.SUPPRESSED, pl.col("listed")).collect()
    assert marked["status"].to_list() == ["suppressed", "invalid", None]
    assert marked["reason"].to_list() == ["a", "too_short", None]


def test_rows_of_which_it_is_not_known_are_not_marked() -> None:
    rows = pl.LazyFrame({"status": [None], "reason": [None]}, schema={"status": pl.Enum(STATUSES), "reason": pl.String})
    assert mark_rows(rows, pl.lit(None, dtype=pl.Boolean), Status.UNSUPPORTED, "x").collect()["status"][0] is None
