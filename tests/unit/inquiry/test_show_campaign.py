"""One campaign shown, during its run or after it."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA, Origin
from globe_sms.tasks.inquiry.campaign_state import CampaignState
from globe_sms.tasks.inquiry.show_campaign import CampaignView, look_at
from globe_sms.tasks.inquiry.show_page import show_page
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.statuses import Delivery
from tests.unit.inquiry.kept_campaigns import KeptCampaign

NUMBERS = ("+6581234567", "+6581234568", "+6581234569", "+6581234570", "+6581234571", "landline")
NIGHT_IN_LONDON = datetime(2026, 1, 15, 2, tzinfo=UTC)  # and ten in the morning in Singapore
DAY_IN_LONDON = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)


def no_s3() -> S3Access:
    raise AssertionError


def view_of(store: Store, folder: Path, now: datetime | None = None) -> CampaignView:
    scratch = folder / "looking"
    scratch.mkdir()
    return look_at(store, "camp", scratch, no_s3, environ={"XDG_STATE_HOME": str(folder)}, now=now)


def reasons(view: CampaignView) -> dict[tuple[str, str | None], int]:
    assert view.report is not None
    return {(entry.status, entry.reason): entry.rows for entry in view.report.reasons}


@pytest.fixture
def kept(store: Store, tmp_path: Path) -> KeptCampaign:
    return KeptCampaign(store, "camp", NUMBERS, tmp_path)


def test_a_running_campaign_is_shown_as_the_ledger_says_now(store: Store, kept: KeptCampaign, tmp_path: Path) -> None:
    """A claim without a send record is in_the_air, later rows are not_yet, and nothing is written."""
    kept.accept(0)
    kept.claim(1)
    before = list(store.list(""))
    view = view_of(store, tmp_path)
    assert list(store.list("")) == before
    kept.end()
    assert view.from_ledger
    assert reasons(view) == {
        ("accepted", None): 2,
        ("unknown", "in_the_air"): 2,
        ("not_sent", "not_yet"): 1,
        ("invalid", "not_a_number"): 1,
    }
    assert "Being sent now by run" in as_markdown(show_page(view))


def test_a_crashed_campaign_is_shown_past_its_last_results(store: Store, kept: KeptCampaign, tmp_path: Path) -> None:
    """The results are older; claims that the killed run left behind are unknown."""
    kept.write_results()
    kept.accept(0)
    kept.claim(1)
    kept.crash()
    view = view_of(store, tmp_path)
    assert view.from_ledger
    assert reasons(view)["unknown", "interrupted"] == 2
    assert reasons(view)["not_sent", "stopped"] == 1
    assert "killed" in as_markdown(show_page(view))


def test_a_paused_campaign_is_shown_as_the_ledger_says(store: Store, kept: KeptCampaign, tmp_path: Path) -> None:
    """Its last run wrote no results; those of the one before, which was stopped, say less than was sent."""
    kept.write_results(stopped="no balance")
    kept.accept(0)
    kept.end()
    view = view_of(store, tmp_path)
    assert view.from_ledger
    assert view.report is not None
    assert (view.report.counts["accepted"], view.document.state) == (2, CampaignState.INTERRUPTED)
    said = as_markdown(show_page(view))
    assert "resume that run" in said
    assert "nothing was sent" not in said
    assert "no balance" not in said


@pytest.mark.parametrize(
    ("killed", "now", "open_rows"),
    [(False, NIGHT_IN_LONDON, "not_yet"), (True, DAY_IN_LONDON, "stopped")],
)
def test_rows_that_wait_for_their_hours_are_shown_as_quiet_hours(
    store: Store, tmp_path: Path, *, killed: bool, now: datetime, open_rows: str
) -> None:
    """By the last hour the run was alive, and only if they were never claimed."""
    numbers = (*NUMBERS[:3], "+447911123456", "+447911123457", "+447911123458")
    kept = KeptCampaign(store, "camp", numbers, tmp_path, hours="09:00-20:00")
    kept.accept(0)
    kept.claim(2)
    if killed:
        kept.crash(until=NIGHT_IN_LONDON.timestamp())
    view = view_of(store, tmp_path, now)
    kept.end()
    assert view.from_ledger
    assert reasons(view) == {
        ("accepted", None): 2,
        ("unknown", "interrupted" if killed else "in_the_air"): 2,
        ("not_sent", open_rows): 1,
        ("not_sent", "quiet_hours"): 1,
    }


def test_a_finished_campaign_is_shown_from_its_results(store: Store, kept: KeptCampaign, tmp_path: Path) -> None:
    """With settings, plan and counts, for people and for programs."""
    for chunk in range(3):
        kept.accept(chunk, ids=["m"] if chunk == 2 else ())
    kept.write_results()
    kept.end()
    view = view_of(store, tmp_path)
    assert not view.from_ledger
    found = view.as_json()
    assert found["counts"]["accepted"] == 5
    assert found["settings"]["message"] == "Hello"
    assert (found["open"], found["unknown"], found["chunks"]) == (0, 0, 3)
    shown = as_markdown(show_page(view))
    assert "Every row is settled" in shown
    assert "Settings \\(frozen\\)" in shown
    assert ", first call at 20" in shown.replace("\\", "")


def test_a_campaign_without_a_call_says_that_its_settings_may_change(
    store: Store, kept: KeptCampaign, tmp_path: Path
) -> None:
    """After a dry run, for instance; the size of calls and the opt-out lists are shown as well."""
    kept.write_results()
    kept.end()
    view = view_of(store, tmp_path)
    assert "may change until its first call" in as_markdown(show_page(view))
    assert view.as_json()["sending_since"] is None
    assert (view.as_json()["settings"]["numbers_per_call"], view.as_json()["settings"]["suppress"]) == (2, [])


def test_a_failure_is_shown_with_what_to_do_and_masked(store: Store, kept: KeptCampaign, tmp_path: Path) -> None:
    """As in the report of the run."""
    kept.claim(0)
    kept.answer(
        0,
        Settlement.REFUSED,
        reason="BLACK_KEY_CONTROL_LIMIT",
        code="BLACK_KEY_CONTROL_LIMIT",
        description="6581234567",
    )
    kept.write_results()
    kept.end()
    markdown = as_markdown(show_page(view_of(store, tmp_path)))
    assert "forbidden keyword" in markdown
    assert "81234567" not in markdown


def test_known_deliveries_are_shown(store: Store, kept: KeptCampaign, tmp_path: Path) -> None:
    """From the archive, even before the results are rewritten."""
    kept.accept(0)
    state = dict.fromkeys(STATE_SCHEMA) | {
        "message_id": "m-0-0",
        "phone_number": NUMBERS[0],
        "delivery": Delivery.DELIVERED.value,
        "origin": Origin.QUERY.value,
        "seen_at": datetime(2026, 11, 24, tzinfo=UTC),
    }
    DeliveryArchive(kept.store, kept.scratch).append(pl.DataFrame([state], schema=STATE_SCHEMA))
    view = view_of(store, tmp_path)
    kept.end()
    assert view.deliveries is not None
    assert view.deliveries.figures.total.delivered == 1
    assert view.as_json()["delivery"]["deliveries"]["rate"] == 1.0


def test_a_campaign_that_is_not_there_is_bad_input(store: Store, tmp_path: Path) -> None:
    """The message says how to list the ids."""
    with pytest.raises(InputError, match="globe-sms campaigns"):
        view_of(store, tmp_path)
