"""What is known of messages, written into results that are made block by block."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.delivery.apply_states import apply_states
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.store import LocalStore
from tests.unit.inquiry.kept_campaigns import KeptCampaign

NUMBERS = [f"+658123456{digit}" for digit in range(10)]  # chunks of two, blocks of two chunks
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def state(number: str, message_id: str, task_id: str | None = None) -> dict[str, Any]:
    return dict.fromkeys(STATE_SCHEMA) | {
        "message_id": message_id,
        "phone_number": number,
        "task_id": task_id,
        "delivery": "delivered",
        "origin": "receipt",
        "seen_at": NOW,
    }


@pytest.fixture
def kept(local_store: LocalStore, tmp_path: Path) -> KeptCampaign:
    """A campaign of three blocks: accepted, accepted, unknown; unmatched, refused."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path, window=4, hours="09:00-20:00")
    assert len(list(kept.plan.blocks())) == 3
    for chunk in (0, 1):
        kept.accept(chunk)
    kept.claim(2)
    kept.claim(3)
    kept.answer(3, Settlement.ACCEPTED, code="OK", ids_unmatched=True)
    kept.claim(4)
    kept.answer(4, Settlement.REFUSED, reason="X", code="X")
    return kept


def account(kept: KeptCampaign, folder: Path) -> pl.DataFrame:
    folder.mkdir()
    path, counts = account_for(
        kept.plan, kept.ledger, kept.store, folder, campaign="camp", not_sent="stopped", segments=1
    )
    found = pl.read_parquet(path)
    assert {name: rows for name, rows in counts.items() if rows} == dict(found["status"].value_counts().iter_rows())
    return found


def test_every_block_gets_what_is_known_of_its_rows(kept: KeptCampaign, tmp_path: Path) -> None:
    """As if it were written into all rows at once: by message id, by TaskId, and of ids that went to other numbers."""
    before = account(kept, tmp_path / "before")
    states = [
        state(NUMBERS[0], "m-0-0"),
        state(NUMBERS[3], "m-1-0", "camp-1-1"),
        state(NUMBERS[2], "m-1-1", "camp-1-1"),
        state(NUMBERS[4], "other", "camp-2-1"),
        state(NUMBERS[7], "unmatched", "camp-3-1"),
        state(NUMBERS[9], "refused", "camp-4-1"),
        state(NUMBERS[5], "elsewhere", "camp-7-1"),
        state(NUMBERS[5], "foreign", "spring-2-1"),
    ]
    archive = DeliveryArchive(kept.store, kept.scratch)
    for part in (states[:3], states[3:]):
        archive.append(pl.DataFrame(part, schema=STATE_SCHEMA))
    after = account(kept, tmp_path / "after")
    assert_frame_equal(after, apply_states(before.lazy(), archive.scan(), "camp").collect())
    ids = ["m-0-0", "m-0-1", "m-1-1", "m-1-0", "other", None, None, "unmatched", None, None]
    assert after["message_id"].to_list() == ids
    assert after["status"].to_list() == ["accepted"] * 5 + ["unknown"] + ["accepted"] * 2 + ["failed"] * 2


def test_without_anything_learnt_accepted_rows_are_not_called_pending(kept: KeptCampaign, tmp_path: Path) -> None:
    assert account(kept, tmp_path / "results")["delivery"].null_count() == len(NUMBERS)
