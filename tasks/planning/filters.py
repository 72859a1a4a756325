"""Which of the validated rows a campaign is meant for, by country."""

from collections.abc import Sequence

import polars as pl

from globe_sms.tasks.vocabulary.statuses import STATUSES, SelectionReason, Status


def only_countries(rows: pl.LazyFrame, allowed: Sequence[str], denied: Sequence[str]) -> pl.LazyFrame:
    """Turn away rows whose region (ISO 3166 alpha-2) is not among the allowed ones, where any are named, or is denied.

    They become `unsupported`. Numbers that belong to no country are not allowed where only some countries are.
    """
    region = pl.col("region").cast(pl.String)
    if denied:
        rows = _marked(rows, region.is_in(denied), Status.UNSUPPORTED, SelectionReason.COUNTRY_DENIED)
    if allowed:
        is_allowed = region.is_in(allowed).fill_null(value=False)
        rows = _marked(rows, ~is_allowed, Status.UNSUPPORTED, SelectionReason.COUNTRY_NOT_ALLOWED)
    return rows


def _marked(rows: pl.LazyFrame, where: pl.Expr, status: Status, reason: str) -> pl.LazyFrame:
    marks = pl.col("status").is_null() & where
    return rows.with_columns(
        status=pl.when(marks).then(pl.lit(status, dtype=pl.Enum(STATUSES))).otherwise(pl.col("status")),
        reason=pl.when(marks).then(pl.lit(reason)).otherwise(pl.col("reason").cast(pl.String)),
    )
