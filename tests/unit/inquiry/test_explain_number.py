"""Every event of one number in all campaigns."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA, Origin
from globe_sms.tasks.delivery.receipt_bookmarks import Mark, Marks
from globe_sms.tasks.inquiry.explain_number import Explanation, explain
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.statuses import Delivery
from tests.unit.inquiry.kept_campaigns import BEGAN, KeptCampaign

ASKED = "+6581234569"
NUMBERS = ("+6581234567", "+6581234568", ASKED, "+6581234570", "+65 8123 4569", "not at home")
LATER = datetime.fromtimestamp(BEGAN, UTC) + timedelta(days=1)


def explained(store: Store, text: str = ASKED, **options: Any) -> Explanation:
    return explain(store, text, S3Access.from_environment, **options)


def kinds(found: Explanation) -> list[str]:
    return [event.kind.value for event in found.events]


@pytest.fixture
def kept(store: Store, tmp_path: Path) -> KeptCampaign:
    return KeptCampaign(store, "camp", NUMBERS, tmp_path)


def learn(kept: KeptCampaign, **state: Any) -> None:
    """Archive a state of a message."""
    given = dict.fromkeys(STATE_SCHEMA) | {
        "phone_number": ASKED,
        "message_id": "m-1-0",
        "delivery": Delivery.DELIVERED.value,
        "delivery_code": "DELIVERED",
        "delivered_at": LATER,
        "origin": Origin.RECEIPT.value,
        "seen_at": LATER + timedelta(minutes=1),
    }
    DeliveryArchive(kept.store, kept.scratch).append(pl.DataFrame([given | state], schema=STATE_SCHEMA))


def test_an_accepted_and_delivered_number_is_told_from_plan_to_delivery(store: Store, kept: KeptCampaign) -> None:
    """With request id, message id, code and times; its second row is a duplicate of the first."""
    kept.accept(0)
    kept.accept(1)
    kept.end()
    learn(kept)
    found = explained(store)
    assert sorted(kinds(found)) == sorted(["planned", "planned", "claimed", "called", "accepted", "delivered"])
    by_kind = {event.kind.value: event.as_json() for event in found.events}
    assert by_kind["called"]["request_id"] == "R-1-0"
    assert by_kind["called"]["task_id"] == "camp-1-1"
    assert by_kind["accepted"]["message_id"] == "m-1-0"
    assert by_kind["delivered"]["code"] == "DELIVERED"
    assert by_kind["delivered"]["at"] == LATER.isoformat()
    assert [event.facts["verdict"] for event in found.events if event.kind.value == "planned"] == [
        "sendable",
        "duplicate",
    ]


def test_the_marks_of_receipts_that_were_read_are_not_taken_for_states(store: Store, kept: KeptCampaign) -> None:
    """They lie in the same folder once a campaign was tracked with receipts."""
    kept.accept(1)
    kept.end()
    learn(kept)
    Marks(kept.store).add({"s3://receipts/a.json": Mark("etag", None)})
    found = explained(store)
    assert (found.unreadable, kinds(found)[-1]) == ([], "delivered")


def test_events_of_all_campaigns_come_in_time_order(local_store: LocalStore, tmp_path: Path) -> None:
    """Whichever campaign they belong to."""
    for name in ("one", "two"):
        kept = KeptCampaign(local_store, name, NUMBERS, tmp_path)
        kept.accept(1, submission=0)
        kept.end()
    found = explained(local_store)
    assert {event.campaign for event in found.events} == {"one", "two"}
    times = [event.at for event in found.events if event.at is not None]
    assert times == sorted(times)
    assert len(times) == len(found.events)


def test_an_unknown_chunk_and_its_resend_are_told(store: Store, kept: KeptCampaign) -> None:
    """The claim without an answer, then the second call and its answer."""
    kept.claim(1)
    kept.accept(1, submission=1)
    kept.end()
    sent = [kind for kind in kinds(explained(store)) if kind != "planned"]
    assert sent == ["claimed", "unknown", "resent", "called", "accepted"]


def test_a_claim_without_an_answer_is_in_the_air_while_its_run_goes_on(store: Store, kept: KeptCampaign) -> None:
    """And unknown when the run has ended."""
    kept.claim(1)
    meanwhile = kinds(explained(store))
    kept.end()
    assert (meanwhile[-1], kinds(explained(store))[-1]) == ("in_the_air", "unknown")


def test_a_delivery_settles_what_was_unknown(store: Store, kept: KeptCampaign) -> None:
    """The receipt's TaskId names the chunk, so the gateway accepted it."""
    kept.claim(1)
    kept.end()
    learn(kept, message_id="m-late", task_id="camp-1-1")
    found = explained(store)
    assert kinds(found)[-2:] == ["delivered", "accepted"]
    assert found.events[-1].facts["settled_by"] == "receipt"


def test_a_number_that_the_gateway_refused_of_a_call_it_took(store: Store, kept: KeptCampaign) -> None:
    """The position in the chunk counts, not the chunk's outcome."""
    kept.claim(1)
    kept.answer(1, Settlement.ACCEPTED, code="OK", failed=(0,), message_ids={1: "m"})
    kept.end()
    assert [kinds(explained(store))[-1], kinds(explained(store, NUMBERS[3]))[-1]] == ["failed", "accepted"]


def test_a_number_of_a_call_that_was_split_has_the_events_of_its_own_half(store: Store, kept: KeptCampaign) -> None:
    """The other half's call isn't its own, and why the first one was refused is told."""
    kept.claim(1)
    kept.answer(1, Settlement.SPLIT, code="MOBILE_NUMBER_ILLEGAL", description="illegal")
    for submission, settlement in ((1, Settlement.REFUSED), (2, Settlement.ACCEPTED)):
        part = {"positions": (submission - 1,)}
        kept.claim(1, submission, **part)
        kept.answer(1, settlement, submission, **part, message_ids={1: "m"} if submission == 2 else {}, reason="X")
    kept.end()
    said = ["claimed", "called", "split", "resent", "called"]
    assert [kind for kind in kinds(explained(store)) if kind != "planned"] == [*said, "failed"]
    assert [kind for kind in kinds(explained(store, NUMBERS[3])) if kind != "planned"] == [*said, "accepted"]
    split = next(event for event in explained(store).events if event.kind == "split")
    assert split.said == "the whole call was refused (MOBILE_NUMBER_ILLEGAL, illegal), so halves of it are called"


def test_a_number_that_was_left_out_of_its_call_says_why(store: Store, kept: KeptCampaign) -> None:
    """It was never presented, whatever the call's answer."""
    kept.claim(1, left_out={0: "s3://lists/optout.csv"})
    kept.answer(1, Settlement.ACCEPTED, left_out={0: "s3://lists/optout.csv"}, message_ids={1: "m"})
    kept.end()
    found = explained(store)
    assert kinds(found)[-2:] == ["claimed", "suppressed"]
    assert found.events[-1].facts["reason"] == "s3://lists/optout.csv"


@pytest.mark.parametrize(
    ("asked", "options"),
    [("+65 8123-4569", {}), ("6581234569", {}), ("81234569", {"default_region": "SG"}), ("0065 81234569", {})],
)
def test_the_number_may_be_written_as_in_any_list(
    local_store: LocalStore, tmp_path: Path, asked: str, options: dict[str, str]
) -> None:
    """It is read in the same way as the lists."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path)
    kept.end()
    assert kinds(explained(local_store, asked, **options)) == ["planned", "planned"]


def test_text_that_is_not_a_number_is_found_as_it_was_written(local_store: LocalStore, tmp_path: Path) -> None:
    """To explain why it got no text."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path)
    kept.end()
    found = explained(local_store, "not at home")
    assert [event.facts["reason"] for event in found.events] == ["not_a_number"]
    assert "not at home" not in json.dumps(found.as_json())


def test_no_whole_number_is_in_the_answer(store: Store, kept: KeptCampaign) -> None:
    """Even if the gateway repeats it."""
    kept.claim(1)
    kept.answer(1, Settlement.UNKNOWN, reason="no_reply", description="no reply for 6581234569")
    kept.end()
    learn(kept)
    found = explained(store)
    shown = json.dumps(found.as_json()) + repr(found.events) + found.sentence()
    assert not re.search(r"65\D?8123\D?4569", shown)
    assert found.number == "+65••••4569"


def test_a_campaign_that_cannot_be_read_is_named(local_store: LocalStore, tmp_path: Path) -> None:
    """The others are still searched."""
    kept = KeptCampaign(local_store, "good", NUMBERS, tmp_path)
    kept.end()
    local_store.put_if_absent("bad/plans/p.parquet", b"not parquet")
    found = explained(local_store)
    assert kinds(found) == ["planned", "planned"]
    assert [entry.campaign for entry in found.unreadable] == ["bad"]


def test_a_broken_document_does_not_hide_the_ledger(local_store: LocalStore, tmp_path: Path) -> None:
    """The plan and the claims are the evidence."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path)
    kept.accept(1)
    kept.end()
    (tmp_path / "store" / "camp" / "campaign.json").write_text("{")
    assert kinds(explained(local_store))[-1] == "accepted"
