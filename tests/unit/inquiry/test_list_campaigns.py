"""All campaigns of a results folder at a glance."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from globe_sms.tasks.campaign.approval import Approval, Decision
from globe_sms.tasks.inquiry.campaign_state import BrokenDocument, CampaignOverview, CampaignState
from globe_sms.tasks.inquiry.list_campaigns import read_campaigns
from globe_sms.tasks.store import LocalStore, Store
from tests.unit.inquiry.kept_campaigns import KeptCampaign

NUMBERS = ("+6581234567", "+6581234568", "+6581234569", "landline")


def only(store: Store) -> CampaignOverview:
    (found,) = read_campaigns(store)
    assert isinstance(found, CampaignOverview)
    return found


def test_campaigns_come_latest_first_without_other_folders(store: Store, tmp_path: Path) -> None:
    """On both kinds of store; the pacing folder and other files are left out."""
    for name in ("first", "second"):
        kept = KeptCampaign(store, name, NUMBERS, tmp_path)
        kept.write_results()
        kept.end()
    store.put_if_absent("notes/readme.txt", b"not a campaign")
    store.put_if_absent(".globe-sms/pacing/x.json", b"{}")
    assert [found.campaign for found in read_campaigns(store)] == ["second", "first"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"created_at": "yesterday"}', b"\xff\xfe", b'{"lease": 3}'])
def test_a_broken_document_is_a_line_that_says_so(local_store: LocalStore, tmp_path: Path, body: bytes) -> None:
    """The others are still listed."""
    kept = KeptCampaign(local_store, "good", NUMBERS, tmp_path)
    kept.end()
    local_store.put_if_absent("bad/campaign.json", body)
    good, bad = read_campaigns(local_store)
    assert good.campaign == "good"
    assert isinstance(bad, BrokenDocument)
    assert "campaign.json" in bad.fault
    assert bad.as_json()["state"] == "broken"


def _settle_all(kept: KeptCampaign) -> None:
    kept.accept(0)
    kept.accept(1)
    kept.write_results()
    kept.end()


def _leave_unknown(kept: KeptCampaign) -> None:
    kept.claim(0)
    kept.accept(1)
    kept.write_results()
    kept.end()


def _stop(kept: KeptCampaign) -> None:
    kept.accept(0)
    kept.write_results(stopped="no balance")
    kept.end()


def _pause(kept: KeptCampaign) -> None:
    kept.accept(0)
    kept.end()


def _ask(kept: KeptCampaign, until: str) -> None:
    kept.campaign.update(approval=Approval(Decision.AWAITED, "", "", "2026-11-30", 3, 0, "c", "run-1", until=until))
    kept.end()


@pytest.mark.parametrize(
    ("happens", "state", "unknown", "left"),
    [
        (_settle_all, CampaignState.SETTLED, 0, 0),
        (_leave_unknown, CampaignState.OPEN, 2, 0),
        (_stop, CampaignState.STOPPED, 0, 1),
        (KeptCampaign.end, CampaignState.NOT_RUN, None, 3),
        (KeptCampaign.crash, CampaignState.CRASHED, None, 3),
        (lambda _: None, CampaignState.RUNNING, None, 3),
        (_pause, CampaignState.INTERRUPTED, None, 3),
        (partial(_ask, until="2999-01-01T00:00:00+00:00"), CampaignState.WAITING, None, 3),
        (partial(_ask, until="2026-11-30T08:00:00+00:00"), CampaignState.NOT_RUN, None, 3),
    ],
)
def test_a_line_shows_the_state_of_the_campaign(
    local_store: LocalStore,
    tmp_path: Path,
    happens: Callable[[KeptCampaign], None],
    state: CampaignState,
    unknown: int | None,
    left: int,
) -> None:
    """With unknown and not_sent rows; without results, every sendable row is open."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path)
    happens(kept)
    found = only(local_store)
    kept.end()
    assert (found.state, found.unknown, found.open) == (state, unknown, left)


def test_the_holder_of_the_lease_is_shown_while_it_is_held(local_store: LocalStore, tmp_path: Path) -> None:
    """By run and machine."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path)
    lease = only(local_store).lease
    kept.end()
    assert lease is not None
    assert (lease.run, lease.host) == (kept.campaign.owner.run, kept.campaign.owner.host)
    assert only(local_store).lease is None


def test_the_delivery_rate_counts_final_states_only(local_store: LocalStore, tmp_path: Path) -> None:
    """Pending messages aren't failures, and the count of settled rows isn't a delivery."""
    kept = KeptCampaign(local_store, "camp", NUMBERS, tmp_path)
    tracked = {"delivered": 3, "undelivered": 1, "expired": 0, "pending": 6, "settled_by_receipt": 2}
    kept.campaign.update(deliveries=tracked)
    kept.end()
    assert only(local_store).delivery_rate == 0.75


def test_an_empty_place_has_no_campaigns(store: Store) -> None:
    """Without an error."""
    assert list(read_campaigns(store)) == []
