"""Which messages are asked about."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.campaign.send_record import Attempt, Claim, SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.delivery.open_messages import open_messages
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError

SENT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def row(number: int, **values: Any) -> dict[str, Any]:
    return {"row": number, "phone_number": f"+658123000{number}", "status": "accepted", "sent_at": SENT, **values}


@pytest.fixture
def ledger(local_store: LocalStore, tmp_path: Path) -> Ledger:
    """A ledger whose chunk 3 has two ids that could not be paired."""
    made = Ledger(local_store, Spill(tmp_path / "spill", "place"))
    made.claim(Claim(3, 0, "r", "h", 0.0, 0.0, "f"))
    made.settle(
        SendRecord(
            *(3, 0, "r", Settlement.ACCEPTED, None, "OK", None, None, 1.0, "f"),
            unpaired_ids=("901", "902"),
            ids_unmatched=True,
            attempts=(
                Attempt("c-3-000", 0.0, "throttled", None, None, ""),
                Attempt("c-3-001", 1.0, "accepted", None, None, ""),
            ),
        )
    )
    return made


def test_what_is_accepted_and_not_final_is_asked_about_once(ledger: Ledger, tmp_path: Path) -> None:
    rows = [
        row(0, message_id="100"),
        row(1, message_id="101"),
        row(2, message_id="102"),
        row(3, status="failed", reason="failed_list"),
        row(4, status="unknown", reason="no_reply"),
        row(5, chunk=3, reason="message_id_unmatched"),
        row(6, chunk=3, reason="message_id_unmatched"),
    ]
    path = tmp_path / "results.parquet"
    pl.DataFrame(rows, schema=RESULTS_SCHEMA).write_parquet(path)
    states = pl.LazyFrame(
        [
            {"message_id": "101", "delivery": "delivered"},
            {"message_id": "102", "delivery": "pending"},
            {"message_id": "902", "delivery": "undelivered"},
        ],
        schema=STATE_SCHEMA,
    )
    found = open_messages(path, states, ledger).sort("message_id")
    assert found.select("message_id", "phone_number", "task_id").rows() == [
        ("100", "+6581230000", None),
        ("102", "+6581230002", None),
        ("901", None, "c-3-001"),
    ]
    assert set(found["sent_at"]) == {SENT}


def test_ids_of_an_answer_whose_counts_contradict_each_other_are_asked_about(ledger: Ledger, tmp_path: Path) -> None:
    """Nobody knows whose they are, and the gateway tells; a row without an answer has no ids."""
    ledger.claim(Claim(4, 0, "r", "h", 0.0, 0.0, "f"))
    ledger.settle(
        SendRecord(
            *(4, 0, "r", Settlement.UNKNOWN, "contradictory_answer", "OK", None, "R", 1.0, "f"), unpaired_ids=("904",)
        )
    )
    rows = [
        row(0, chunk=4, status="unknown", reason="contradictory_answer", request_id="R"),
        row(1, chunk=5, status="unknown", reason="no_reply"),
    ]
    path = tmp_path / "results.parquet"
    pl.DataFrame(rows, schema=RESULTS_SCHEMA).write_parquet(path)
    found = open_messages(path, pl.LazyFrame(schema=STATE_SCHEMA), ledger)
    assert found.select("message_id", "phone_number").rows() == [("904", None)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"wait": "31d"}, "--wait: .*longer than 30 days"),
        ({"campaign": "../x"}, "--campaign"),
        ({"queries_per_second": 0}, "--queries-per-second"),
    ],
)
def test_a_bad_option_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TrackingConfig.checked(**{"campaign": "c", "results": "./out", **change})
