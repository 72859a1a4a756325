"""Receipts that don't name their call settle unknown rows only where nothing else explains them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.delivery.receipts_without_task import (
    OPEN_ROWS,
    OTHERS,
    FindOthers,
    WithoutTask,
    no_others,
    settle_without_task,
)
from globe_sms.tasks.delivery.reconcile import reconcile
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.delivery.delivered_rows import results_of, row

CLAIMED = datetime(2026, 11, 24, 9, tzinfo=UTC)
NUMBER = "+6581000001"


def claim(store: LocalStore, *, submission: int = 0, at: datetime = CLAIMED) -> None:
    """Claim chunk 3."""
    body = {"chunk": 3, "submission": submission, "run": "r", "host": "h", "turn": 1.0, "fingerprint": "f"}
    store.put_if_absent(f"claims/000003-{submission}", json.dumps({**body, "claimed_at": at.timestamp()}).encode())


def state(message_id: str = "m", **fields: Any) -> dict[str, Any]:
    """A receipt of the number, a minute after the claim."""
    return {
        **dict.fromkeys(STATE_SCHEMA),
        "message_id": message_id,
        "phone_number": NUMBER,
        "delivery": "delivered",
        "submitted_at": CLAIMED + timedelta(minutes=1),
        "parts": 2,
        "origin": "receipt",
        "seen_at": CLAIMED,
        **fields,
    }


def others(*rows: tuple[str, str | None, datetime | None]) -> FindOthers:
    """What campaign `autumn` presented: number, message id, time."""
    found = pl.DataFrame([(*each, "autumn") for each in rows], schema=OTHERS, orient="row")
    return lambda _candidates, _since: found


def settle(store: LocalStore, *states: dict[str, Any], find_others: FindOthers = no_others) -> WithoutTask:
    """Settle the one unknown row."""
    rows = pl.DataFrame([(NUMBER, 3, 2)], schema=OPEN_ROWS, orient="row")
    candidates = pl.DataFrame(states, schema=STATE_SCHEMA)
    return settle_without_task(candidates, rows, store=store, campaign="spring", find_others=find_others)


def test_the_only_message_that_fits_settles_the_row_and_gets_its_task_id(local_store: LocalStore) -> None:
    """Also if other campaigns texted the number: their messages are known, or left at another time."""
    claim(local_store)
    find_others = others(
        (NUMBER, "their own", CLAIMED), (NUMBER, None, CLAIMED - timedelta(days=1)), ("+6581000009", "theirs", CLAIMED)
    )
    found = settle(local_store, state(), state("theirs"), find_others=find_others)
    assert found.states.select("message_id", "task_id").rows() == [("m", "spring-3-1")]
    assert not found.doubts


@pytest.mark.parametrize(
    ("states", "find_others", "said"),
    [
        ([state(submitted_at=CLAIMED - timedelta(hours=1))], no_others, "another time"),
        ([state(submitted_at=CLAIMED + timedelta(hours=5))], no_others, "another time"),
        ([state(submitted_at=None)], no_others, "another time"),
        ([state(parts=1)], no_others, "another number of parts"),
        ([state(), state("n")], no_others, "several messages"),
        ([state()], others((NUMBER, None, CLAIMED)), "campaign autumn may have sent it"),
        ([state()], others((NUMBER, None, None)), "campaign autumn may have sent it"),
    ],
)
def test_whatever_else_may_explain_a_message_leaves_the_row_unknown(
    local_store: LocalStore, states: list[dict[str, Any]], find_others: FindOthers, said: str
) -> None:
    """Time, parts, another message, another campaign whose own message isn't known."""
    claim(local_store)
    found = settle(local_store, *states, find_others=find_others)
    assert found.states.is_empty()
    assert [said in each for each in found.doubts.values()] == [True] * len(states)


def test_a_row_that_was_presented_twice_is_left_alone_unless_one_was_refused(local_store: LocalStore) -> None:
    """Nobody knows which of the two calls the message comes from."""
    claim(local_store)
    claim(local_store, submission=1, at=CLAIMED + timedelta(minutes=1))
    assert settle(local_store, state()).states.is_empty()
    refused = SendRecord(3, 0, "r", Settlement.STOPPED, None, None, None, None, None, "f")
    local_store.put_if_absent(refused.key, refused.encode())
    assert settle(local_store, state()).states["task_id"].to_list() == ["spring-3-101"]


def test_without_a_look_at_other_campaigns_nothing_is_settled(local_store: LocalStore) -> None:
    """And the reason is said."""
    claim(local_store)

    def unreadable(_candidates: pl.DataFrame, _since: datetime) -> pl.DataFrame:
        raise InputError("autumn/campaign.json is damaged")

    found = settle(local_store, state(), find_others=unreadable)
    assert found.states.is_empty()
    assert "damaged" in found.doubts["m"]


@pytest.fixture
def reconciled(tmp_path: Path) -> Callable[[FindOthers], Any]:
    """Reads the receipt of an unknown row without a TaskId."""
    store = LocalStore(tmp_path / "spring")
    claim(store)
    unknown = {"status": "unknown", "phone_number": NUMBER, "chunk": 3, "segments": 1, "sent_at": CLAIMED}
    results_of([row(None, **unknown)]).collect().write_parquet(tmp_path / "r.parquet")
    store.put_file("results.parquet", tmp_path / "r.parquet")
    receipt = {"to": NUMBER[1:], "status": "1", "message_id": "m", "send_date": "2026-11-24 17:01:00"}
    (tmp_path / "receipts.json").write_text(json.dumps(receipt))

    def no_s3() -> S3Access:
        raise AssertionError

    def read(find_others: FindOthers) -> Any:
        return reconcile(
            store,
            DeliveryArchive(store, tmp_path),
            [str(tmp_path / "receipts.json")],
            campaign="spring",
            s3=no_s3,
            scratch=tmp_path,
            find_others=find_others,
            clock=lambda: CLAIMED + timedelta(days=9),
        )

    return read


def test_a_settled_row_is_accepted_and_its_receipt_is_read_once(reconciled: Callable[[FindOthers], Any]) -> None:
    """Its call was taken: a resend leaves it alone."""
    found = reconciled(no_others)
    assert (found.settled, found.reading.without_task, found.silent) == (1, 1, ())
    assert "1 receipt without a TaskId fit just one unknown row each" in "\n".join(found.sentences())
    assert reconciled(no_others).reading.already_read == 1


def test_a_doubt_is_said_without_the_number_and_looked_at_again(reconciled: Callable[[FindOthers], Any]) -> None:
    """Once the other campaign's message is known, the row is settled."""
    found = reconciled(others((NUMBER, None, CLAIMED)))
    said = "\n".join(found.sentences())
    assert (found.settled, found.as_json()["receipts"]["in_doubt"]) == (0, 1)
    assert "campaign autumn may have sent it" in said
    assert NUMBER[1:] not in said
    assert reconciled(others((NUMBER, "theirs", CLAIMED))).settled == 1
