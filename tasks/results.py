"""The results: the plan and the receipts, joined into one row for every input row."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from tasks.ledger import History, Receipt, Settlement
from tasks.plan import FrozenPlan
from tasks.statuses import STATUSES, Status

RESULTS_KEY = "results.parquet"
RESULTS_SCHEMA = pl.Schema(
    {
        "campaign": pl.String(),
        "source": pl.String(),
        "row": pl.UInt64(),
        "recipient": pl.String(),
        "phone_number": pl.String(),
        "region": pl.String(),
        "status": pl.Enum(STATUSES),
        "reason": pl.String(),
        "message_id": pl.String(),
        "request_id": pl.String(),
        "response_code": pl.String(),
        "response_description": pl.String(),
        "chunk": pl.UInt32(),
        "attempts": pl.UInt8(),
        "segments": pl.UInt16(),
        "sent_at": pl.Datetime("us", "UTC"),
    }
)
_CHUNK_SCHEMA = {
    "chunk": pl.UInt32(),
    "chunk_status": pl.Enum(STATUSES),
    "chunk_reason": pl.String(),
    "request_id": pl.String(),
    "response_code": pl.String(),
    "response_description": pl.String(),
    "attempts": pl.UInt8(),
    "sent_at": pl.Datetime("us", "UTC"),
    "doubtful": pl.Boolean(),
}
_POSITION_SCHEMA = {
    "chunk": pl.UInt32(),
    "position": pl.UInt16(),
    "message_id": pl.String(),
    "position_status": pl.Enum(STATUSES),
    "position_reason": pl.String(),
}
_MOST_ATTEMPTS = 255
_STATUS_OF = {
    Settlement.ACCEPTED: Status.ACCEPTED,
    Settlement.REFUSED: Status.FAILED,
    Settlement.ACCOUNT: Status.FAILED,
    Settlement.UNKNOWN: Status.UNKNOWN,
    Settlement.NOT_SENT: Status.NOT_SENT,
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What the ledger says, as two frames: one row a chunk, and one row for each number that has its own fate."""

    chunks: pl.DataFrame
    positions: pl.DataFrame


def gather(histories: Mapping[int, History], receipts: Iterable[Receipt]) -> Answers:
    """Fold the ledger into frames. A chunk with a claim and no receipt is unknown, `interrupted`."""
    chunks: dict[int, dict[str, object]] = {
        index: {
            "chunk": index,
            "chunk_status": Status.UNKNOWN,
            "chunk_reason": "interrupted",
            "attempts": history.next,
            "doubtful": False,
        }
        for index, history in histories.items()
    }
    positions: list[tuple[int, int, str | None, Status | None, str | None]] = []
    for receipt in receipts:
        history = histories[receipt.chunk]
        status, reason = _STATUS_OF[receipt.settlement], receipt.reason
        if history.doubtful and status is not Status.ACCEPTED:
            # An earlier presentation may have been taken: what this one says does not make it undone.
            status, reason = Status.UNKNOWN, "no_reply"
        chunks[receipt.chunk] = {
            "chunk": receipt.chunk,
            "chunk_status": status,
            "chunk_reason": reason,
            "request_id": receipt.request_id,
            "response_code": receipt.code,
            "response_description": receipt.description,
            "attempts": min(_MOST_ATTEMPTS, max(1, len(receipt.attempts)) + history.next - 1),
            "sent_at": None if receipt.sent_at is None else datetime.fromtimestamp(receipt.sent_at, UTC),
            "doubtful": history.doubtful,
        }
        at = receipt.chunk
        positions.extend((at, place, value, None, None) for place, value in receipt.message_ids.items())
        fate, why = (Status.UNKNOWN, "no_reply") if history.doubtful else (Status.FAILED, "failed_list")
        positions.extend((at, place, None, fate, why) for place in receipt.failed)
        positions.extend((at, place, None, Status.UNKNOWN, "failed_list_unmatched") for place in receipt.unclear)
    return Answers(
        pl.DataFrame(list(chunks.values()), schema=_CHUNK_SCHEMA),
        pl.DataFrame(positions, schema=_POSITION_SCHEMA, orient="row"),
    )


def make_results(plan: pl.LazyFrame, answers: Answers, campaign: str, not_sent_reason: str) -> pl.LazyFrame:
    """Join the plan with what the ledger says: `RESULTS_SCHEMA`, every input row once, in input order.

    Sendable rows of a chunk that was never claimed are `not_sent` for `not_sent_reason`.
    """
    planned = pl.col("status").is_not_null()
    from_position = pl.col("position_status").is_not_null()
    from_chunk = pl.col("chunk_status").is_not_null()
    accepted = pl.col("chunk_status") == Status.ACCEPTED
    status = (
        pl.when(planned)
        .then(pl.col("status"))
        .when(from_position)
        .then(pl.col("position_status"))
        .when(from_chunk)
        .then(pl.col("chunk_status"))
        .otherwise(pl.lit(Status.NOT_SENT, dtype=pl.Enum(STATUSES)))
    )
    reason = (
        pl.when(planned)
        .then(pl.col("reason"))
        .when(from_position)
        .then(pl.col("position_reason"))
        .when(accepted & pl.col("message_id").is_null())
        .then(pl.lit("message_id_unmatched"))
        .when(accepted)
        .then(None)
        .when(from_chunk)
        .then(pl.col("chunk_reason"))
        .otherwise(pl.lit(not_sent_reason))
    )
    joined = plan.join(answers.chunks.lazy(), on="chunk", how="left", maintain_order="left").join(
        answers.positions.lazy(), on=["chunk", "position"], how="left", maintain_order="left"
    )
    made = {
        "campaign": pl.lit(campaign),
        "status": status,
        "reason": reason,
        "segments": pl.lit(None, dtype=pl.UInt16),
    }
    return joined.select(made.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in RESULTS_SCHEMA.items())


def write_results(
    plan: FrozenPlan, results: Callable[[pl.LazyFrame, range], pl.LazyFrame], scratch: Path
) -> tuple[Path, dict[str, int]]:
    """Write the parquet to a local file; return it and the rows by status (all statuses, also those with none).

    `results` makes the results of some rows of the plan, in which the chunks of the range stand. It is called for one
    block of rows after the other, so that the memory does not grow with the list.
    """
    parts: list[Path] = []
    for number, (rows, chunks) in enumerate(plan.blocks()):
        parts.append(scratch / f"results-{number:06d}.parquet")
        results(rows, chunks).sink_parquet(parts[-1], compression="zstd", engine="streaming")
    path = scratch / RESULTS_KEY
    pl.scan_parquet(parts, glob=False).sink_parquet(path, compression="zstd", engine="streaming")
    for part in parts:
        part.unlink()
    counted = pl.scan_parquet(path, glob=False).group_by(pl.col("status").cast(pl.String)).len().collect()
    found = dict(counted.iter_rows())
    return path, {status: int(found.get(status, 0)) for status in STATUSES}
