"""Delivery states written into the results."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.delivery.apply_states import apply_states
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _row(row: int, status: str, **fields: Any) -> dict[str, Any]:
    blank = dict.fromkeys(RESULTS_SCHEMA)
    number = f"+658000{row:04}"
    return {
        **blank,
        "campaign": "spring",
        "source": "a",
        "row": row,
        "phone_number": number,
        "status": status,
        **fields,
    }


def _state(row: int, message_id: str, delivery: str = "delivered", **fields: Any) -> dict[str, Any]:
    blank = dict.fromkeys(STATE_SCHEMA)
    return {
        **blank,
        "message_id": message_id,
        "phone_number": f"+658000{row:04}",
        "delivery": delivery,
        "origin": "receipt",
        "seen_at": _NOW,
        **fields,
    }


def _applied(rows: list[dict[str, Any]], states: list[dict[str, Any]]) -> pl.DataFrame:
    results = pl.LazyFrame(rows, schema=RESULTS_SCHEMA)
    return apply_states(results, pl.LazyFrame(states, schema=STATE_SCHEMA), "spring").collect()


def test_an_accepted_row_is_matched_by_its_message_id() -> None:
    """It gets delivery, code and time; an accepted row without a state is pending."""
    found = _applied(
        [_row(0, "accepted", chunk=0, message_id="11"), _row(1, "accepted", chunk=0, message_id="12")],
        [_state(0, "11", "undelivered", delivery_code="EXPIRED", delivered_at=_NOW)],
    )
    assert found.select("status", "delivery", "delivery_code", "delivered_at", "settled_by").rows() == [
        ("accepted", "undelivered", "EXPIRED", _NOW, None),
        ("accepted", "pending", None, None, None),
    ]


def test_ids_that_were_paired_in_the_wrong_order_are_put_right() -> None:
    """The order of ids in an answer isn't documented; the receipt names the number of each."""
    rows = [
        _row(0, "accepted", chunk=3, message_id="11"),
        _row(1, "accepted", chunk=3, message_id="12"),
        _row(2, "accepted", chunk=3, message_id="13"),
    ]
    states = [
        _state(1, "11", "undelivered", task_id="spring-3-1"),
        _state(0, "12", task_id="spring-3-1"),
        _state(9, "13", task_id="spring-3-1"),
    ]
    found = _applied(rows, states)
    assert found.select("message_id", "delivery").rows() == [
        ("12", "delivered"),
        ("11", "undelivered"),
        ("13", "pending"),
    ]
    again = _applied(found.to_dicts(), states)
    assert again.equals(found)


def test_evidence_settles_an_unknown_row_and_no_other() -> None:
    """The TaskId names the chunk, the receipt the number: that row was accepted, its neighbour stays unknown."""
    found = _applied(
        [_row(0, "unknown", chunk=3, reason="no_reply"), _row(1, "unknown", chunk=3, reason="no_reply")],
        [_state(0, "11", "undelivered", task_id="spring-3-1")],
    )
    assert found.select("status", "reason", "message_id", "delivery", "settled_by").rows() == [
        ("accepted", None, "11", "undelivered", "receipt"),
        ("unknown", "no_reply", None, None, None),
    ]


@pytest.mark.parametrize("task_id", [None, "67890", "spring-2-1", "other-3-1", "my-spring-3-1", "spring-3-1-1"])
def test_a_receipt_of_something_else_settles_nothing(task_id: str | None) -> None:
    """Another campaign may have texted the same number: only this chunk's TaskId counts."""
    found = _applied([_row(0, "unknown", chunk=3, reason="no_reply")], [_state(0, "11", task_id=task_id)])
    assert found.select("status", "delivery", "settled_by").rows() == [("unknown", None, None)]


def test_an_id_that_could_not_be_paired_is_paired() -> None:
    """The row was already accepted, so the receipt settled nothing."""
    found = _applied(
        [_row(0, "accepted", chunk=3, reason="message_id_unmatched")], [_state(0, "11", task_id="spring-3-101")]
    )
    assert found.select("status", "reason", "message_id", "delivery", "settled_by").rows() == [
        ("accepted", None, "11", "delivered", None)
    ]


def test_a_failed_row_stays_failed() -> None:
    """The gateway definitely refused it; its delivery state is added all the same."""
    found = _applied([_row(0, "failed", chunk=3, reason="failed_list")], [_state(0, "11", task_id="spring-3-1")])
    assert found.select("status", "reason", "message_id", "delivery").rows() == [
        ("failed", "failed_list", None, "delivered")
    ]


_STATUSES = st.sampled_from(["accepted", "unknown", "failed", "not_sent", "invalid", "duplicate"])


@given(
    st.lists(st.tuples(_STATUSES, st.integers(0, 2), st.booleans()), max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 14), st.integers(0, 2), st.booleans()), max_size=12),
)
def test_every_row_stays_once_in_order_and_applying_again_changes_nothing(
    rows: list[tuple[str, int, bool]], known: list[tuple[int, int, int, bool]]
) -> None:
    """For any states: rows, numbers and chunks stay, accepted rows stay accepted, and it is idempotent."""
    results = [
        _row(place, status, chunk=chunk, message_id=f"{place}" if has_id and status == "accepted" else None)
        for place, (status, chunk, has_id) in enumerate(rows)
    ]
    states = list(
        {
            message: _state(
                row,
                f"{message}",
                "delivered" if is_final else "pending",
                task_id=f"spring-{chunk}-1",
                seen_at=_NOW + timedelta(seconds=message),
            )
            for row, message, chunk, is_final in known
        }.values()
    )
    once = _applied(results, states)
    assert once.select("row", "phone_number", "chunk").rows() == [
        (row["row"], row["phone_number"], row["chunk"]) for row in results
    ]
    for before, after in zip(results, once["status"], strict=True):
        assert after == before["status"] or (before["status"] in {"unknown", "not_sent"} and after == "accepted")
    assert _applied(once.to_dicts(), states).equals(once)
