"""Which delivery receipts can be of this campaign's calls, and which name numbers that its rows do not have.

A TaskId names campaign, chunk and attempt. Another campaign of the same id, under another results place, has the same
TaskIds; what tells its receipts apart is the time at which their messages were sent.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import polars as pl

from tasks.delivery.archive import chunk_of_task
from tasks.ledger import first_claims
from tasks.masking import mask
from tasks.store import Store

# The gateway refuses what was signed by a clock that differs from its own by more (InvalidTimeStamp.Expired), so no
# message of a call has a SendDate that is earlier than the claim by more.
_CLOCKS_DIFFER: Final = timedelta(minutes=15)
_SENT: Final = pl.coalesce("submitted_at", "delivered_at")


def too_old(states: pl.LazyFrame, own_ids: pl.LazyFrame, store: Store, campaign: str) -> pl.DataFrame:
    """Return the states, by `message_id`, whose message was sent before the chunk that they name was claimed first.

    They are another campaign's. States without a date, and of chunks without a claim, are not among them; nor is any
    with a message id of the campaign's own. One GetObject for each chunk that is named by others.

    Args:
        states: of `STATE_SCHEMA`, each message once.
        own_ids: one column, `message_id`: what the gateway answered to the campaign itself.
        store: the campaign's folder.
        campaign: its id.

    Raises:
        StoreError: the store did not answer, or refused.
    """
    others = (
        states.select("message_id", chunk=chunk_of_task(campaign), sent=_SENT)
        .drop_nulls()
        .join(own_ids, on="message_id", how="anti")
        .collect(engine="streaming")
    )
    claims = pl.DataFrame(
        list(first_claims(store, others["chunk"].unique()).items()),
        schema={"chunk": pl.UInt32, "claimed_at": pl.Float64},
        orient="row",
    ).with_columns(claimed_at=pl.from_epoch(pl.col("claimed_at") * 1e6, "us").dt.replace_time_zone("UTC"))
    return (
        others.join(claims, on="chunk")
        .filter(pl.col("sent") < pl.col("claimed_at") - _CLOCKS_DIFFER)
        .select("message_id")
    )


def only_own(states: pl.LazyFrame, own_ids: pl.LazyFrame, store: Store, campaign: str) -> pl.LazyFrame:
    """Return the states without those that are `too_old`."""
    others = too_old(states, own_ids, store, campaign)
    if others.is_empty():
        return states
    return states.join(others.lazy(), on="message_id", how="anti", maintain_order="left")


@dataclass(frozen=True, slots=True)
class OtherNumbers:
    """Rows whose message id came back with another number; `row` is one of them, the numbers are masked."""

    rows: int
    row: int
    phone_number: str
    other: str

    def sentence(self) -> str:
        """Say it to a person."""
        return (
            f"{self.rows:,} message ids came back with another number than the gateway's answer gave them to (row "
            f"{self.row}: sent to {self.phone_number}, said to be {self.other}): these rows are left as they were, and "
            "what became of their messages is not known"
        )


def other_numbers(results: pl.LazyFrame, states: pl.LazyFrame) -> OtherNumbers | None:
    """Find the rows whose message id a state gives to another number, after all that could be was put right.

    Args:
        results: as `tasks.delivery.applying.apply_states` returns them.
        states: of `STATE_SCHEMA`, each message once.
    """
    found = (
        results.filter(pl.col("message_id").is_not_null())
        .select("message_id", "row", "phone_number")
        .join(states.select("message_id", other="phone_number"), on="message_id")
        .filter(pl.col("phone_number") != pl.col("other"))
        .select(pl.len().alias("rows"), pl.col("row", "phone_number", "other").sort_by("row").first())
        .collect(engine="streaming")
    )
    rows, row, phone_number, other = found.row(0)
    return OtherNumbers(rows, row, mask(phone_number), mask(other)) if rows else None
