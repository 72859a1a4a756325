"""Leaves out rows whose number is in a file of numbers: opt-outs, people whom earlier campaigns texted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.vocabulary.mark_rows import mark_rows
from globe_sms.tasks.vocabulary.statuses import Status


@dataclass(frozen=True, slots=True)
class LeftOutFigures:
    """What preview and report say about who is left out.

    Attributes:
        passed_over: how many rows of an opt-out list aren't phone numbers and were passed over, by list.
        since_plan: how many numbers of the plan are left out now though the plan has them, by reason.
    """

    passed_over: Mapping[str, int] = field(default_factory=dict[str, int])
    since_plan: Mapping[str, int] = field(default_factory=dict[str, int])


NOBODY_LEFT_OUT: Final = LeftOutFigures()


def leave_out(rows: pl.LazyFrame, *files: Path) -> pl.LazyFrame:
    """Mark rows whose number is in one of the files `suppressed`, with the file's `source` as the reason.

    Numbers are compared as integers, `e164`, in polars' streaming engine.
    """
    for file in files:
        listed = pl.scan_parquet(file, glob=False).select("e164", listed="source")
        joined = rows.join(listed, on="e164", how="left", maintain_order="left")
        is_listed = pl.col("listed").is_not_null()
        rows = mark_rows(joined, is_listed, Status.SUPPRESSED, pl.col("listed")).drop("listed")
    return rows


def write_numbers(numbers: pl.LazyFrame, file: Path) -> None:
    """Write numbers to a file for `leave_out`: e164 (Int64) and source (String), each number with its first source."""
    (
        numbers.select("e164", "source")
        .filter(pl.col("e164").is_not_null())
        .with_row_index("index")
        .group_by("e164")
        .agg(pl.col("source").sort_by("index").first())
        .sink_parquet(file, compression="lz4", engine="streaming")
    )
