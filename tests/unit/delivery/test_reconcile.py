"""What receipts settle, what stays unknown, and what the operator is told."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.results_schema import RESULTS_KEY, RESULTS_SCHEMA
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.reconcile import OpenChunk, Reconciled, reconcile
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD = NOW - timedelta(hours=73)
YOUNG = NOW - timedelta(hours=71)


class Campaign:
    """A campaign of three rows a chunk in a local folder, and a folder of receipts beside it."""

    def __init__(self, folder: Path) -> None:
        self.store = LocalStore(folder / "spring")
        self.receipts = folder / "receipts"
        self.receipts.mkdir()
        self._folder = folder
        self._rows: list[dict[str, Any]] = []
        self._readings = 0

    def chunk(self, *statuses: str, sent_at: datetime | None = OLD, reason: str | None = "no_reply") -> list[str]:
        """Add a chunk; return its numbers, digits only."""
        index = len({row["chunk"] for row in self._rows})
        for status in statuses:
            row = len(self._rows)
            self._rows.append(
                {
                    **dict.fromkeys(RESULTS_SCHEMA),
                    "campaign": "spring",
                    "source": "a",
                    "row": row,
                    "phone_number": f"+65810{row:05}",
                    "status": status,
                    "reason": reason if status == "unknown" else "message_id_unmatched",
                    "chunk": index,
                    "sent_at": sent_at,
                }
            )
        path = self._folder / "results.parquet"
        pl.DataFrame(self._rows, schema=RESULTS_SCHEMA).write_parquet(path)
        self.store.put_file(RESULTS_KEY, path)
        return [row["phone_number"][1:] for row in self._rows if row["chunk"] == index]

    def deliver(self, *numbers: str, task_id: str, status: str = "1", sent: str = "") -> None:
        """Write the receipts of some numbers."""
        receipts = [
            {"To": number, "MessageId": f"9{number}", "Status": status, "TaskId": task_id, "SendDate": sent}
            for number in numbers
        ]
        (self.receipts / f"{len(list(self.receipts.iterdir()))}.json").write_text(json.dumps(receipts))

    def reconcile(self, hours: float = 72.0, uris: Sequence[str] | None = None) -> Reconciled:
        """Settle, in a fresh scratch folder."""
        self._readings += 1
        scratch = self._folder / f"scratch-{self._readings}"
        scratch.mkdir()
        return reconcile(
            self.store,
            DeliveryArchive(self.store, scratch),
            [str(self.receipts)] if uris is None else uris,
            campaign="spring",
            s3=_no_s3,
            scratch=scratch,
            settle_after=timedelta(hours=hours),
            clock=lambda: NOW,
        )


def _no_s3() -> S3Access:
    raise AssertionError("S3 was asked")


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    """An empty one."""
    return Campaign(tmp_path)


def test_a_chunk_with_some_receipts_long_after_its_send_is_named_and_what_to_do(campaign: Campaign) -> None:
    """It was accepted, so it is never resent; its other rows stay unknown, and the operator decides."""
    first, _, _ = campaign.chunk("unknown", "unknown", "unknown")
    campaign.deliver(first, task_id="spring-0-1", status="2")
    settled = campaign.reconcile()
    assert settled.half_settled == (OpenChunk(0, 3, 1, 2, OLD),)
    assert (settled.settled, settled.silent, settled.waiting) == (1, (), 0)
    said = "\n".join(settled.sentences())
    assert "2 numbers in them still had no receipt" in said
    assert "chunk 0: 1 of 3 rows have a receipt, 2 unknown" in said
    assert "another campaign" in said
    assert first not in said
    assert json.loads(json.dumps(settled.as_json()))["half_settled"][0]["unknown"] == 2


def test_before_the_time_is_up_the_rest_is_waited_for(campaign: Campaign) -> None:
    """Receipts may come late: until then the chunk only counts as waiting."""
    first, _, _ = campaign.chunk("unknown", "unknown", "unknown", sent_at=YOUNG)
    campaign.deliver(first, task_id="spring-0-1")
    settled = campaign.reconcile()
    assert (settled.settled, settled.waiting, settled.half_settled, settled.silent) == (1, 2, (), ())
    assert campaign.reconcile(hours=71.0).half_settled == (OpenChunk(0, 3, 1, 2, YOUNG),)


def test_a_chunk_without_a_single_receipt_is_told_apart(campaign: Campaign) -> None:
    """It was most likely not accepted, and the operator may choose to resend it."""
    campaign.chunk("unknown", "unknown")
    settled = campaign.reconcile()
    assert settled.silent == (OpenChunk(0, 2, 0, 2, OLD),)
    assert settled.half_settled == ()
    assert "run the campaign again and resend unknown rows (--on-unknown resend)" in "\n".join(settled.sentences())


def test_all_receipts_settle_a_chunk_and_pair_an_unmatched_one(campaign: Campaign) -> None:
    """In any order; then there is nothing left to report about either."""
    unknown = campaign.chunk("unknown", "unknown")
    unmatched = campaign.chunk("accepted", "accepted")
    campaign.deliver(*reversed(unknown), task_id="spring-0-1")
    campaign.deliver(*unmatched, task_id="spring-1-102")
    settled = campaign.reconcile()
    assert (settled.settled, settled.paired, settled.half_settled, settled.silent) == (2, 2, (), ())


def test_a_chunk_that_was_interrupted_is_dated_by_its_receipts_or_its_claim(campaign: Campaign) -> None:
    """The ledger has no time for it."""
    heard_of, _ = campaign.chunk("unknown", "unknown", sent_at=None, reason="interrupted")
    campaign.chunk("unknown", sent_at=None, reason="interrupted")
    campaign.chunk("unknown", sent_at=None, reason="interrupted")
    campaign.deliver(heard_of, task_id="spring-0-1", sent=f"{YOUNG:%a, %d %b %Y %H:%M:%S} +0000")
    claim = {"run": "r", "host": "h", "turn": 1.0, "fingerprint": "f", "submission": 0}
    for chunk, at in ((1, OLD), (2, YOUNG)):
        body = json.dumps({**claim, "chunk": chunk, "claimed_at": at.timestamp()}).encode()
        campaign.store.put_if_absent(f"claims/{chunk:06d}-0", body)
    settled = campaign.reconcile()
    assert settled.silent == (OpenChunk(1, 1, 0, 1, OLD),)
    assert settled.waiting == 2


def test_receipts_of_another_chunk_or_campaign_settle_nothing(campaign: Campaign) -> None:
    """The same number may be in several campaigns."""
    (number,) = campaign.chunk("unknown")
    for task_id in ("spring-7-1", "autumn-0-1"):
        campaign.deliver(number, task_id=task_id)
    settled = campaign.reconcile()
    assert settled.settled == 0
    assert settled.silent


def test_a_second_reading_adds_nothing_and_the_archive_speaks_without_receipts(campaign: Campaign) -> None:
    """Known states stay known when the receipts are gone."""
    campaign.deliver(*campaign.chunk("unknown", "unknown"), task_id="spring-0-1")
    assert campaign.reconcile().settled == 2
    again = campaign.reconcile()
    assert (again.settled, again.reading.objects, again.reading.already_read) == (2, 0, 1)
    assert len([key for key in campaign.store.list("delivery/") if key.endswith(".parquet")]) == 1
    assert campaign.reconcile(uris=[]).settled == 2


def test_where_no_receipts_were_asked_for_none_is_missing(campaign: Campaign) -> None:
    """The sentence says how unknown rows could be settled; the JSON figures stay the same."""
    campaign.chunk("unknown", "unknown")
    campaign.chunk("unknown", sent_at=YOUNG)
    settled = campaign.reconcile(uris=[])
    (said,) = settled.sentences()
    assert "3 unknown rows" in said
    assert "--receipts" in said
    assert [chunk["unknown"] for chunk in settled.as_json()["silent"]] == [2]
    assert settled.as_json()["receipts"] == dict.fromkeys(settled.as_json()["receipts"], 0)
    asked = campaign.reconcile()
    assert {**asked.as_json(), "receipts": None} == {**settled.as_json(), "receipts": None}
    assert len(asked.sentences()) > 1


def test_a_campaign_that_is_settled_says_nothing_of_receipts_that_nobody_asked_for(campaign: Campaign) -> None:
    campaign.chunk("accepted", "accepted")
    assert campaign.reconcile(uris=[]).sentences() == []


def test_a_campaign_without_results_yet_keeps_what_its_receipts_say(campaign: Campaign, tmp_path: Path) -> None:
    """Receipts come while a campaign is still being sent."""
    campaign.deliver("6581000000", task_id="spring-0-1")
    assert campaign.reconcile().reading.of_campaign == 1
    assert DeliveryArchive(campaign.store, tmp_path / "scratch-1").taken_submissions("spring") == {0: {0}}
