"""Campaigns that were purged, with kills in between, are resumed, resent and repeated: nobody is texted twice."""

import time
from collections import Counter
from dataclasses import replace

import polars as pl
import pytest

from tests.chaos.campaign_under_test import Campaign, Stage, fresh_numbers
from tests.chaos.command_process import Command
from tests.chaos.long_form import LONG, dice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize(("place", "kills"), [("local", 0), *([("local", 5), ("s3", 0), ("s3", 5)] if LONG else [])])
def test_a_purged_campaign_texts_nobody_again_whatever_is_run(stage: Stage, place: str, kills: int) -> None:
    """One of its calls got no answer; in the long form the purge is killed at random times and run again."""
    throw, seed = dice()
    campaign = stage.campaign(place, numbers=fresh_numbers(60), mess=False)
    stage.sandbox.gateway.add_fault("accept_then_drop", next=1)
    assert stage.run(campaign).code == 3
    for _ in range(kills):
        purge = _start_purge(stage, campaign)
        purge.ends_within(throw.random() * 4)
        purge.kill()
    ends = time.monotonic() + 120
    while (code := _start_purge(stage, campaign).wait()) == 3 and time.monotonic() < ends:
        time.sleep(1)  # the lease of the killed one runs out
    assert code == 0
    assert stage.results(campaign)["phone_number"].str.starts_with("~").all()
    assert stage.run(campaign).code == 3
    assert stage.run(campaign, "--on-unknown=resend").code in (0, 3)
    again = replace(campaign, id=f"{campaign.id}-again")
    assert stage.run(again).code == 0
    assert set(stage.results(again)["status"]) == {"suppressed"}
    times = Counter(number for arrival in stage.sandbox.gateway.log() for number in arrival.numbers)
    assert set(times) == set(campaign.numbers), seed
    assert set(times.values()) == {1}, seed
    statuses = stage.results(campaign)["status"].cast(pl.String)
    assert statuses.is_in(["accepted", "unknown", "suppressed"]).all(), seed


def _start_purge(stage: Stage, campaign: Campaign) -> Command:
    return stage.start_program(
        campaign, "globe-sms", "purge", f"--results={campaign.results}", "--older-than=0", "--apply"
    )
