"""Rows whose message id came back with another number: reported, and left as they are."""

from dataclasses import dataclass

import polars as pl

from globe_sms.tasks.vocabulary.masking import mask


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
        results: as `tasks.delivery.apply_states.apply_states` returns them.
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
