"""Runs that are active together share a budget: what they reserve in `sending.json` never exceeds it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from globe_sms.tasks.campaign.send_record import Claim
from globe_sms.tasks.campaign.sending_now import Reservation, SendingNow
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.policy.amounts import Amounts
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.policy.reserve import BudgetReservation
from globe_sms.tasks.policy.rules import PolicyRules
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.inquiry.kept_campaigns import KeptCampaign

NOW = datetime.now(UTC)  # leases are by the real clock
PRICES = Prices("USD", {"SG": Decimal("0.03")}, {})
TEXTS = TextPattern.of(Wording.of("Hello", None, downgrade=True, max_characters=100))


def no_s3() -> S3Access:
    raise AssertionError


def policy(**budget: Any) -> Policy:
    rules = PolicyRules.model_validate({"prices": "p.csv", "budget": {"day": budget}})
    return Policy("policy.toml", None, "digest", rules)


class Place:
    """A results folder with campaigns that hold their leases."""

    def __init__(self, store: LocalStore, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def campaign(self, name: str) -> KeptCampaign:
        return KeptCampaign(self._store, name, ["+6581234567", "+6581234568"], self._folder)

    def enter(
        self,
        kept: KeptCampaign,
        wanted: Amounts,
        rules: Policy | None,
        *,
        prices: Prices | None = None,
        now: datetime = NOW,
    ) -> Reservation | None:
        scratch = self._folder / kept.campaign.id / "reading"
        scratch.mkdir(exist_ok=True)
        results = PlaceResults(self._store, no_s3, scratch, {})
        reserve = BudgetReservation(rules, results, prices, kept.campaign.id, wanted, now=now)
        return self.sending(kept).enter(kept.campaign.id, TEXTS, reserve).stretches[-1].reserved

    def text(self, kept: KeptCampaign) -> None:
        """Claim the campaign's only chunk, of two numbers, now."""
        kept.campaign.begin_sending()
        at = NOW.timestamp()
        assert kept.ledger.claim(Claim(0, 0, kept.campaign.owner.run, "host", at, at, "f"))

    def sending(self, kept: KeptCampaign) -> SendingNow:
        return SendingNow(self._store, kept.campaign.owner, sleep=lambda _: None)


@pytest.fixture
def place(local_store: LocalStore, tmp_path: Path) -> Place:
    return Place(local_store, tmp_path)


def test_of_runs_that_begin_at_once_only_those_that_fit_reserve(place: Place) -> None:
    campaigns = [place.campaign(f"c{number}") for number in range(6)]

    def begins(kept: KeptCampaign) -> bool:
        try:
            place.enter(kept, Amounts(30, 30), policy(numbers=100))
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        begun = list(pool.map(begins, campaigns))
    assert sum(begun) == 3
    for kept in campaigns:
        kept.end()


def test_what_a_campaign_had_used_and_what_it_reserved_count_until_it_ends(place: Place) -> None:
    """Then what it really used counts: it may have sent less."""
    first, second = place.campaign("first"), place.campaign("second")
    place.text(first)
    reserved = place.enter(first, Amounts(90, 90), policy(numbers=100))
    assert reserved is not None
    assert reserved.used is not None
    assert sum(numbers for numbers, _, _ in reserved.used.quarters.values()) == 2
    with pytest.raises(InputError, match=r"'second' is not sent: it would use 9 numbers, but .* 8 of 100 numbers"):
        place.enter(second, Amounts(9, 9), policy(numbers=100))
    assert place.enter(second, Amounts(8, 8), policy(numbers=100)) is not None
    place.sending(first).leave()
    first.end()
    assert place.enter(second, Amounts(98, 98), policy(numbers=100)) is not None
    second.end()


def test_the_reservation_of_a_killed_run_counts_as_long_as_its_lease(place: Place) -> None:
    killed, next_one = place.campaign("killed"), place.campaign("next")
    place.enter(killed, Amounts(90, 90), policy(numbers=100))
    place.text(killed)
    killed.crash(until=0.0)
    assert place.enter(next_one, Amounts(98, 98), policy(numbers=100)) is not None
    next_one.end()


def test_a_run_without_a_policy_reserves_too_so_that_others_know(place: Place) -> None:
    """Its cost isn't known, though: nobody can tell what is left of a budget of cost."""
    without, under = place.campaign("without"), place.campaign("under")
    place.enter(without, Amounts(90, 90), None)
    assert place.enter(under, Amounts(10, 10), policy(numbers=100)) is not None
    with pytest.raises(InputError, match="it would use 11 numbers"):
        place.enter(under, Amounts(11, 11), policy(numbers=100))
    with pytest.raises(InputError, match=r"only an unknown part of 5\.00 USD"):
        place.enter(under, Amounts(1, 1, Decimal("0.03")), policy(cost=5), prices=PRICES)
    without.end()
    under.end()


def test_a_reservation_of_yesterday_leaves_room_today(place: Place) -> None:
    """Nobody knows how much of it goes out today: all of it may."""
    long, today = place.campaign("long"), place.campaign("today")
    place.text(long)
    place.enter(long, Amounts(90, 90), policy(numbers=100))
    tomorrow = NOW + timedelta(days=1)
    assert place.enter(today, Amounts(10, 10), policy(numbers=100), now=tomorrow) is not None
    with pytest.raises(InputError, match="it would use 11 numbers"):
        place.enter(today, Amounts(11, 11), policy(numbers=100), now=tomorrow)
    long.end()
    today.end()
