"""Finds rows whose message id came back with a different number; they are reported and left unchanged."""

from dataclasses import dataclass

import polars as pl

from globe_sms.tasks.vocabulary.masking import mask
from globe_sms.tasks.vocabulary.plurals import counted


@dataclass(frozen=True, slots=True)
class OtherNumbers:
    """Rows whose message id came back with a different number; `row` is one of them, the numbers are masked."""

    rows: int
    row: int
    phone_number: str
    other: str

    def sentence(self) -> str:
        """Return the finding and what it means for the rows."""
        return (
            f"{counted(self.rows, 'message id')} came back with a different number (row {self.row} was sent to "
            f"{self.phone_number}, its message id came back with {self.other}): these rows are left unchanged, and it "
            "isn't known what happened to their messages"
        )


def other_numbers(results: pl.LazyFrame, states: pl.LazyFrame) -> OtherNumbers | None:
    """Find the rows whose message id has a different number in a state, after matching what could be matched.

    Args:
        results: as `tasks.delivery.apply_states.apply_states` returns them.
        states: with `STATE_SCHEMA`, each message once.
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
