"""Who gets no text because earlier ones failed for good, by the results of a results folder."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.campaign_json import CampaignDocument, Usage
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.rules import Undeliverable
from globe_sms.tasks.policy.undeliverable import UndeliverableNow, find_undeliverable
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from tests.unit.delivery.delivered_rows import results_of, row

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DEAD, ALIVE, OTHER = 6581234560, 6581234561, 6581234562


def no_s3() -> S3Access:
    raise AssertionError


class Place:
    """A results folder with campaigns whose rows have a delivery."""

    def __init__(self, store: LocalStore, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def campaign(self, name: str, days_ago: float, **outcomes: str) -> None:
        """Keep a campaign: for each number's last digit `delivered`, or the code of an undelivered message."""
        at = NOW - timedelta(days=days_ago)
        rows = [
            row(
                "delivered" if outcome == "delivered" else "undelivered",
                5,
                phone_number=f"+658123456{digit.lstrip('n')}",
                delivery_code=outcome,
                sent_at=at,
            )
            for digit, outcome in outcomes.items()
        ]
        path = self._folder / f"{name}.parquet"
        results_of(rows).collect().write_parquet(path)
        document = CampaignDocument(
            campaign=name,
            created_at=at,
            settings={"message": "Hello", "type": "NOTIFY"},
            sending_since=at,
            usage=Usage(quarters={at.isoformat(): (len(rows), len(rows), None)}),
        )
        self._store.within(name).put_if_absent("campaign.json", document.encode())
        self._store.within(name).put_file("results.parquet", path)

    def found(
        self, *rules: tuple[float, int], numbers: tuple[int, ...] = (DEAD, ALIVE, OTHER), rows_at_once: int = 1_000
    ) -> dict[int, str]:
        """Return who is undeliverable, with the reason."""
        scratch = self._folder / "reading"
        scratch.mkdir(exist_ok=True)
        file = find_undeliverable(
            pl.LazyFrame({"e164": [*numbers, None]}),
            [Undeliverable(days=days, failures=failures) for days, failures in rules],
            PlaceResults(self._store, no_s3, scratch, {}),
            scratch / "undeliverable.parquet",
            but="ours",
            now=NOW,
            rows_at_once=rows_at_once,
        )
        return {} if file is None else dict(pl.read_parquet(file).iter_rows())


@pytest.fixture
def place(local_store: LocalStore, tmp_path: Path) -> Place:
    return Place(local_store, tmp_path)


def test_only_permanent_codes_leave_a_number_out(place: Place) -> None:
    """A phone that was off, a carrier's own code and a number of another list don't."""
    place.campaign("a", 1, n0="UNDELIV", n1="EXPIRED", n2="EC:0012", n9="UNDELIV")
    assert place.found((90, 1)) == {DEAD: "undeliverable:UNDELIV"}


def test_a_number_that_was_delivered_again_comes_back(place: Place) -> None:
    """And goes again when it fails again; with two failures asked for, both must be after the delivery."""
    place.campaign("a", 5, n0="UNDELIV", n1="UNDELIV")
    place.campaign("b", 4, n0="delivered")
    assert place.found((90, 1)) == {ALIVE: "undeliverable:UNDELIV"}
    place.campaign("c", 3, n0="mobile_number_illegal")
    assert place.found((90, 1))[DEAD] == "undeliverable:mobile_number_illegal"
    assert place.found((90, 2)) == {}
    place.campaign("d", 2, n0="UNDELIV")
    assert place.found((90, 2)) == {DEAD: "undeliverable:UNDELIV"}


def test_failures_count_in_their_days_and_each_rule_on_its_own(place: Place) -> None:
    place.campaign("a", 20, n0="UNDELIV", n1="UNDELIV")
    place.campaign("b", 10, n1="UNDELIV")
    assert place.found((15, 1)) == {ALIVE: "undeliverable:UNDELIV"}
    assert place.found((15, 2)) == {}
    assert set(place.found((15, 2), (30, 1))) == {DEAD, ALIVE}
    assert place.found((5, 1)) == {}


def test_the_campaign_itself_doesn_t_count(place: Place) -> None:
    place.campaign("ours", 1, n0="UNDELIV")
    assert place.found((90, 1)) == {}


def test_any_history_gives_what_its_definition_says(place: Place) -> None:
    """Compared with a number's failures counted one by one, in blocks of a few rows."""
    dice = random.Random(7)
    days = sorted((dice.random() * 60 for _ in range(25)), reverse=True)
    histories: dict[int, list[tuple[float, str]]] = {digit: [] for digit in range(10)}
    for number, ago in enumerate(days):
        outcomes = {digit: dice.choice(["UNDELIV", "UNDELIV", "delivered", "EXPIRED"]) for digit in range(10)}
        kept = {digit: outcome for digit, outcome in outcomes.items() if dice.random() < 0.5}
        place.campaign(f"c{number}", ago, **{f"n{digit}": outcome for digit, outcome in kept.items()})
        for digit, outcome in kept.items():
            histories[digit].append((ago, outcome))
    for window, failures in [(60, 1), (60, 3), (20, 2), (8, 1)]:
        expected = set[int]()
        for digit, history in histories.items():
            in_a_row = 0
            for ago, outcome in history:
                in_a_row = 0 if outcome == "delivered" else in_a_row + (outcome == "UNDELIV" and ago <= window)
            if in_a_row >= failures:
                expected.add(6581234560 + digit)
        numbers = tuple(6581234560 + digit for digit in range(10))
        assert set(place.found((window, failures), numbers=numbers, rows_at_once=3)) == expected


def test_a_run_looks_once_and_a_changed_rule_makes_it_look_again(
    place: Place, local_store: LocalStore, tmp_path: Path
) -> None:
    """The same files mean that nothing has to be joined again."""
    place.campaign("a", 1, n0="UNDELIV")
    now = UndeliverableNow.of(PlaceResults(local_store, no_s3, tmp_path, {}), "ours", tmp_path)
    numbers = pl.LazyFrame({"e164": [DEAD]})
    rules = (Undeliverable(days=10_000.0 / 3),)
    first = now.files(numbers, rules)
    assert len(first) == 1
    assert now.files(numbers, rules) == first
    assert now.files(numbers, ()) == ()
    assert now.files(numbers, (*rules, Undeliverable(days=9.0))) != first


def test_results_that_cannot_be_read_stop_the_campaign(place: Place, local_store: LocalStore) -> None:
    """Nobody knows who is undeliverable then."""
    place.campaign("a", 1, n0="UNDELIV")
    local_store.within("b").put_if_absent("campaign.json", b"{")
    with pytest.raises(Exception, match="isn't known, so the campaign stops"):
        place.found((90, 1))


def test_no_other_field_of_a_row_matters(place: Place) -> None:
    """A campaign without results, as one that is just being sent, counts for nothing."""
    place.campaign("a", 1, n0="UNDELIV")
    fields: dict[str, Any] = {"campaign": "b", "created_at": NOW, "settings": {}, "sending_since": NOW}
    place._store.within("b").put_if_absent("campaign.json", CampaignDocument(**fields).encode())
    assert place.found((90, 1)) == {DEAD: "undeliverable:UNDELIV"}
