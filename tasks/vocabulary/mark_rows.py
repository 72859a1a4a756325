"""Rows that a campaign doesn't send to: marked with a status and a reason."""

import polars as pl

from globe_sms.tasks.vocabulary.statuses import STATUSES, Status


def mark_rows(rows: pl.LazyFrame, where: pl.Expr, status: Status | pl.Expr, reason: str | pl.Expr) -> pl.LazyFrame:
    """Give a status and a reason to the rows of `where` that have no status yet; rows that have one keep it.

    Args:
        rows: With the columns status (Enum of `STATUSES`, null for rows that can be sent) and reason.
        where: Which rows; null counts as false.
        status: Their status: the same for all, or an expression.
        reason: Their reason: the same for all, or a text expression.
    """
    marked = pl.col("status").is_null() & where
    return rows.with_columns(
        status=pl.when(marked)
        .then(status if isinstance(status, pl.Expr) else pl.lit(status, dtype=pl.Enum(STATUSES)))
        .otherwise(pl.col("status")),
        reason=pl.when(marked)
        .then(reason if isinstance(reason, pl.Expr) else pl.lit(reason))
        .otherwise(pl.col("reason").cast(pl.String)),
    )
