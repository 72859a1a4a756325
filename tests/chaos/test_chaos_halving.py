"""SIGKILL while refused calls are presented in halves: nobody twice, nobody lost, and only the bad numbers failed."""

import random
from dataclasses import replace

import pytest

from tests.chaos.campaign_under_test import Campaign, Stage, chunk_of
from tests.chaos.command_process import Command
from tests.chaos.long_form import LONG, dice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_CODE = "MOBILE_NUMBER_ILLEGAL"
_KILLS = 10 if LONG else 2
_PLACES = ("local", "s3") if LONG else ("local",)


@pytest.mark.parametrize("place", _PLACES)
def test_kills_while_bad_numbers_are_narrowed_down_cost_nobody_else_the_text(stage: Stage, place: str) -> None:
    """Each run goes on with the halves from the ledger; what was in the air at a kill is unknown."""
    throw, seed = dice()
    campaign = stage.campaign(place, chunks=20 if LONG else 4, numbers_per_call=32, mess=False)
    bad = tuple(throw.choice(campaign.chunk(chunk)) for chunk in range(0, len(campaign.numbers) // 32, 2))
    stage.sandbox.gateway.add_fault(f"code:{_CODE}", numbers=bad)
    kills = _kill_again_and_again(stage, campaign, throw)

    last = stage.run(campaign)

    assert last.code in (0, 3), (seed, last.stderr)
    assert stage.faults(campaign) == [], seed
    statuses = stage.statuses(campaign)
    assert statuses.keys() <= {("accepted", None), ("failed", _CODE), ("unknown", "interrupted")}, seed
    failed = stage.results(campaign).filter(status="failed")["phone_number"]
    assert {number.removeprefix("+") for number in failed} <= set(bad), seed
    unknown = statuses.get(("unknown", "interrupted"), 0)
    assert statuses.get(("failed", _CODE), 0) + unknown >= len(bad), seed
    assert (unknown > 0) <= (kills > 0), seed
    calls = [sum(chunk_of(arrival) == chunk for arrival in stage.arrivals(campaign)) for chunk in range(0, 4, 2)]
    assert max(calls) <= 1 + 2 * 5, (seed, calls)


@pytest.mark.skipif(not LONG, reason="2,000 numbers")
def test_kills_while_the_size_of_calls_is_found_cost_nobody_the_text(stage: Stage) -> None:
    """An account of 250 numbers a call that was told 1,000, killed and resumed with both."""
    throw, seed = dice()
    campaign = stage.campaign("local", chunks=4, numbers_per_call=1_000, calls_per_second=4, mess=False)
    kills = _kill_again_and_again(stage, campaign, throw)

    last = stage.run(replace(campaign, numbers_per_call=250))

    assert last.code in (0, 3), (seed, last.stderr)
    assert stage.faults(campaign) == [], seed
    assert stage.statuses(campaign).keys() <= {("accepted", None), ("unknown", "interrupted")}, seed
    assert kills, seed


def _kill_again_and_again(stage: Stage, campaign: Campaign, throw: random.Random) -> int:
    kills = 0
    for _ in range(_KILLS):
        command: Command = stage.start(campaign)
        wanted = stage.sandbox.gateway.stats().calls + throw.randint(2, 12)
        if stage.await_arrivals(wanted, command) and not command.ends_within(throw.uniform(0.0, 0.1)):
            command.kill()
            kills += 1
        else:
            command.wait()
    return kills
