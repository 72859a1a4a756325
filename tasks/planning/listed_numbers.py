"""Judges the numbers of lists: what the list itself says of a row, then libphonenumber."""

import polars as pl

from globe_sms.tasks.numbers import Overrides, validate
from globe_sms.tasks.numbers.validation import VERDICT_COLUMNS
from globe_sms.tasks.numbers.validation_by_country import validate_by_country
from globe_sms.tasks.recipients import COUNTRY, HIDDEN, first_numbers, holds_several
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import STATUSES, Status

_WRITTEN = "as written"


def judge_numbers(
    rows: pl.LazyFrame, *, default_region: str | None, overrides: Overrides, first_number: bool, by_country: bool
) -> pl.LazyFrame:
    """Give the rows of lists (`rows_of`) their number, status and reason.

    Invalid are rows that the spreadsheet hides or that hold several numbers (unless the first is asked for) and, in
    lists with a column of countries (`by_country`), national numbers without an existing country.

    Raises:
        InputError: libphonenumber doesn't know the default region.
    """
    recipient = pl.col("recipient")
    several = recipient.map_batches(holds_several, return_dtype=pl.Boolean, is_elementwise=True)
    first = recipient.map_batches(first_numbers, return_dtype=pl.String, is_elementwise=True)
    if first_number:
        rows = rows.with_columns(recipient.alias(_WRITTEN), first.alias("recipient"))
    if by_country:
        rows = validate_by_country(rows, COUNTRY, default_region=default_region, overrides=overrides)
    else:
        rows = validate(rows, default_region=default_region, overrides=overrides)
    why = pl.when(pl.col(HIDDEN)).then(pl.lit(RowReason.HIDDEN_ROW.value))
    if not first_number:
        why = why.when(several).then(pl.lit(RowReason.SEVERAL_NUMBERS.value))
    if by_country:
        why = why.when(pl.col("no_country")).then(pl.lit(RowReason.UNKNOWN_COUNTRY.value))
    rows = _refused(rows.with_columns(why.otherwise(None).alias("why")))
    if first_number:
        rows = rows.with_columns(pl.col(_WRITTEN).alias("recipient")).drop(_WRITTEN)
    return rows.drop("why", COUNTRY, HIDDEN, *(("no_country",) if by_country else ()))


def _refused(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Make the rows with a `why` invalid, without a number."""
    is_fine = pl.col("why").is_null()
    return rows.with_columns(
        status=pl.when(is_fine).then("status").otherwise(pl.lit(Status.INVALID.value, dtype=pl.Enum(STATUSES))),
        reason=pl.when(is_fine).then("reason").otherwise(pl.col("why").cast(VERDICT_COLUMNS["reason"])),
        region=pl.when(is_fine).then("region"),
        e164=pl.when(is_fine).then("e164"),
        phone_number=pl.when(is_fine).then("phone_number"),
    )
