"""SIGKILL at any instant, any number of times, then the same command again."""

import random
from collections.abc import Callable, Mapping, Sequence

import polars as pl
import pytest

from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from tests.chaos.campaign_under_test import CALLS_PER_SECOND, Campaign, Stage, chunk_of, claim_of
from tests.chaos.command_process import Command
from tests.chaos.long_form import LONG, dice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# A record is written a moment after the answer: on a busy machine so many more answers, a second's, may have come.
_MOST_ANSWERS_BEFORE_A_RECORD = CALLS_PER_SECOND
# A claim is made as long before its turn as the last claims took: so many may wait for their turn, half a second's.
_MOST_CLAIMED_AHEAD = 10

Aim = Callable[[Stage, Command, random.Random], object]


def _at_any_time(_stage: Stage, command: Command, throw: random.Random) -> object:
    return command.ends_within(throw.uniform(0.2, 8.0))


def _while_planning(_stage: Stage, command: Command, throw: random.Random) -> object:
    return command.await_step("reading and validating the lists") and command.ends_within(throw.uniform(0.0, 0.3))


def _while_sending(stage: Stage, command: Command, throw: random.Random) -> object:
    wanted = stage.sandbox.gateway.stats().calls + throw.randint(1, 25)
    return stage.await_arrivals(wanted, command) and command.ends_within(throw.uniform(0.0, 0.1))


def _while_writing_results(_stage: Stage, command: Command, throw: random.Random) -> object:
    return command.await_step("writing the results") and command.ends_within(throw.uniform(0.0, 0.2))


_SHORT: dict[str, Sequence[Aim]] = {
    "s3": (_while_planning, _while_sending, _while_sending, _while_writing_results),
    "local, recorded": (_while_sending,),
}
_SENDING = (_while_sending,) * 5
_LONG: dict[str, Sequence[Aim]] = {
    "s3": (_at_any_time, _while_planning, *_SENDING, _while_writing_results),
    "local": (_while_planning, _at_any_time, *_SENDING, _while_writing_results),
    "s3, a second time": (*_SENDING, _at_any_time),
    "local, a second time": (*_SENDING, _at_any_time),
    "s3, at random": (_at_any_time, _while_sending) * 4,
    "local, at random": (_at_any_time, _while_sending) * 4,
    "s3, recorded": (_at_any_time, _while_planning, *_SENDING, _while_writing_results),
    "local, recorded": (_while_planning, _at_any_time, *_SENDING, _while_writing_results),
    "s3, without a server": (_at_any_time, _while_planning, *_SENDING, _while_writing_results),
    "local, without a server": (_while_planning, _at_any_time, *_SENDING, _while_writing_results),
}
_CASES = _LONG if LONG else _SHORT


@pytest.mark.parametrize("case", _CASES)
def test_a_campaign_that_is_killed_again_and_again_sends_to_each_number_once(stage: Stage, case: str) -> None:
    """Every row is in the results; what was in the air at a kill is unknown, and nothing else is."""
    throw, seed = dice()
    place, _, way = case.partition(", ")
    stage.recorded = {"recorded": True, "without a server": False}.get(way)
    campaign = stage.campaign(place, chunks=200 if LONG else 90)
    kills: list[float] = []
    for aim in _CASES[case]:
        command = stage.start(campaign)
        aim(stage, command, throw)
        if command.running:
            kills.append(command.kill())
        else:
            assert command.wait() in (0, 3), command.stderr
    print(f"{seed}: {len(kills)} kills of {campaign.id}")  # noqa: T201

    last = stage.run(campaign)

    assert last.code in (0, 3), (seed, last.stderr)
    assert stage.faults(campaign) == [], seed
    assert kills, seed
    assert_only_kills_made_chunks_unknown(stage, campaign, kills, seed)
    assert (last.code == 3) == any(status == "unknown" for status, _ in stage.statuses(campaign))


def assert_only_kills_made_chunks_unknown(stage: Stage, campaign: Campaign, kills: Sequence[float], seed: str) -> None:
    """Every unknown chunk was in the air at a kill, or claimed a moment before one; the rest was accepted."""
    assert {status for status, _ in stage.statuses(campaign)} <= {"accepted", "unknown"}, seed
    unknown = stage.results(campaign).filter(pl.col("status") == "unknown")
    assert set(unknown["reason"]) <= {"interrupted"}, seed
    calls: dict[int, Arrival] = {chunk_of(arrival): arrival for arrival in stage.arrivals(campaign)}
    chunks = set(unknown["chunk"])
    unexplained = {
        chunk for chunk in chunks if chunk in calls and not any(_was_open(calls[chunk], kill, calls) for kill in kills)
    }
    assert not unexplained, (seed, unexplained)
    assert len(chunks - calls.keys()) <= _MOST_CLAIMED_AHEAD * len(kills), (seed, chunks - calls.keys())
    assert {claim_of(arrival) for arrival in calls.values()} <= stage.keys(campaign, "claims"), seed


def _was_open(arrival: Arrival, kill: float, calls: Mapping[int, Arrival]) -> bool:
    later = sum(_answered(arrival) < _answered(other) < kill for other in calls.values())
    return arrival.monotonic <= kill and later <= _MOST_ANSWERS_BEFORE_A_RECORD


def _answered(arrival: Arrival) -> float:
    return arrival.monotonic + (arrival.duration or 0.0)
