"""Finds the messages without a final state, including ids that were never matched to a number."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Delivery, Status

OPEN_SCHEMA: Final = pl.Schema(
    {
        "message_id": pl.String(),
        "phone_number": pl.String(),  # null if the id couldn't be matched to a number
        "task_id": pl.String(),  # only of those ids: the query returns the number, this gives the chunk
        "sent_at": pl.Datetime("us", "UTC"),
    }
)


def open_messages(results: Path, states: pl.LazyFrame, ledger: Ledger) -> pl.DataFrame:
    """Return the messages to ask about: `OPEN_SCHEMA`, each id once, in the order they were sent.

    Args:
        results: a local copy of results.parquet.
        states: the states in the archive.
        ledger: of the same campaign; only the send records of chunks with unmatched ids are read.
    """
    rows = pl.scan_parquet(results, glob=False)
    status = pl.col("status").cast(pl.String)
    paired = rows.filter(status == Status.ACCEPTED, pl.col("message_id").is_not_null()).select(
        "message_id", "phone_number", pl.lit(None, dtype=pl.String).alias("task_id"), "sent_at"
    )
    # Ids of accepted numbers that couldn't be paired; and of answers that may have been an acceptance.
    unmatched = rows.filter(
        pl.col("message_id").is_null(),
        ((status == Status.ACCEPTED) & (pl.col("reason") == RowReason.MESSAGE_ID_UNMATCHED))
        | ((status == Status.UNKNOWN) & pl.col("request_id").is_not_null()),
    )
    sent = dict(unmatched.group_by("chunk").agg(pl.col("sent_at").first()).collect().iter_rows())
    unpaired = pl.LazyFrame(
        [(message_id, None, task_id, sent[chunk]) for chunk, task_id, message_id in _unpaired(ledger, frozenset(sent))],
        schema=OPEN_SCHEMA,
        orient="row",
    )
    final = states.filter(pl.col("delivery").cast(pl.String) != Delivery.PENDING).select("message_id")
    return (
        pl.concat([unpaired, paired])
        .join(final, on="message_id", how="anti")
        .unique("message_id", keep="first")
        .sort("sent_at", nulls_last=True)
        .collect(engine="streaming")
    )


def _unpaired(ledger: Ledger, chunks: frozenset[int]) -> Iterable[tuple[int, str | None, str]]:
    if not chunks:
        return
    histories = {chunk: history for chunk, history in ledger.histories().items() if chunk in chunks}
    for record in ledger.last_presentations(histories):
        if isinstance(record, SendRecord):
            for message_id in record.unpaired_ids:
                yield record.chunk, _task_of(record), message_id


def _task_of(record: SendRecord) -> str | None:
    return record.attempts[-1].task_id if record.attempts else None
