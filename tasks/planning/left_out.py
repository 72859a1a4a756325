"""Leaves out rows that are in a file: people who opted out, whom other campaigns texted, countries, and the like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.vocabulary.mark_rows import mark_rows
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import STATUSES, Status


@dataclass(frozen=True, slots=True)
class LeftOutFigures:
    """What preview and report say about who is left out.

    Attributes:
        passed_over: how many rows of an opt-out list aren't phone numbers and were passed over, by list.
        since_plan: how many numbers of the plan are left out now though the plan has them, by reason.
    """

    passed_over: Mapping[str, int] = field(default_factory=dict[str, int])
    since_plan: Mapping[str, int] = field(default_factory=dict[str, int])


TEXT_HASH: Final = "text_hash"
_OF_COUNTRIES: Final = (RowReason.COUNTRY_DENIED, RowReason.COUNTRY_NOT_ALLOWED)
NOBODY_LEFT_OUT: Final = LeftOutFigures()


def leave_out(rows: pl.LazyFrame, *files: Path) -> pl.LazyFrame:
    """Mark rows that are in one of the files `suppressed`, with the file's `source` as the reason.

    A file has the column `source` (String) and those that name a row: `e164` (Int64), `region`, or `text_hash` beside
    the number where only the row's own text is left out (`hash_texts`). A country that isn't texted is `unsupported`.
    """
    for file in files:
        listed = pl.scan_parquet(file, glob=False).rename({"source": "listed"})
        keys = [name for name in listed.collect_schema() if name != "listed"]
        if TEXT_HASH in keys:
            rows = rows.with_columns(hash_texts(pl.col("message")))
        joined = rows.join(listed, on=keys, how="left", maintain_order="left")
        reason = pl.col("listed").cast(pl.String)
        rows = mark_rows(joined, reason.is_not_null(), status_of(reason), reason)
        rows = rows.drop("listed", *(name for name in keys if name == TEXT_HASH))
    return rows


def status_of(reason: pl.Expr) -> pl.Expr:
    """Return the status of rows that are left out for a reason."""
    unsupported, suppressed = (
        pl.lit(each, dtype=pl.Enum(STATUSES)) for each in (Status.UNSUPPORTED, Status.SUPPRESSED)
    )
    return pl.when(reason.is_in(_OF_COUNTRIES)).then(unsupported).otherwise(suppressed)


def hash_texts(texts: pl.Expr) -> pl.Expr:
    """Return the hash that a file of `leave_out` knows a text by; the same within a process."""
    return texts.hash().alias(TEXT_HASH)


def named_after_content(file: Path) -> Path:
    """Rename a file after its content, so that the same path says that nothing has changed; return the path."""
    with file.open("rb") as content:
        digest = file_digest(content, "sha256").hexdigest()
    return file.rename(file.with_name(f"{file.stem}-{digest}{file.suffix}"))


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
