"""Planned, then sending: when a plan may be made again, and that two runs never mix plans.

Two runs are two `Campaign` objects on two machines with one clock; a run that is frozen in the middle of something is
one whose next step comes after the other's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import ListRead, PlanFigures, PlanInputs, plan_key
from globe_sms.tasks.campaign.lease import LEASE_SECONDS, Owner
from globe_sms.tasks.campaign.stored_document import frozen_settings_of, settings_of
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.vocabulary.errors import CampaignBusyError, InputError, LeaseLostError, StoreUnavailableError
from tests.unit.campaign.store_that_loses_answers import LosesAnswers
from tests.unit.pacing.test_pacer import Clock, FakeStop

Settings = Mapping[str, Any]
HELO: Settings = {"message": "Helo", "type": "NOTIFY"}
HELLO: Settings = {"message": "Hello", "type": "NOTIFY"}
LISTS = (ListRead(uri="s3://lists/a.csv", identity="etag-1"),)


class Run:
    """A run of the campaign `camp`, on a machine of its own."""

    def __init__(self, store: Store, clock: Clock, name: str, settings: Settings) -> None:
        self.campaign = Campaign(
            store, "camp", stop=FakeStop(clock), owner=Owner(name, f"host-of-{name}", "boot/pid:1:1"), clock=clock
        )
        self.name = name
        self.settings = settings

    def take(self) -> bool:
        """Try once to take the lease; nobody renews it."""
        return self.campaign._take(self.settings)

    def put_plan(self, name: str) -> None:
        """Write a plan's object, before any document names it."""
        assert self.campaign.store.put_if_absent(plan_key(name), name.encode())

    def adopt(self, name: str) -> None:
        """Make the plan the current one."""
        figures = PlanFigures(id=name, inputs=PlanInputs(numbers_per_call=250), rows={"sendable": 1}, chunks=1)
        self.campaign.adopt(figures, self.settings, LISTS)

    def plan(self, name: str) -> None:
        """Write a plan and make it the current one."""
        self.put_plan(name)
        self.adopt(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def first(local_store: LocalStore, clock: Clock) -> Run:
    """The run that has the lease first; its text has a typo."""
    run = Run(local_store, clock, "first", HELO)
    assert run.take()
    return run


@pytest.fixture
def second(local_store: LocalStore, clock: Clock) -> Run:
    """Another run, with the mended text."""
    return Run(local_store, clock, "second", HELLO)


def outlive(clock: Clock) -> None:
    """Freeze the run that has the lease until it has expired."""
    clock.now += LEASE_SECONDS + 5


def plans(store: Store) -> list[str]:
    """Which plans' objects there are."""
    return [*store.within("camp").list("plans/")]


def test_before_the_first_claim_other_settings_are_a_new_plan(local_store: Store, first: Run, second: Run) -> None:
    """Under the same id; the plan before is deleted, and what it was made of is kept for the preview."""
    first.plan("p1")
    first.campaign.give_back()
    assert second.take()
    assert second.campaign.document.settings == HELO
    second.plan("p2")
    document = second.campaign.document
    assert (document.settings, document.plan is not None and document.plan.id) == (HELLO, "p2")
    assert document.replaced is not None
    assert (document.replaced.settings, document.replaced.rows) == (HELO, {"sendable": 1})
    assert plans(local_store) == ["plans/p2.parquet"]
    assert settings_of(local_store, "camp") == HELLO
    assert frozen_settings_of(local_store, "camp") is None


def test_what_changed_is_told_from_the_plan_that_somebody_has_seen(first: Run) -> None:
    """Not from one that a killed run has made in between."""
    first.plan("p1")
    first.settings = HELLO
    first.plan("p2")
    first.settings = {**HELLO, "type": "MKT"}
    first.plan("p3")
    assert first.campaign.document.replaced is not None
    assert first.campaign.document.replaced.settings == HELO
    first.campaign.begin_sending()
    assert first.campaign.document.replaced is None


def test_from_the_first_claim_on_other_settings_are_refused_with_every_difference(
    local_store: Store, first: Run, second: Run, clock: Clock
) -> None:
    """Also once the run that sent has ended; the text that went out stays the campaign's."""
    first.plan("p1")
    first.campaign.begin_sending()
    began = first.campaign.document.sending_since
    first.campaign.begin_sending()
    assert first.campaign.document.sending_since == began
    with pytest.raises(InputError, match="'Helo', now 'Hello'"):
        second.take()
    first.campaign.give_back()
    with pytest.raises(InputError, match="'Helo', now 'Hello'"):
        second.take()
    assert frozen_settings_of(local_store, "camp") == HELO
    resumed = Run(local_store, clock, "resumed", HELO)
    assert resumed.take()
    assert resumed.campaign.use_plan().id == "p1"
    with pytest.raises(ValueError, match="its plan is frozen"):
        resumed.adopt("p9")


def test_a_run_without_its_lease_cannot_name_a_plan(local_store: Store, first: Run, second: Run, clock: Clock) -> None:
    """It was frozen while it wrote its plan's object; the other run's plan counts, and neither's object is harmed."""
    first.put_plan("p1")
    outlive(clock)
    assert second.take()
    second.plan("p2")
    with pytest.raises(LeaseLostError):
        first.adopt("p1")
    assert second.campaign.document.plan == second.campaign.use_plan()
    assert "plans/p2.parquet" in plans(local_store)
    second.campaign.begin_sending()


def test_a_run_without_its_lease_cannot_begin_to_send(first: Run, second: Run, clock: Clock) -> None:
    """It was frozen between its plan and its first claim: the other run may plan again, and this one never claims."""
    first.plan("p1")
    outlive(clock)
    assert second.take()
    with pytest.raises(LeaseLostError):
        first.campaign.begin_sending()
    second.plan("p2")
    with pytest.raises(LeaseLostError):
        first.campaign.begin_sending()
    second.campaign.begin_sending()
    with pytest.raises(LeaseLostError):
        first.campaign.begin_sending()


def test_a_run_cannot_begin_after_another_has_come_and_gone(first: Run, second: Run, clock: Clock) -> None:
    """Nobody has the lease then, but the version is another: so much may have happened."""
    first.plan("p1")
    outlive(clock)
    assert second.take()
    second.campaign.give_back()
    with pytest.raises(LeaseLostError):
        first.campaign.begin_sending()


def test_a_run_that_began_before_it_lost_its_lease_has_frozen_the_campaign(
    local_store: Store, first: Run, second: Run, clock: Clock
) -> None:
    """It was frozen between its beginning and its first claim, which may still come: the other keeps to its plan."""
    first.plan("p1")
    first.campaign.begin_sending()
    outlive(clock)
    with pytest.raises(InputError, match="was started with other settings"):
        second.take()
    heir = Run(local_store, clock, "heir", HELO)
    assert heir.take()
    assert heir.campaign.use_plan().id == "p1"
    heir.campaign.begin_sending()
    assert plans(local_store) == ["plans/p1.parquet"]


def test_a_run_that_reads_before_the_other_begins_takes_nothing(first: Run, second: Run, clock: Clock) -> None:
    """It saw a free lease and a campaign that was only planned; then the other began, over the same version."""
    first.plan("p1")
    outlive(clock)
    store = second.campaign.store
    swap = store.compare_and_swap

    class BeginsMeanwhile(LocalStore):
        def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
            first.campaign.begin_sending()
            return swap(key, body, version)

    second.campaign.store = BeginsMeanwhile(Path(store.uri))
    assert not second.take()
    with pytest.raises(InputError, match="was started with other settings"):
        second.take()


def test_a_run_that_lost_its_lease_deletes_no_plan_of_the_next(first: Run, second: Run, clock: Clock) -> None:
    """It listed the plans, was frozen, and the other run wrote one: its swap fails, and it deletes nothing."""
    first.plan("p1")
    store = first.campaign.store

    class FrozenAfterItsListing(LocalStore):
        def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
            if not plans_of_second:
                outlive(clock)
                assert second.take()
                second.plan("p2")
                plans_of_second.append("p2")
            return super().compare_and_swap(key, body, version)

    plans_of_second: list[str] = []
    first.put_plan("p3")
    first.campaign.store = FrozenAfterItsListing(Path(store.uri))
    with pytest.raises(LeaseLostError):
        first.adopt("p3")
    assert store.get("plans/p2.parquet") is not None


def test_a_run_that_waited_without_its_lease_ends_if_the_plan_is_another(
    local_store: Store, first: Run, second: Run, clock: Clock
) -> None:
    """It asked somebody about a plan that is no longer the campaign's; with the same plan it goes on."""
    first.plan("p1")
    first.campaign.give_back()
    same = Run(local_store, clock, "same", HELO)
    assert same.take()
    same.campaign.give_back()
    assert first.take()
    first.campaign.give_back()
    assert second.take()
    second.plan("p2")
    second.campaign.give_back()
    with pytest.raises(CampaignBusyError, match="was planned again by another run"):
        first.take()


def test_a_beginning_whose_answer_was_lost_is_no_beginning_for_its_run(first: Run, second: Run) -> None:
    """It claims nothing until it knows; the campaign counts as begun for everybody else."""
    first.plan("p1")
    store = first.campaign.store = LosesAnswers(Path(first.campaign.store.uri))
    store.losing = True
    with pytest.raises(StoreUnavailableError):
        first.campaign.begin_sending()
    assert first.campaign.document.sending_since is None
    with pytest.raises(InputError, match="was started with other settings"):
        second.take()
    store.losing = False
    first.campaign.renew()
    first.campaign.begin_sending()
    with pytest.raises(InputError, match="was started with other settings"):
        second.take()


@pytest.mark.parametrize("lost", ["sending_since", "campaign.json"])
def test_claims_without_a_beginning_stop_every_run(
    local_store: LocalStore, first: Run, clock: Clock, lost: str
) -> None:
    """Somebody restored an old campaign.json or removed it: another plan could text the same people again."""
    first.plan("p1")
    planned = local_store.get("camp/campaign.json")
    first.campaign.begin_sending()
    first.campaign.store.put_if_absent("claims/000000-0", b"{}")
    path = Path(local_store.uri) / "camp" / "campaign.json"
    path.unlink()
    if lost == "sending_since":
        assert planned is not None
        path.write_bytes(planned.body)
    outlive(clock)
    for settings in (HELLO, HELO):
        with pytest.raises(InputError, match="has claims of calls"):
            Run(local_store, clock, "later", settings).take()


def test_a_run_without_a_plan_begins_nothing(first: Run) -> None:
    """What would be frozen?"""
    with pytest.raises(ValueError, match="has no plan"):
        first.campaign.begin_sending()
    with pytest.raises(ValueError, match="has no plan"):
        first.campaign.use_plan()
