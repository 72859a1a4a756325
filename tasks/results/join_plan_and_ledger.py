"""The results: the plan and the ledger, joined into one row for every input row."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from globe_sms.tasks.campaign.ledger import History, SendRecord
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY, RESULTS_SCHEMA
from globe_sms.tasks.campaign.settlement import MEANINGS
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import PRESENTED, STATUSES, Status

_OF_DELIVERY = ("delivery", "delivery_code", "delivered_at", "settled_by")  # null here: see `tasks.delivery`
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
_FATE_COLUMNS = ("chunk", "position", "position_status", "position_reason")
_MOST_ATTEMPTS = 255


@dataclass(frozen=True, slots=True)
class Answers:
    """What the ledger says, as two frames: one row a chunk, and one row for each number that has its own fate."""

    chunks: pl.DataFrame
    positions: pl.DataFrame


def gather(
    histories: Mapping[int, History],
    send_records: Iterable[SendRecord],
    *,
    unanswered: str = "interrupted",
    quiet: Iterable[int] = (),
) -> Answers:
    """Fold the ledger into frames. A chunk with a claim and no send record is unknown, for the reason `unanswered`.

    `quiet` are chunks whose hours had not come: those that were never claimed are not sent for that reason.
    """
    chunks: dict[int, dict[str, object]] = {
        index: {
            "chunk": index,
            "chunk_status": Status.UNKNOWN,
            "chunk_reason": unanswered,
            "attempts": history.next,
            "doubtful": False,
        }
        for index, history in histories.items()
    }
    for index in quiet:
        chunks.setdefault(
            index,
            {"chunk": index, "chunk_status": Status.NOT_SENT, "chunk_reason": RowReason.QUIET_HOURS, "doubtful": False},
        )
    ids, fates = _Ids(), list[tuple[int, int, Status, str]]()
    for record in send_records:
        history = histories[record.chunk]
        status, reason = MEANINGS[record.settlement].status, record.reason
        if history.doubtful and status is not Status.ACCEPTED:
            # An earlier submission may have been taken: what this one says does not make it undone.
            status, reason = Status.UNKNOWN, "no_reply"
        chunks[record.chunk] = {
            "chunk": record.chunk,
            "chunk_status": status,
            "chunk_reason": reason,
            "request_id": record.request_id,
            "response_code": record.code,
            "response_description": record.description,
            "attempts": min(_MOST_ATTEMPTS, max(1, len(record.attempts)) + history.next - 1),
            "sent_at": None if record.sent_at is None else datetime.fromtimestamp(record.sent_at, UTC),
            "doubtful": history.doubtful,
        }
        at = record.chunk
        ids.add(at, record.message_ids)
        fate, why = (Status.UNKNOWN, "no_reply") if history.doubtful else (Status.FAILED, "failed_list")
        fates.extend((at, place, fate, why) for place in record.failed)
        fates.extend((at, place, Status.UNKNOWN, "failed_list_unmatched") for place in record.unclear)
    return Answers(
        pl.DataFrame(list(chunks.values()), schema=_CHUNK_SCHEMA),
        pl.concat(
            [
                ids.frame(),
                pl.DataFrame(fates, schema={name: _POSITION_SCHEMA[name] for name in _FATE_COLUMNS}, orient="row"),
            ],
            how="diagonal",
        ).select(list(_POSITION_SCHEMA)),
    )


class _Ids:
    """Message ids as columns: a row at a time would take longer than all the rest of the results."""

    def __init__(self) -> None:
        self._chunks: list[int] = []
        self._sizes: list[int] = []
        self._positions: list[int] = []
        self._ids: list[str] = []

    def add(self, chunk: int, message_ids: Mapping[int, str]) -> None:
        if not message_ids:
            return  # an empty list would explode into a row
        self._chunks.append(chunk)
        self._sizes.append(len(message_ids))
        self._positions.extend(message_ids.keys())
        self._ids.extend(message_ids.values())

    def frame(self) -> pl.DataFrame:
        chunks = pl.DataFrame(
            {"chunk": self._chunks, "size": self._sizes}, schema={"chunk": pl.UInt32, "size": pl.UInt32}
        )
        return pl.DataFrame(
            {
                "chunk": chunks.select(pl.col("chunk").repeat_by("size").explode()).to_series(),
                "position": pl.Series(self._positions, dtype=pl.UInt16),
                "message_id": pl.Series(self._ids, dtype=pl.String),
            }
        )


def make_results(
    plan: pl.LazyFrame,
    answers: Answers,
    campaign: str,
    not_sent_reason: str,
    phonenumbers: str | None = None,
    *,
    segments: int | None = None,
) -> pl.LazyFrame:
    """Join the plan with what the ledger says: `RESULTS_SCHEMA`, every input row once, in input order.

    Sendable rows of a chunk that was never claimed are `not_sent` for `not_sent_reason`. `phonenumbers` is the
    version of the metadata that the plan was validated by, noted beside each `not_valid_for_region`. `segments` is
    how many parts the text has that all numbers get; None where the plan has a column of them.
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
    unlisted = (pl.col("status") == Status.INVALID) & (pl.col("reason") == RowReason.NOT_VALID_FOR_REGION)
    joined = plan.join(answers.chunks.lazy(), on="chunk", how="left", maintain_order="left").join(
        answers.positions.lazy(), on=["chunk", "position"], how="left", maintain_order="left"
    )
    made = {
        "campaign": pl.lit(campaign),
        "status": status,
        "reason": reason,
        "segments": pl.col("segments")
        if "segments" in plan.collect_schema()
        else pl.when(~planned).then(pl.lit(segments)),
        "metadata": pl.when(unlisted).then(pl.lit(phonenumbers and f"phonenumbers {phonenumbers}")),
        **dict.fromkeys(_OF_DELIVERY, pl.lit(None)),
    }
    return joined.select(made.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in RESULTS_SCHEMA.items())


def write_results(
    plan: FrozenPlan, results: Callable[[pl.LazyFrame, range], pl.LazyFrame], scratch: Path
) -> tuple[Path, dict[str, int]]:
    """Write the parquet to a local file; return it and the rows by status (all statuses, also those with none).

    `results` makes the results of some rows of the plan, in which the chunks of the range stand. It is called for one
    block of rows after the other, while the one before is written, so that the memory does not grow with the list.
    """
    path = scratch / RESULTS_KEY

    def blocks(
        columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for rows, chunks in plan.blocks():
            block = results(rows, chunks).collect(engine="streaming")
            yield block if columns is None else block.select(columns)

    register_io_source(blocks, schema=RESULTS_SCHEMA).sink_parquet(path, compression="zstd", engine="streaming")
    counted = pl.scan_parquet(path, glob=False).group_by(pl.col("status").cast(pl.String)).len().collect()
    found = dict(counted.iter_rows())
    return path, {status: int(found.get(status, 0)) for status in STATUSES}


def presented_rows(results: Path) -> pl.LazyFrame:
    """Return the rows that were presented to the gateway: a part costs money also where it fails."""
    return pl.scan_parquet(results, glob=False).filter(pl.col("status").cast(pl.String).is_in(PRESENTED))
