"""SIGKILL against a campaign that asks before its canary and again before the others."""

import random
import time
from collections.abc import Callable, Sequence

import pytest

from tests.chaos.approval_operators import AFTER_CANARY, FIRST, Asked, AtTerminal, Deployed, InPrefect
from tests.chaos.campaign_under_test import Campaign, Stage
from tests.chaos.long_form import LONG, dice, long_form
from tests.waiting import LONGEST_WAIT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CANARY = 214 if LONG else 58
EVERYBODY = 480 if LONG else 160
DECLINED = ("not_sent", "declined")
_WAYS: dict[str, Callable[[Stage, Campaign], Asked]] = {
    "at a terminal": AtTerminal,
    "at a terminal, recorded": AtTerminal,
    "in Prefect": InPrefect,
    "deployed": Deployed,
}
_KILLS = {"asking": 2, "sending": 3} if LONG else {"asking": 1, "sending": 1}
# A run of a deployment doesn't take results in the tests' temporary folder.
_PLACES = {way: ("s3",) if way == "deployed" else ("local", "s3") for way in _WAYS}
_CASES = [(way, place) for way in _WAYS for place in _PLACES[way]] if LONG else [("at a terminal", "local")]


def campaign_that_asks(stage: Stage, place: str, *options: str) -> Campaign:
    """A campaign that asks twice, whose gateway leaves some calls unknown and throttles others."""
    stage.sandbox.gateway.add_fault("throttle", every=11)
    stage.sandbox.gateway.add_fault("http_500", every=17)
    return stage.campaign(
        *(place, f"--canary={CANARY}", "--approve-above=0", "--max-failure-rate=1", *options),
        chunks=EVERYBODY // 4,
        numbers_per_call=4,
    )


@pytest.mark.parametrize(("way", "place"), _CASES)
def test_nobody_but_the_canary_is_texted_before_the_second_yes_whatever_is_killed(
    stage: Stage, way: str, place: str
) -> None:
    """While somebody is asked, in the canary, while they are asked again, after a no, and in the rest."""
    throw, seed = dice()
    stage.recorded = way != "at a terminal"
    campaign = campaign_that_asks(stage, place)
    canary, rest = campaign.numbers[:CANARY], campaign.numbers[CANARY:]
    print(f"{seed}: {campaign.id}")  # noqa: T201

    run = _WAYS[way](stage, campaign)
    for _ in range(_KILLS["asking"] if LONG else 0):
        assert run.await_question(FIRST), (seed, run.command.stderr)
        kill_soon(run, throw)
        assert stage.arrivals(campaign) == [], seed
        run.start()
    assert run.await_question(FIRST), (seed, run.command.stderr)
    assert stage.arrivals(campaign) == [], seed
    run.answer(yes=True)
    for _ in range(_KILLS["sending"]):
        kill_in(stage, campaign, canary, run, throw)
        assert stage.calls_to(campaign, rest) == 0, seed
        run.start()
    for _ in range(_KILLS["asking"]):
        assert run.await_question(AFTER_CANARY), (seed, run.command.stderr)
        kill_soon(run, throw)
        assert_only_the_canary_went(stage, campaign, seed)
        run.start()
    assert run.await_question(AFTER_CANARY), (seed, run.command.stderr)
    run.answer(yes=False)
    assert run.command.ends_within(LONGEST_WAIT), (seed, run.command.stderr)
    assert_declined(stage, campaign, run, seed)

    run.start()
    assert run.await_question(AFTER_CANARY), (seed, run.command.stderr)
    assert_only_the_canary_went(stage, campaign, seed)
    yes = time.monotonic()
    run.answer(yes=True)
    for _ in range(_KILLS["sending"]):
        kill_in(stage, campaign, rest, run, throw)
        run.start()
    assert run.command.wait() in ((0, 3) if way.startswith("at a terminal") else (0,)), (seed, run.command.stderr)
    assert_all_went(stage, campaign, yes, seed)


def kill_soon(run: Asked, throw: random.Random) -> None:
    """Kill it while it asks."""
    run.command.ends_within(throw.uniform(0.0, 0.3))
    run.command.kill()


def kill_in(stage: Stage, campaign: Campaign, numbers: Sequence[str], run: Asked, throw: random.Random) -> None:
    """Kill it after a few more calls to these numbers."""
    wanted = stage.calls_to(campaign, numbers) + throw.randint(1, 4)
    stage.await_calls_to(campaign, numbers, wanted, run.command)
    run.command.ends_within(throw.uniform(0.0, 0.1))
    run.command.kill()


def assert_only_the_canary_went(stage: Stage, campaign: Campaign, seed: str) -> None:
    """All of it, and the results as they stand account for everybody: nobody has said yes to the others."""
    assert stage.calls_to(campaign, campaign.numbers[CANARY:]) == 0, seed
    statuses = stage.statuses(campaign)
    assert statuses.pop(DECLINED) == EVERYBODY - CANARY, seed
    assert {status for status, _ in statuses} <= {"accepted", "unknown"}, seed
    assert stage.faults(campaign) == [], seed


def assert_declined(stage: Stage, campaign: Campaign, run: Asked, seed: str) -> None:
    """A no at the second question: exit code, state and results say so."""
    assert_only_the_canary_went(stage, campaign, seed)
    if stage.recorded:
        (latest, *_) = stage.prefect.flow_runs(campaign.id)
        assert (latest["state_type"], latest["state_name"]) == ("CANCELLED", "Declined"), seed
    if not isinstance(run, Deployed):  # Prefect's engine prints a traceback of what ends a run
        run.command.check_output()
    if isinstance(run, AtTerminal):
        assert run.command.wait() == 3, (seed, run.command.stderr)
        assert "only the canary was sent" in " ".join(run.command.stderr.split()), seed


def assert_all_went(stage: Stage, campaign: Campaign, yes: float, seed: str) -> None:
    """Everybody once, and the others after the yes (monotonic time in seconds)."""
    assert stage.faults(campaign) == [], seed
    assert {status for status, _ in stage.statuses(campaign)} <= {"accepted", "unknown"}, seed
    canary = frozenset(campaign.numbers[:CANARY])
    early = [one.numbers for one in stage.arrivals(campaign) if canary.isdisjoint(one.numbers) and one.monotonic < yes]
    mixed = [one.numbers for one in stage.arrivals(campaign) if 0 < len(canary.intersection(one.numbers)) < one.count]
    assert (early, mixed) == ([], []), seed


@long_form
def test_a_deployed_run_that_is_retried_sends_what_was_approved_and_asks_for_nothing_twice(stage: Stage) -> None:
    """Its process is lost in the canary, and again in the rest; Retry is pressed in Prefect's UI."""
    throw, seed = dice()
    stage.recorded = True
    campaign = campaign_that_asks(stage, "s3")
    run = Deployed(stage, campaign)
    assert run.await_question(FIRST), (seed, run.command.stderr)
    run.answer(yes=True)
    kill_in(stage, campaign, campaign.numbers[:CANARY], run, throw)
    run.retry()
    assert run.await_question(AFTER_CANARY), (seed, run.command.stderr)
    assert_only_the_canary_went(stage, campaign, seed)
    yes = time.monotonic()
    run.answer(yes=True)
    kill_in(stage, campaign, campaign.numbers[CANARY:], run, throw)
    run.retry()
    assert run.command.wait() == 0, (seed, run.command.stderr)
    assert_all_went(stage, campaign, yes, seed)
