"""Who may not get one more text, by what the campaigns of a results folder sent."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.lease import Owner
from globe_sms.tasks.campaign.sending_now import SendingNow
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.policy.count_usage import count_usage
from globe_sms.tasks.policy.frequency import texted_too_often
from globe_sms.tasks.policy.left_out_now import FrequencyNow
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.policy.rules import Frequency, PolicyRules
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from tests.unit.inquiry.kept_campaigns import BEGAN, KeptCampaign

NUMBERS = [f"+658123456{last}" for last in range(6)]
NOW = datetime.fromtimestamp(BEGAN, UTC) + timedelta(hours=1)


def no_s3() -> S3Access:
    raise AssertionError


class Place:
    """A results folder whose campaigns have the same six numbers, two a call."""

    def __init__(self, store: LocalStore, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def campaign(self, name: str, **settings: Any) -> KeptCampaign:
        return KeptCampaign(self._store, name, NUMBERS, self._folder, **settings)

    def full(
        self, *rules: tuple[int, float], now: datetime = NOW, ahead: Collection[str] = (), but: str = "ours"
    ) -> list[int]:
        """Return the last digits of the numbers that may get no more."""
        scratch = self._folder / "reading"
        scratch.mkdir(exist_ok=True)
        found = texted_too_often(
            pl.LazyFrame({"e164": [int(number) for number in NUMBERS] + [None]}),
            [Frequency(texts=texts, days=days) for texts, days in rules],
            PlaceResults(self._store, no_s3, scratch, {}),
            scratch / "frequency.parquet",
            but=but,
            ahead=ahead,
            now=now,
        )
        if found is None:
            return []
        rows = pl.read_parquet(found)
        assert set(rows["source"]) == {"frequency"}
        return [number % 10 for number in rows["e164"]]


@pytest.fixture
def place(local_store: LocalStore, tmp_path: Path) -> Place:
    return Place(local_store, tmp_path)


def sum_up(kept: KeptCampaign) -> None:
    kept.write_results()
    usage = count_usage(pl.scan_parquet(kept.scratch / "results.parquet"), kept.store, None)
    kept.campaign.update(usage=usage)
    kept.end()


def test_accepted_and_unanswered_texts_of_all_campaigns_count_in_their_days(place: Place) -> None:
    """One campaign is summed up, the other was killed after a claim; what neither sent doesn't count."""
    done = place.campaign("done")
    done.accept(0)
    done.accept(1)
    sum_up(done)
    killed = place.campaign("killed")
    killed.accept(0)
    killed.claim(2)
    killed.crash(until=BEGAN + 60)
    assert place.full((1, 1)) == [0, 1, 2, 3, 4, 5]
    assert place.full((2, 1)) == [0, 1]
    assert place.full((3, 1)) == []
    assert place.full((2, 1), now=NOW + timedelta(days=2)) == []
    assert place.full((3, 1), (2, 7), now=NOW + timedelta(days=2)) == [0, 1]
    assert place.full((1, 1), but="done") == [0, 1, 4, 5]


def test_refused_texts_codes_and_tests_do_not_count(place: Place) -> None:
    refused = place.campaign("refused")
    refused.claim(0)
    refused.answer(0, Settlement.REFUSED, code="isv.MOBILE_NUMBER_ILLEGAL")
    refused.accept(1)
    refused.crash()
    for name, settings in (("code", {"type": "OTP"}), ("test", {"test_to_sha256": "0" * 64})):
        other = place.campaign(name, **settings)
        other.accept(1)
        other.accept(2)
        other.crash()
    assert place.full((1, 1)) == [2, 3]


def test_what_a_campaign_ahead_has_left_to_send_counts(place: Place) -> None:
    """Two campaigns that run at once don't text somebody twice who may get one text."""
    ahead = place.campaign("ahead")
    ahead.accept(0)
    assert place.full((1, 1)) == [0, 1]
    assert place.full((1, 1), ahead={"ahead"}) == [0, 1, 2, 3, 4, 5]
    ahead.end()


@pytest.mark.parametrize(("is_killed", "left_out"), [(False, 6), (True, 2)])
def test_what_a_killed_campaign_has_left_to_send_keeps_nobody_out(
    place: Place, local_store: LocalStore, tmp_path: Path, *, is_killed: bool, left_out: int
) -> None:
    """Its place in the order is still there, but it may never go on: the others would have waited for nothing."""
    ahead = place.campaign("ahead")
    ahead.accept(0)
    texts = TextPattern.of(Wording.of("Hello", None, downgrade=True, max_characters=1_000))
    SendingNow(local_store, ahead.campaign.owner).enter("ahead", texts)
    if is_killed:
        ahead.crash()
    sending = SendingNow(local_store, Owner.here())
    folder = tmp_path / "ours"
    folder.mkdir()
    frequency = FrequencyNow(PlaceResults(local_store, no_s3, folder, {}), "ours", sending, folder)
    rules = PolicyRules(frequency=(Frequency(texts=1, days=366),))
    files = frequency.files(pl.LazyFrame({"e164": [int(each) for each in NUMBERS]}), Policy("", None, "", rules))
    assert sum(pl.read_parquet(file).height for file in files) == left_out
    ahead.end()


def test_a_campaign_that_only_was_planned_texted_nobody(place: Place) -> None:
    place.campaign("planned").end()
    assert place.full((1, 1)) == []
