"""Which receipts are evidence of a campaign's own calls, and which name numbers that its rows do not have."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.accounting import account_for, account_for_chunks
from tasks.delivery.archive import DeliveryArchive
from tasks.delivery.outcome import TrackingOutcome
from tasks.delivery.rewriting import rewrite_results
from tasks.delivery.settling import Settled, settle
from tasks.delivery.states import STATE_SCHEMA
from tasks.ledger import Settlement
from tasks.results import RESULTS_KEY
from tasks.s3 import S3Access
from tasks.store import LocalStore
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


def results_each_way(kept: KeptCampaign, place: LocalStore, folder: Path) -> tuple[list[pl.DataFrame], Settled]:
    """Make the results as the end of a run, as a canary's judgement and as a tracking does; and what it settles."""
    scratches = [folder / f"scratch-{number}" for number in range(4)]
    for scratch in scratches:
        scratch.mkdir()
    path, _ = account_for(
        kept.plan, kept.ledger, kept.store, scratches[0], campaign="camp", not_sent="stopped", segments=1
    )
    chunks = range(kept.plan.chunk_count())
    judged = account_for_chunks(kept.plan, kept.ledger, kept.store, scratches[1], campaign="camp", chunks=chunks)
    kept.end()
    archive = DeliveryArchive(kept.store, scratches[2])
    settled = settle(kept.store, archive, [], campaign="camp", s3=no_s3, scratch=scratches[2])
    rewritten = rewrite_results(place, "camp", scratches[3])
    return [pl.read_parquet(path), judged.collect(), pl.read_parquet(rewritten.path)], settled


@pytest.fixture
def kept(local_store: LocalStore, tmp_path: Path) -> KeptCampaign:
    """Three chunks: of the first no answer came, the second was accepted, and the ids of the third were not paired."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path)
    kept.claim(0)
    kept.answer(0, Settlement.UNKNOWN, reason="no_reply")
    kept.accept(1)
    kept.claim(2)
    kept.answer(2, Settlement.ACCEPTED, code="OK", ids_unmatched=True)
    kept.write_results()
    return kept


@pytest.mark.parametrize(
    ("dates", "own"),
    [
        ({"submitted_at": CLAIMED - HOUR}, False),
        ({"submitted_at": CLAIMED - HOUR, "delivered_at": CLAIMED + HOUR}, False),
        ({"delivered_at": CLAIMED - HOUR}, False),
        ({"submitted_at": CLAIMED + HOUR, "delivered_at": CLAIMED - HOUR}, True),  # a carrier's clock is anybody's
        ({"submitted_at": CLAIMED - timedelta(minutes=14)}, True),  # clocks may differ by so much
        ({"submitted_at": CLAIMED}, True),
        ({}, True),
    ],
)
def test_a_receipt_that_is_older_than_the_claim_settles_nothing(
    kept: KeptCampaign, local_store: LocalStore, tmp_path: Path, dates: dict[str, datetime], *, own: bool
) -> None:
    """Another campaign of this id, under another results place, has sent it: wherever results are made."""
    learn(kept, NUMBERS[0], "900", "camp-0-1", **dates)
    found, settled = results_each_way(kept, local_store, tmp_path)
    for results in found:
        row = results.row(0, named=True)
        assert (row["status"], row["message_id"]) == (("accepted", "900") if own else ("unknown", None))
        assert results["status"].to_list()[1:] == ["unknown", *["accepted"] * 4]
    assert (settled.settled, settled.not_own) == (int(own), int(not own))
    assert any("another campaign of this id" in said for said in settled.sentences()) is not own


def test_an_older_receipt_pairs_nothing_either(kept: KeptCampaign, local_store: LocalStore, tmp_path: Path) -> None:
    learn(kept, NUMBERS[4], "904", "camp-2-1", submitted_at=CLAIMED - HOUR)
    learn(kept, NUMBERS[5], "905", "camp-2-1", submitted_at=CLAIMED + HOUR)
    found, settled = results_each_way(kept, local_store, tmp_path)
    for results in found:
        assert results["message_id"].to_list()[4:] == [None, "905"]
    assert (settled.paired, settled.not_own) == (1, 1)


def test_a_message_id_of_the_campaign_itself_is_its_own_whatever_the_dates_say(
    kept: KeptCampaign, local_store: LocalStore, tmp_path: Path
) -> None:
    """And a receipt that settled a row before is taken again."""
    learn(kept, NUMBERS[2], "m-1-0", "camp-1-1", submitted_at=CLAIMED - HOUR)
    found, settled = results_each_way(kept, local_store, tmp_path)
    assert all(results["delivery"][2] == "delivered" for results in found)
    assert settled.not_own == 0


def test_a_message_id_that_comes_back_with_another_number_is_reported_and_changes_no_row(
    kept: KeptCampaign, local_store: LocalStore, tmp_path: Path
) -> None:
    """Whether a receipt or an answer to a query says so."""
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
    assert "row 2: sent to +65••••4562, said to be +65••••2222" in said
    assert "9111" not in said
    outcome = TrackingOutcome(
        "camp", "o", rewritten.counts, rewritten.deliveries, Settled(), 0, 0, 1.0, other_numbers=rewritten.other_numbers
    )
    assert said in outcome.sentences()
    assert outcome.summary()["other_numbers"] == 2


def test_ids_that_were_put_right_are_not_reported(kept: KeptCampaign, local_store: LocalStore, tmp_path: Path) -> None:
    """The receipts of both numbers name the chunk: each row has the id that went to its number."""
    learn(kept, NUMBERS[3], "m-1-0", "camp-1-1")
    learn(kept, NUMBERS[2], "m-1-1", "camp-1-1")
    kept.end()
    scratch = tmp_path / "rewriting"
    scratch.mkdir()
    rewritten = rewrite_results(local_store, "camp", scratch)
    assert rewritten.other_numbers is None
    assert pl.read_parquet(rewritten.path)["message_id"].to_list()[2:4] == ["m-1-1", "m-1-0"]
