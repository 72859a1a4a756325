"""Receipts settle rows wherever results are made; message ids that come back with other numbers are reported."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.delivery.reconcile import Reconciled, reconcile
from globe_sms.tasks.delivery.rewrite_results import rewrite_results
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.results.results_of_chunks import account_for, account_for_chunks
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from tests.unit.inquiry.kept_campaigns import BEGAN, KeptCampaign

NUMBERS = [f"+658123456{digit}" for digit in range(6)]
CLAIMED = datetime.fromtimestamp(BEGAN, UTC)
HOUR = timedelta(hours=1)


def no_s3() -> S3Access:
    raise AssertionError


def learn(kept: KeptCampaign, number: str, message_id: str, task_id: str | None, **fields: Any) -> None:
    """Put one state into the archive."""
    state = dict.fromkeys(STATE_SCHEMA) | {
        "message_id": message_id,
        "phone_number": number,
        "task_id": task_id,
        "delivery": "delivered",
        "origin": "receipt",
        "seen_at": CLAIMED + HOUR,
        **fields,
    }
    DeliveryArchive(kept.store, kept.scratch).append(pl.DataFrame([state], schema=STATE_SCHEMA))


def results_each_way(kept: KeptCampaign, place: LocalStore, folder: Path) -> tuple[list[pl.DataFrame], Reconciled]:
    """Make the results as a run, a canary and a tracking do; also return what the receipts settle."""
    scratches = [folder / f"scratch-{number}" for number in range(4)]
    for scratch in scratches:
        scratch.mkdir()
    path, _ = account_for(
        kept.plan, kept.ledger, kept.store, scratches[0], campaign="camp", not_sent="stopped", segments=1
    )
    chunks = range(kept.plan.chunk_count())
    validated = account_for_chunks(kept.plan, kept.ledger, kept.store, scratches[1], campaign="camp", chunks=chunks)
    kept.end()
    archive = DeliveryArchive(kept.store, scratches[2])
    settled = reconcile(kept.store, archive, [], campaign="camp", s3=no_s3, scratch=scratches[2])
    rewritten = rewrite_results(place, "camp", scratches[3])
    return [pl.read_parquet(path), validated.collect(), pl.read_parquet(rewritten.path)], settled


@pytest.fixture
def kept(local_store: LocalStore, tmp_path: Path) -> KeptCampaign:
    """Three chunks: the first got no answer, the second was accepted, and the third has unmatched ids."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path)
    kept.claim(0)
    kept.answer(0, Settlement.UNKNOWN, reason="no_reply")
    kept.accept(1)
    kept.claim(2)
    kept.answer(2, Settlement.ACCEPTED, code="OK", ids_unmatched=True)
    kept.write_results()
    return kept


@pytest.mark.parametrize("dates", [{}, {"submitted_at": CLAIMED}, {"submitted_at": CLAIMED - 1000 * HOUR}])
def test_a_receipt_settles_its_row_wherever_results_are_made_and_whatever_its_dates_are(
    kept: KeptCampaign, local_store: LocalStore, tmp_path: Path, dates: dict[str, datetime]
) -> None:
    """To, MessageId and TaskId identify the row; a wrong clock must not lead to a second text."""
    learn(kept, NUMBERS[0], "900", "camp-0-1", **dates)
    found, settled = results_each_way(kept, local_store, tmp_path)
    for results in found:
        row = results.row(0, named=True)
        assert (row["status"], row["message_id"]) == ("accepted", "900")
        assert results["status"].to_list()[1:] == ["unknown", *["accepted"] * 4]
    assert settled.settled == 1


def test_a_message_id_that_comes_back_with_another_number_is_reported_and_changes_no_row(
    kept: KeptCampaign, local_store: LocalStore, tmp_path: Path
) -> None:
    """Whether it comes from a receipt or from a query."""
    before = pl.read_parquet(kept.scratch / RESULTS_KEY)
    learn(kept, "+6591112222", "m-1-0", None, origin="query")
    learn(kept, "+6591113333", "m-1-1", "camp-1-1")
    kept.end()
    scratch = tmp_path / "rewriting"
    scratch.mkdir()
    rewritten = rewrite_results(local_store, "camp", scratch)
    after = pl.read_parquet(rewritten.path)
    assert after.drop("delivery").equals(before.drop("delivery"))
    assert after["delivery"].to_list() == [None, None, *["pending"] * 4]
    assert rewritten.other_numbers is not None
    said = rewritten.other_numbers.sentence()
    assert said.startswith("2 message ids")
    assert "row 2 was sent to +65••••4562, its message id came back with +65••••2222" in said
    assert "9111" not in said
    outcome = TrackingOutcome(
        "camp",
        "o",
        rewritten.counts,
        rewritten.deliveries,
        Reconciled(),
        0,
        0,
        1.0,
        other_numbers=rewritten.other_numbers,
    )
    assert said in outcome.sentences()
    assert outcome.summary()["other_numbers"] == 2


def test_ids_that_were_put_right_are_not_reported(kept: KeptCampaign, local_store: LocalStore, tmp_path: Path) -> None:
    """The receipts of both numbers name the chunk, so each row gets the id of its number."""
    learn(kept, NUMBERS[3], "m-1-0", "camp-1-1")
    learn(kept, NUMBERS[2], "m-1-1", "camp-1-1")
    kept.end()
    scratch = tmp_path / "rewriting"
    scratch.mkdir()
    rewritten = rewrite_results(local_store, "camp", scratch)
    assert rewritten.other_numbers is None
    assert pl.read_parquet(rewritten.path)["message_id"].to_list()[2:4] == ["m-1-1", "m-1-0"]
