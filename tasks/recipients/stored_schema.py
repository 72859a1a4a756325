"""The columns of lists that store their types: parquet files, Delta and Iceberg tables."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

from globe_sms.tasks.recipients.cell_text import as_text, refused_type
from globe_sms.tasks.recipients.column_names import is_possible_name, is_region_name
from globe_sms.tasks.recipients.column_samples import ColumnSample, sample_columns
from globe_sms.tasks.recipients.lake_tables import reading_table, scan_table
from globe_sms.tasks.recipients.list_source import ListSource, refusal
from globe_sms.tasks.recipients.polars_reach import fetched
from globe_sms.tasks.store.s3_access import S3Access

UNREADABLE_PARQUET: Final = (
    "it isn't a readable parquet file (damaged, truncated, of an unknown type, or its text isn't UTF-8): write it again"
)
_SAMPLED_ROWS: Final = 200


def _columns_of(source: ListSource, s3: Callable[[], S3Access]) -> pl.LazyFrame:
    """Return the rows of a list whose columns have types."""
    if source.table is not None:
        return scan_table(source.table, s3)
    options: dict[str, Any] = s3().polars_options(source.bucket) if source.bucket else {}
    return pl.scan_parquet(source.readable, glob=False, hive_partitioning=False, **options)


def stored_schema(source: ListSource, s3: Callable[[], S3Access]) -> dict[str, pl.DataType]:
    """Return a list's columns and their types.

    Raises:
        InputError: it isn't readable.
    """
    if source.table is not None:
        with reading_table(source.table):
            return dict(_columns_of(source, s3).collect_schema())
    try:
        return dict(_columns_of(source, s3).collect_schema())
    except OSError:
        if source.bucket is not None:  # S3's fault, perhaps
            return stored_schema(fetched(source, s3), s3)
        raise refusal(source.uri, UNREADABLE_PARQUET) from None
    except (pl.exceptions.PolarsError, ValueError, pl.exceptions.PanicException):
        raise refusal(source.uri, UNREADABLE_PARQUET) from None


def sample_stored(
    source: ListSource,
    schema: dict[str, pl.DataType],
    partitions: Mapping[str, str | None],
    s3: Callable[[], S3Access],
) -> tuple[ColumnSample, ...]:
    """Sample the columns whose names matter; none if the file can't be read: reading it reports that."""
    names = [
        name
        for name, dtype in schema.items()
        if refused_type(dtype) is None and (is_possible_name(name) or is_region_name(name))
    ]
    if not names:
        return ()
    try:
        rows = (
            _columns_of(source, s3)
            .with_columns(pl.lit(value, pl.String).alias(name) for name, value in partitions.items())
            .select(as_text(pl.col(name), schema[name]).alias(name) for name in names)
            .head(_SAMPLED_ROWS)
            .collect(engine="streaming")
        )
    except (pl.exceptions.PolarsError, OSError, ValueError, pl.exceptions.PanicException):
        return ()
    texts = [tuple("" if value is None else value for value in row) for row in rows.iter_rows()]
    samples = dict(zip(names, sample_columns(texts, len(names), names), strict=True))
    return tuple(samples.get(name, ColumnSample()) for name in schema)
