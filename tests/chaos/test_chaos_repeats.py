"""Two campaigns with one text for some of the same people, at the same time: the gateway's log says who was texted."""

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest

from tests.chaos.campaign_under_test import CALLS_PER_SECOND, Campaign, Stage, fresh_numbers
from tests.chaos.long_form import LONG, dice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WAITING = "waiting for campaign"


@pytest.mark.parametrize(
    ("place", "kills"), [("local", 1), *([("s3", 0), ("s3", 2), ("local", 0), ("local", 3)] if LONG else [])]
)
def test_nobody_gets_one_text_from_two_campaigns_at_once(stage: Stage, place: str, kills: int) -> None:
    """Also not if the one that sends is killed, so that the one that waits goes on in the middle."""
    throw, seed = dice()
    numbers = fresh_numbers(180)
    rate = CALLS_PER_SECOND
    if not kills:  # the one that comes second says that it waits: both begin alike, and the first takes 12 s
        stage.recorded, rate = False, 1
    one, two = (
        stage.campaign(place, numbers=some, mess=False, calls_per_second=rate) for some in (numbers[:120], numbers[60:])
    )
    two = replace(two, results=one.results)
    runs = {campaign.id: (campaign, stage.start(campaign)) for campaign in (one, two)}
    for _ in range(kills):
        calls = stage.sandbox.gateway.stats().calls + throw.randrange(1, 5)
        stage.await_arrivals(calls, next(command for _, command in runs.values() if command.running))
        sending = stage.sandbox.gateway.log()[-1].task_id.rsplit("-", 2)[0]
        campaign, command = runs[sending]
        command.kill()
        runs[sending] = (campaign, stage.start(campaign))
    for _, command in runs.values():
        assert command.wait() in (0, 3), command.stderr
    if not kills:
        assert WAITING in "".join(command.stderr for _, command in runs.values())
    times = Counter(number for arrival in stage.sandbox.gateway.log() for number in arrival.numbers)
    assert set(times.values()) == {1}, seed
    assert not (set(numbers) - set(times) - _unknown(stage, one) - _unknown(stage, two)), seed
    for campaign, other in ((one, two), (two, one)):
        results = stage.results(campaign)
        assert results["phone_number"].to_list() == [f"+{number}" for number in campaign.numbers]
        left_out = results.filter(pl.col("status") == "suppressed")
        assert set(left_out["reason"]) <= {f"repeat:{other.id}"}
        texted = {number for arrival in stage.arrivals(other) for number in arrival.numbers} | _unknown(stage, other)
        assert {number.removeprefix("+") for number in left_out["phone_number"]} <= texted, seed


def _unknown(stage: Stage, campaign: Campaign) -> set[str]:
    """The numbers of calls that a killed run had claimed, and may not have made."""
    unknown = stage.results(campaign).filter(pl.col("status") == "unknown")
    return {number.removeprefix("+") for number in unknown["phone_number"]}
