"""Which of the validated rows a campaign is meant for, by country."""

from collections.abc import Sequence

import polars as pl

from globe_sms.tasks.vocabulary.mark_rows import mark_rows
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status


def only_countries(rows: pl.LazyFrame, allowed: Sequence[str], denied: Sequence[str]) -> pl.LazyFrame:
    """Reject rows whose region (ISO 3166 alpha-2) is denied or, where any are allowed, not among those.

    They become `unsupported`. Numbers that belong to no country are not allowed where only some countries are.
    """
    region = pl.col("region").cast(pl.String)
    if denied:
        rows = mark_rows(rows, region.is_in(denied), Status.UNSUPPORTED, RowReason.COUNTRY_DENIED)
    if allowed:
        is_allowed = region.is_in(allowed).fill_null(value=False)
        rows = mark_rows(rows, ~is_allowed, Status.UNSUPPORTED, RowReason.COUNTRY_NOT_ALLOWED)
    return rows
