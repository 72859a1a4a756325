"""Adds what is known about messages to the results: deliveries, settled unknown rows, matched message ids."""

from typing import Final

import polars as pl

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA, pack_kept
from globe_sms.tasks.campaign.task_ids import chunk_of_task
from globe_sms.tasks.delivery.delivery_states import Origin
from globe_sms.tasks.vocabulary.statuses import DELIVERIES, STATUSES, Delivery, Status

_FOUND: Final = ("message_id", "delivery", "delivery_code", "delivered_at")
# These become accepted once a message proves it. Rows that a resend left out are suppressed, too.
_SETTLED: Final = (Status.UNKNOWN.value, Status.NOT_SENT.value, Status.SUPPRESSED.value)


def apply_states(results: pl.LazyFrame, states: pl.LazyFrame, campaign: str) -> pl.LazyFrame:
    """Return the results with what the states say: the same columns, every row of `results` once, in its order.

    Rows with a message id are matched by it. Rows without one (unknown, or `message_id_unmatched`) are matched by their
    number and the chunk in the TaskId. A match proves that the gateway accepted the row, so it becomes accepted, gets
    the message id and, if it wasn't accepted before, `settled_by` receipt. A row is also matched this way if a state
    gives its message id to another number, because the order of ids in an answer isn't documented. A failed row stays
    failed. Accepted rows without a final state are pending. Applying the same states again changes nothing.

    Args:
        results: with `RESULTS_SCHEMA`, and perhaps columns of the lists.
        states: with `STATE_SCHEMA`, each message once.
        campaign: the id of the campaign whose results they are.
    """
    by_id = states.select("message_id", *(pl.col(name).alias(f"id_{name}") for name in (*_FOUND[1:], "phone_number")))
    by_row = (
        states.with_columns(chunk=chunk_of_task(campaign))
        .filter(pl.col("chunk").is_not_null())
        .sort(pl.col("delivery") == Delivery.PENDING, "seen_at", maintain_order=True)
        .unique(["chunk", "phone_number"], keep="first", maintain_order=True)
        .select("chunk", "phone_number", *(pl.col(name).alias(f"row_{name}") for name in _FOUND))
    )
    results, kept = pack_kept(results)
    joined = results.join(by_id, on="message_id", how="left", maintain_order="left").join(
        by_row, on=["chunk", "phone_number"], how="left", maintain_order="left"
    )
    status = pl.col("status").cast(pl.String)
    # A duplicate has the number but no chunk, so only the row that was sent can match.
    another = (pl.col("id_phone_number") != pl.col("phone_number")).fill_null(value=False)
    matched = (pl.col("message_id").is_null() | another) & pl.col("row_message_id").is_not_null()
    settles = matched & status.is_in(_SETTLED)
    pairs = matched & (status == Status.ACCEPTED)
    accepted = settles | (status == Status.ACCEPTED)

    def known(name: str) -> pl.Expr:
        return pl.when(matched).then(pl.col(f"row_{name}")).when(~another).then(pl.col(f"id_{name}"))

    enum = pl.Enum(STATUSES)
    delivery = pl.coalesce(known("delivery").cast(pl.String), pl.when(accepted).then(pl.lit(Delivery.PENDING)))
    made = {
        "status": pl.when(settles).then(pl.lit(Status.ACCEPTED, dtype=enum)).otherwise(pl.col("status")),
        "reason": pl.when(settles | pairs).then(None).otherwise(pl.col("reason")),
        "message_id": pl.when(settles | pairs).then(pl.col("row_message_id")).otherwise(pl.col("message_id")),
        "delivery": delivery.cast(pl.Enum(DELIVERIES)),
        "delivery_code": known("delivery_code"),
        "delivered_at": known("delivered_at"),
        "settled_by": pl.when(settles).then(pl.lit(Origin.RECEIPT.value)).otherwise(pl.col("settled_by")),
    }
    applied = [made.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in RESULTS_SCHEMA.items()]
    return joined.select(*applied, *kept).unnest(*kept)
