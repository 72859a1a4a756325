"""The archive of delivery states, and the results that are rewritten from it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import PlanFigures, PlanInputs, Summary
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY, RESULTS_SCHEMA
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.delivery.rewrite_results import EARLIER, rewrite_results
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.vocabulary.errors import CampaignBusyError, InputError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_SETTINGS = {"message": "Hello"}
A_PLAN = PlanFigures(id="p", inputs=PlanInputs(numbers_per_call=2), rows={"sendable": 2}, chunks=1)


def _states(*states: tuple[str, str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                **dict.fromkeys(STATE_SCHEMA),
                "message_id": message_id,
                "phone_number": "+6580000000",
                "task_id": task_id,
                "delivery": delivery,
                "origin": "receipt",
                "seen_at": _NOW + timedelta(seconds=seconds),
            }
            for message_id, task_id, delivery, seconds in states
        ],
        schema=STATE_SCHEMA,
    )


def test_what_was_learnt_first_and_for_good_counts(store: Store, tmp_path: Path) -> None:
    """A final state wins over a pending one, then the earliest, across several writes."""
    archive = DeliveryArchive(store, tmp_path)
    assert archive.is_empty()
    archive.append(_states(("1", "spring-0-1", "pending", 0), ("2", "spring-1-1", "delivered", 3)))
    archive.append(_states(("2", "spring-1-1", "expired", 2), ("1", "spring-0-1", "undelivered", 5)))
    archive.append(_states())
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    found = DeliveryArchive(store, fresh).scan().sort("message_id").collect()
    assert found.select("message_id", "delivery").rows() == [("1", "undelivered"), ("2", "expired")]
    assert archive.taken_submissions("spring") == {0: {0}, 1: {0}}
    assert archive.taken_submissions("spring-0") == {}


def test_a_message_keeps_the_task_of_its_receipt_and_the_carrier_of_its_query(
    local_store: LocalStore, tmp_path: Path
) -> None:
    """Answers to queries have no TaskId and receipts no carrier, whichever came first."""
    archive = DeliveryArchive(local_store, tmp_path)
    query = _states(("1", "", "delivered", 1), ("2", "", "delivered", 5)).with_columns(
        task_id=pl.lit(None, pl.String), carrier=pl.lit("CMI")
    )
    archive.append(query)
    archive.append(_states(("1", "spring-3-1", "delivered", 4), ("2", "spring-4-1", "expired", 2)))
    found = archive.scan().sort("message_id").collect()
    assert found.select("message_id", "delivery", "task_id", "carrier").rows() == [
        ("1", "delivered", "spring-3-1", "CMI"),
        ("2", "expired", "spring-4-1", "CMI"),
    ]
    assert archive.taken_submissions("spring") == {3: {0}, 4: {0}}


SUMMARY = Summary(campaign="spring", results="store/spring", counts={"accepted": 1, "unknown": 1}, calls=1, seconds=1.0)


@pytest.fixture
def campaign(local_store: LocalStore, tmp_path: Path) -> LocalStore:
    """A campaign that has ended with one accepted and one unknown row."""
    row: dict[str, Any] = {**dict.fromkeys(RESULTS_SCHEMA), "campaign": "spring", "source": "a", "chunk": 0}
    rows = [
        {**row, "row": 0, "phone_number": "+6580000001", "status": "accepted", "message_id": "1"},
        {**row, "row": 1, "phone_number": "+6580000000", "status": "unknown", "reason": "no_reply"},
    ]
    folder = local_store.within("spring")
    pl.DataFrame(rows, schema=RESULTS_SCHEMA).write_parquet(tmp_path / "made.parquet")
    with Campaign(local_store, "spring", stop=StopSignal()) as held:
        held.open(_SETTINGS)
        folder.put_file(RESULTS_KEY, tmp_path / "made.parquet")
        held.adopt(A_PLAN, _SETTINGS, ())
        held.update(summary=SUMMARY)
    return local_store


def _read(store: LocalStore, key: str, tmp_path: Path) -> pl.DataFrame:
    assert store.within("spring").fetch(key, tmp_path / "read.parquet")
    return pl.read_parquet(tmp_path / "read.parquet")


def test_results_are_rewritten_and_the_version_before_is_kept(campaign: LocalStore, tmp_path: Path) -> None:
    """The unknown row is settled, campaign.json says so, and the second time nothing is written."""
    folder = campaign.within("spring")
    before = _read(campaign, RESULTS_KEY, tmp_path)
    DeliveryArchive(folder, tmp_path).append(_states(("2", "spring-0-1", "delivered", 0)))
    found = rewrite_results(campaign, "spring", tmp_path)
    assert (found.changed, found.counts["accepted"], found.counts["unknown"], found.settled) == (True, 2, 0, 1)
    assert (found.deliveries["delivered"], found.deliveries["pending"]) == (1, 1)
    assert _read(campaign, RESULTS_KEY, tmp_path)["status"].to_list() == ["accepted", "accepted"]
    (kept,) = folder.list(EARLIER)
    assert _read(campaign, kept, tmp_path).equals(before)
    with Campaign(campaign, "spring", stop=StopSignal()) as held:
        held.open(_SETTINGS)
        assert held.document.summary == SUMMARY.model_copy(update={"counts": found.counts})
        assert held.document.deliveries == {**found.deliveries, "settled_by_receipt": 1}
    assert not rewrite_results(campaign, "spring", tmp_path).changed
    assert [*folder.list(EARLIER)] == [kept]


def test_a_campaign_that_is_being_sent_is_left_alone(campaign: LocalStore, tmp_path: Path) -> None:
    """Its run applies the archive when it ends; until then nothing is written."""
    DeliveryArchive(campaign.within("spring"), tmp_path).append(_states(("2", "spring-0-1", "delivered", 0)))
    before = _read(campaign, RESULTS_KEY, tmp_path)
    with Campaign(campaign, "spring", stop=StopSignal()) as running:
        running.open(_SETTINGS)
        with pytest.raises(CampaignBusyError):
            rewrite_results(campaign, "spring", tmp_path)
    assert _read(campaign, RESULTS_KEY, tmp_path).equals(before)


@pytest.mark.parametrize("name", ["autumn", "empty"])
def test_a_campaign_that_has_not_ended_is_an_error(campaign: LocalStore, tmp_path: Path, name: str) -> None:
    """A mistyped id, and a campaign without results."""
    with Campaign(campaign, "empty", stop=StopSignal()) as held:
        held.open(_SETTINGS)
        held.adopt(A_PLAN, _SETTINGS, ())
    with pytest.raises(InputError, match=name):
        rewrite_results(campaign, name, tmp_path)
