"""The rows that somebody may want to mend, as CSV beside the results: any spreadsheet opens it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.results_schema import FAILURES_KEY
from globe_sms.tasks.reports.row_numbers import RowNumbers
from globe_sms.tasks.vocabulary.statuses import Status

_FAILURES: Final = (Status.FAILED, Status.UNKNOWN, Status.INVALID, Status.UNSUPPORTED)
_AS_TEXT: Final = ("source", "recipient", "response_description")
_FORMULA: Final = r"^[=@\t\r]|^[+-][^\d(]"  # a spreadsheet would calculate it


def has_failures(counts: Mapping[str, int]) -> bool:
    """Whether rows with these counts by status have any for the file."""
    return any(counts.get(status, 0) for status in _FAILURES)


def failures_uri(results: str) -> str:
    """Return the file's URI beside that of the results."""
    return f"{results.rpartition('/')[0]}/{FAILURES_KEY}"


def write_failures(results: Path, numbers: RowNumbers, path: Path) -> None:
    """Write the failed, unknown, invalid and unsupported rows of results.parquet, in the order of the lists.

    The columns are list, row (as in the spreadsheet), recipient, phone_number, status, reason, code and answer. Holds
    whole phone numbers, as the results do. Memory stays flat.
    """
    first = pl.LazyFrame(
        {"source": list(numbers.first), "first": list(numbers.first.values())},
        schema={"source": pl.String, "first": pl.UInt64},
    )
    safe = (
        pl.when(pl.col(name).str.contains(_FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in _AS_TEXT
    )
    (
        pl.scan_parquet(results, glob=False)
        .filter(pl.col("status").cast(pl.String).is_in([str(status) for status in _FAILURES]))
        .join(first, on="source", how="left", maintain_order="left")
        .with_columns(pl.col("row") + pl.col("first").fill_null(1), *safe)
        .select(
            pl.col("source").alias("list"),
            *("row", "recipient", "phone_number", "status", "reason"),
            pl.col("response_code").alias("code"),
            pl.col("response_description").alias("answer"),
        )
        .sink_csv(path, include_bom=True)
    )
