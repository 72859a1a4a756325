"""Validated rows become a plan: duplicates are marked, and the sendable rows get their chunks."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.planning.chunk_layout import SendingGroups, chunks_in_input_order, lay_out_chunks
from globe_sms.tasks.planning.duplicates import rank_rows
from globe_sms.tasks.planning.frozen_plan import write_plan
from globe_sms.tasks.planning.left_out import leave_out
from globe_sms.tasks.planning.random_split import HELD_OUT
from globe_sms.tasks.planning.short_rows import reason_with_short_rows
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import STATUSES, Status

# Returns files for `leave_out`, perhaps written into a folder: which of these rows must not get the text.
FindLeftOut = Callable[[pl.LazyFrame, Path], Sequence[Path]]
# Keeps in a folder, and returns, which of the rows end before the number's field; None if none does.
FindShortRows = Callable[[pl.LazyFrame, Path], pl.LazyFrame | None]

_VALIDATED: Final = ("source", "row", "recipient", "e164", "region", "status", "reason")


def plan_rows(
    validated: pl.LazyFrame,
    numbers_per_call: int,
    plan_id: str,
    scratch: Path,
    *,
    texts: Sequence[str] = (),
    kept: Sequence[str] = (),
    groups: SendingGroups | None = None,
    canary: int = 0,
    find_left_out: FindLeftOut | None = None,
    find_short: FindShortRows | None = None,
) -> Path:
    """Write the plan of validated rows to a local file, as it is stored (`FrozenPlan` reads it).

    Of several rows with one phone number the first is sent; the others name it: `first_source`, `first_row`. Sendable
    rows get their chunks in input order or, with `groups`, group by group. The rows are read once. All of it runs in
    the streaming engine: neither the lists nor their numbers are in memory as a whole.

    Args:
        validated: Rows in input order with the columns source, row, recipient, e164, region, status (null for rows
            that can be sent) and reason; perhaps with `HELD_OUT`, the same for all rows of a number.
        numbers_per_call: The most numbers of a chunk.
        plan_id: The plan's id, unlike any other plan's.
        scratch: A local folder with room for the lists twice.
        texts: Further columns of `validated` that the plan has after its own, for rows that are sent or invalid.
        kept: Columns of the lists in `validated` that the plan has at its end, for all rows.
        groups: Which rows may share a call; None for all.
        canary: So many of the first sendable rows have chunks of their own.
        find_left_out: Finds who already has the text, or got too many: these rows are suppressed.
        find_short: Finds rows that end before the number's field: these are `too_few_fields`, not `empty`.
    """
    path = scratch / f"new-{plan_id}.parquet"
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        held_out = [column for column in (HELD_OUT,) if column in validated.collect_schema()]
        rows = _write_rows(validated.select(*_VALIDATED, *texts, *kept, *held_out), folder / "validated.parquet")
        short = None if find_short is None else find_short(pl.scan_parquet(rows, glob=False), folder)
        if find_left_out is not None:
            rows = _leave_out(rows, find_left_out, folder)
        ranks = rank_rows(rows, folder, ranked=~pl.col(HELD_OUT) if held_out else None)
        parts, layout = [pl.scan_parquet(rows, glob=False), ranks], None
        if groups is None:
            chunk, position = chunks_in_input_order(numbers_per_call, canary)
        else:
            places, layout = lay_out_chunks(rows, ranks, groups, numbers_per_call, folder, canary=canary)
            parts.append(places)
            chunk, position = pl.col("chunk"), pl.col("position")
        if short is not None:
            parts.append(short)
        status, reason = _verdict(has_short=short is not None, has_holdout=bool(held_out))
        keeps_texts = pl.col("nth").is_not_null() | (pl.col("status") == Status.INVALID.value)
        plan = pl.concat(parts, how="horizontal").select(
            *("source", "row", "recipient", "e164", "region"),
            status.alias("status"),
            reason.alias("reason"),
            *("first_source", "first_row"),
            chunk.cast(pl.UInt32).alias("chunk"),
            position.cast(pl.UInt16).alias("position"),
            *(pl.when(keeps_texts).then(pl.col(text)).alias(text) for text in texts),
            *kept,
        )
        write_plan(plan, layout, plan_id, path)
    return path


def _verdict(*, has_short: bool, has_holdout: bool) -> tuple[pl.Expr, pl.Expr]:
    """Return a row's status and reason in the plan."""
    is_duplicate = pl.col("status").is_null() & pl.col("first_row").is_not_null()
    status = pl.when(is_duplicate).then(_status(Status.DUPLICATE))
    reason = reason_with_short_rows() if has_short else pl.col("reason")
    if has_holdout:  # after the others: what keeps people out of a campaign keeps them out of its holdout
        is_held = pl.col(HELD_OUT) & pl.col("status").is_null() & pl.col("first_row").is_null()
        status = status.when(is_held).then(_status(Status.NOT_SENT))
        reason = pl.when(is_held).then(pl.lit(RowReason.HOLDOUT.value)).otherwise(reason.cast(pl.String))
    return status.otherwise("status"), reason


def _status(status: Status) -> pl.Expr:
    return pl.lit(status, dtype=pl.Enum(STATUSES))


def _write_rows(rows: pl.LazyFrame, path: Path) -> Path:
    has_texts = len(rows.collect_schema()) > len(_VALIDATED)
    # Few sources in many rows: as texts they take longer. No list has more rows than an index of polars counts.
    rows = rows.with_columns(pl.col("source").cast(pl.Categorical), pl.col("row").cast(pl.UInt32))
    rows.sink_parquet(path, compression="lz4" if has_texts else "uncompressed", statistics=False, engine="streaming")
    return path


def _leave_out(rows: Path, find_left_out: FindLeftOut, folder: Path) -> Path:
    """Suppress people who must not get the text; the rows are written again only if there are any."""
    validated = pl.scan_parquet(rows, glob=False)
    files = find_left_out(validated.filter(pl.col("status").is_null()), folder)
    if not files:
        return rows
    path = _write_rows(leave_out(validated, *files), folder / "without-left-out.parquet")
    rows.unlink()
    return path
