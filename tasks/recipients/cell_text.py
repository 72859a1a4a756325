"""Converts values of any type to the text that a person would write."""

import polars as pl

_EXACT_IN_64_BITS = 2.0**53
_TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum, pl.Binary)


def refused_type(dtype: pl.DataType) -> str | None:
    """Return why values of this type can't be phone numbers; None if they can."""
    if dtype == pl.Float32:
        return "holds 32-bit floats, which can't store a phone number's digits: write it as text"
    if dtype == pl.Null or isinstance(dtype, _TEXT_TYPES) or dtype.is_integer() or dtype.is_decimal():
        return None
    if dtype == pl.Float64:
        return None
    return f"is of type {dtype}: write it as text"


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a parquet column as text: all digits, a whole float or decimal as `6581234567.0`, NaN as null.

    Floats from 2**53 on aren't exact and stay in scientific notation, so that they don't pass for phone numbers.
    """
    if dtype == pl.Float64:
        whole = column.is_finite() & (column == column.round(0)) & (column.abs() < _EXACT_IN_64_BITS)
        digits = pl.when(whole).then(column).cast(pl.Int64, strict=False).cast(pl.String)
        other = (
            pl.when(column.is_finite() & (column.abs() >= _EXACT_IN_64_BITS))
            .then(_scientific(column))
            .otherwise(column.cast(pl.String))
        )
        return pl.when(column.is_nan()).then(None).when(whole).then(digits + ".0").otherwise(other)
    if dtype.is_decimal() and isinstance(dtype, pl.Decimal) and dtype.scale:
        return column.cast(pl.String).str.replace(r"\.0+$", ".0")
    return column.cast(pl.String)


def _scientific(column: pl.Expr) -> pl.Expr:
    text = column.cast(pl.String)
    return (
        pl.when(text.str.contains("e", literal=True))
        .then(text)
        .otherwise(text.str.replace(r"\.0$", "") + pl.lit("e+00"))
    )
