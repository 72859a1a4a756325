"""Results of accepted rows, as tracking leaves them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA

SENT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def row(delivery: str | None, seconds: float | None = None, **fields: Any) -> dict[str, Any]:
    """An accepted row; `seconds` is how long after the sending the end came."""
    sent = fields.get("sent_at", SENT) or SENT
    ended = None if seconds is None else sent + timedelta(seconds=seconds)
    given = {"status": "accepted", "region": "SG", "sent_at": SENT, "delivery": delivery, "delivered_at": ended}
    return dict.fromkeys(RESULTS_SCHEMA) | given | fields


def results_of(rows: Iterable[dict[str, Any]]) -> pl.LazyFrame:
    """Results that hold these rows."""
    return pl.DataFrame([*rows], schema=RESULTS_SCHEMA).lazy()
