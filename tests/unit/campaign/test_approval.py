"""Whether somebody must be asked, and what an earlier answer is worth."""

import json
from dataclasses import replace
from typing import Any

import pytest

from globe_sms.tasks.campaign.approval import Approval, Decision, approved_before, must_ask
from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

ORDER: dict[str, Any] = {"recipients": "a.csv", "message": "Hi", "type": "OTP", "results": "out"}
LEFT_TO_DO = RemainingChunks((0, 1), (), {}, 500)


def config(**changes: Any) -> CampaignConfig:
    return CampaignConfig.checked(**ORDER | changes)


APPROVED = Approval(
    decision=Decision.APPROVED,
    by="Mei",
    note="in Prefect",
    at="2026-11-24T10:00:00+00:00",
    numbers=500,
    resent_chunks=0,
    content="of the plan",
    asked_by="run-1",
)


@pytest.mark.parametrize(
    ("changes", "remaining", "asks"),
    [
        ({}, LEFT_TO_DO, False),
        ({"approve_above": 0, "dry_run": True}, LEFT_TO_DO, False),
        ({"approve_above": 0}, RemainingChunks((), (), {}, 0), False),
        ({"approve_above": 499}, LEFT_TO_DO, True),
        ({"approve_above": 500}, LEFT_TO_DO, False),
        ({"approve_above": 0}, LEFT_TO_DO, True),
    ],
)
def test_who_must_be_asked(changes: dict[str, Any], remaining: RemainingChunks, *, asks: bool) -> None:
    """Only where something is to be sent, and the configuration wants it."""
    assert must_ask(config(**changes), remaining) is asks


AFTER_THE_CANARY = RemainingChunks((1,), (), {}, 480, canary=1)


@pytest.mark.parametrize(
    ("last", "remaining", "asks"),
    [
        (None, AFTER_THE_CANARY, False),
        (APPROVED, AFTER_THE_CANARY, True),
        (replace(APPROVED, numbers=490), AFTER_THE_CANARY, False),
        (replace(APPROVED, numbers=480, after_canary=True, decision=Decision.DECLINED), AFTER_THE_CANARY, True),
        (replace(APPROVED, numbers=480, after_canary=True, decision=Decision.AWAITED), AFTER_THE_CANARY, True),
    ],
)
def test_who_was_asked_before_the_canary_is_asked_after_it(
    last: Approval | None, remaining: RemainingChunks, *, asks: bool
) -> None:
    """Also where the canary took the campaign below the limit."""
    assert must_ask(config(approve_above=490), remaining, last) is asks


@pytest.mark.parametrize(
    ("kept", "remaining", "holds"),
    [
        (APPROVED, LEFT_TO_DO, True),
        (APPROVED, replace(LEFT_TO_DO, numbers=3), True),
        (APPROVED, replace(LEFT_TO_DO, numbers=501), False),
        (APPROVED, replace(LEFT_TO_DO, resent=(1,)), False),
        (replace(APPROVED, resent_chunks=1), replace(LEFT_TO_DO, resent=(1,)), False),
        (replace(APPROVED, decision=Decision.DECLINED), LEFT_TO_DO, False),
        (replace(APPROVED, decision=Decision.AWAITED), LEFT_TO_DO, False),
        (replace(APPROVED, content="of another plan"), LEFT_TO_DO, False),
        (APPROVED, replace(LEFT_TO_DO, canary=1), True),
        (APPROVED, replace(LEFT_TO_DO, chunks=(1,), canary=1), False),
        (replace(APPROVED, after_canary=True), replace(LEFT_TO_DO, chunks=(1,), canary=1), True),
        (None, LEFT_TO_DO, False),
    ],
)
def test_an_approval_holds_for_the_plan_that_it_was_given_for(
    local_store: LocalStore, kept: Approval | None, remaining: RemainingChunks, *, holds: bool
) -> None:
    """A resume asks nobody again; a resend, more numbers or anything unclear does."""
    with Campaign(local_store, "camp", stop=StopSignal()) as campaign:
        campaign.open(config().frozen_settings())
        if kept is not None:
            campaign.update(approval=kept)
    with Campaign(local_store, "camp", stop=StopSignal()) as resumed:
        resumed.open(config().frozen_settings())
        assert resumed.document.approval == kept
        assert approved_before(resumed.document.approval, "of the plan", remaining) is holds


@pytest.mark.parametrize("kept", ["yes", {"decision": "approved"}, {"decision": "perhaps"}, [1], 1])
def test_a_question_that_cannot_be_read_is_never_an_approval(local_store: LocalStore, kept: object) -> None:
    """It fails closed: nothing is sent on a damaged document."""
    with Campaign(local_store, "camp", stop=StopSignal()) as campaign:
        campaign.open(config().frozen_settings())
    stored = local_store.get("camp/campaign.json")
    assert stored is not None
    damaged = json.dumps({**json.loads(stored.body), "approval": kept}).encode()
    assert local_store.compare_and_swap("camp/campaign.json", damaged, stored.version)
    with pytest.raises(InputError, match=r"campaign.json is damaged \(approval"):
        Campaign(local_store, "camp", stop=StopSignal()).open(config().frozen_settings())


def test_a_campaign_is_free_for_others_while_somebody_is_asked(local_store: LocalStore) -> None:
    """The lease is given back and taken again; in between another run may have it."""
    with Campaign(local_store, "camp", stop=StopSignal()) as asking:
        asking.open(config().frozen_settings())
        asking.give_back()
        assert not asking.held()
        with Campaign(local_store, "camp", stop=StopSignal()) as other:
            other.open(config().frozen_settings(), patience=0.0)
            assert other.held()
        asking.open(config().frozen_settings(), patience=0.0)
        assert asking.held()
    assert asking.document.lease is None
