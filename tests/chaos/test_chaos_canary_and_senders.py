"""SIGKILL, unclear answers and resumes against canaries, senders by country and tests to own numbers."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.campaign_under_test import Campaign, Stage, chunk_of, fresh_numbers
from tests.chaos.command_process import Command
from tests.chaos.long_form import LONG, dice, long_form
from tests.chaos.results_against_log import Row

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SENDERS = {"65": "Acme", "66": "Orchid", "91": "12345"}
BY_COUNTRY = ("--sender-id=SG=Acme", "--sender-id=TH=Orchid", "--sender-id=*=12345")
HIGHER_LIMIT, RESEND = "--max-failure-rate=1", "--on-unknown=resend"
IN_VAIN = "a resend in vain, then a higher limit"
WAYS_ON = [IN_VAIN, HIGHER_LIMIT, RESEND] if LONG else [IN_VAIN]
PLACES = ["local", "s3"] if LONG else ["local"]
CHECKING = "checking the canary"
CANARY = 113
EVERYBODY = 600 if LONG else 400

Aim = Callable[[Stage, Campaign, Command, random.Random], object]


def _in_the_canary(stage: Stage, campaign: Campaign, command: Command, throw: random.Random) -> object:
    canary = campaign.numbers[:CANARY]
    wanted = stage.calls_to(campaign, canary) + throw.randint(1, 9)
    return stage.await_event(
        lambda: stage.calls_to(campaign, canary) >= wanted or CHECKING in command.stderr, command, "calls of the canary"
    ) and command.ends_within(throw.uniform(0.0, 0.1))


def _after_the_canary(_stage: Stage, _campaign: Campaign, command: Command, throw: random.Random) -> object:
    return command.await_step(CHECKING) and command.ends_within(throw.uniform(0.0, 0.2))


def _in_the_rest(stage: Stage, campaign: Campaign, command: Command, throw: random.Random) -> object:
    rest = campaign.numbers[CANARY:]
    wanted = stage.calls_to(campaign, rest) + throw.randint(1, 15)
    return stage.await_calls_to(campaign, rest, wanted, command) and command.ends_within(throw.uniform(0.0, 0.1))


def _at_any_time(_stage: Stage, _campaign: Campaign, command: Command, throw: random.Random) -> object:
    return command.ends_within(throw.uniform(1.0, 7.0))


_ONE_OF_EACH = (_in_the_canary, _after_the_canary, _in_the_rest)
_CASES: dict[str, Sequence[Aim]] = {"local": _ONE_OF_EACH}
if LONG:
    _CASES |= {
        "s3": _ONE_OF_EACH,
        "local, in the canary": (*(_in_the_canary,) * 4, *(_after_the_canary,) * 2, *(_in_the_rest,) * 2),
        "s3, in the canary": (*(_in_the_canary,) * 4, *(_after_the_canary,) * 2, *(_in_the_rest,) * 2),
        "local, at random": (_at_any_time,) * 8,
        "s3, at random": (_at_any_time,) * 8,
    }


@long_form
@pytest.mark.parametrize("case", _CASES)
def test_a_canary_of_three_senders_goes_first_whatever_is_killed(stage: Stage, case: str) -> None:
    """Nobody else is called before all of it is answered, nobody twice, and no call mixes senders."""
    throw, seed = dice()
    campaign = stage.campaign(
        *(case.partition(",")[0], f"--canary={CANARY}", "--max-failure-rate=1", *BY_COUNTRY),
        numbers=of_three_countries(EVERYBODY),
        numbers_per_call=5,
    )
    stage.sandbox.gateway.add_fault("throttle", every=11)
    stage.sandbox.gateway.add_fault("http_500", every=19)
    stage.sandbox.gateway.add_fault("reset", every=23)
    if LONG:
        stage.sandbox.gateway.add_fault("hang", every=61)
    kills = 0
    for aim in _CASES[case]:
        command = stage.start(campaign)
        aim(stage, campaign, command, throw)
        if command.running:
            command.kill()
            kills += 1
        else:
            assert command.wait() in (0, 3), (seed, command.stderr)
    print(f"{seed}: {kills} kills of {campaign.id}")  # noqa: T201

    last = stage.run(campaign)

    assert kills, seed
    assert last.code in (0, 3), (seed, last.stderr)
    assert stage.faults(campaign) == [], seed
    assert {status for status, _ in stage.statuses(campaign)} <= {"accepted", "unknown"}, seed
    assert_the_canary_was_first(stage, campaign, seed)
    assert [
        (arrival.sender, number)
        for arrival in stage.arrivals(campaign)
        for number in arrival.numbers
        if arrival.sender != SENDERS[number[:2]]
    ] == [], seed


def of_three_countries(count: int) -> list[str]:
    """So many numbers of Singapore, Thailand and India, of each in turn."""
    return [
        (number, f"66{number[2:]}0", f"91{number[2:]}00".replace("9181", "9198"))[at % 3]
        for at, number in enumerate(fresh_numbers(count))
    ]


def assert_the_canary_was_first(stage: Stage, campaign: Campaign, seed: str) -> None:
    """Every call to it had its answer before the first call to anybody else came."""
    canary = frozenset(campaign.numbers[:CANARY])
    arrivals = stage.arrivals(campaign)
    mixed = [arrival.numbers for arrival in arrivals if 0 < len(canary.intersection(arrival.numbers)) < arrival.count]
    assert mixed == [], seed
    answered = [one.monotonic + (one.duration or 0.0) for one in arrivals if not canary.isdisjoint(one.numbers)]
    others = [one.monotonic for one in arrivals if canary.isdisjoint(one.numbers)]
    assert max(answered) < min(others), seed


@long_form
@pytest.mark.parametrize("place", ["local", "s3"])
def test_a_canary_with_all_other_controls_goes_first_and_once_whatever_is_killed_and_changed(
    stage: Stage, place: str
) -> None:
    """Senders by country, hours that Britain is outside of; options that may change do, others may not."""
    throw, seed = dice()
    options = (f"--canary={CANARY}", *BY_COUNTRY, asian_hours())
    numbers = [number if at % 10 else f"447400{at:06}" for at, number in enumerate(of_three_countries(EVERYBODY))]
    campaign = stage.campaign(place, *options, numbers=numbers, numbers_per_call=5, mess=False)
    print(f"{seed}: {campaign.id}")  # noqa: T201
    stage.sandbox.gateway.add_fault("throttle", every=11)
    stage.sandbox.gateway.add_fault("http_500", every=19)
    stage.sandbox.gateway.add_fault("reset", every=23)
    for aim in (_in_the_canary, _at_any_time, _in_the_canary, _after_the_canary, _in_the_rest, _at_any_time):
        command = stage.start(campaign, *other_limits(throw))
        aim(stage, campaign, command, throw)
        command.kill()
    for option in options[:2]:
        changed = replace(campaign, options=tuple(given for given in campaign.options if given != option))
        refused = stage.run(changed)
        assert refused.code == 2, (seed, refused.stderr)
        assert "started with other settings" in refused.stderr, seed
    assert stage.run(campaign, *other_limits(throw)).code == 3, seed
    assert stage.faults(campaign) == [], seed
    assert_the_canary_was_first(stage, campaign, seed)

    resends = stage.start(campaign, *other_limits(throw), RESEND)
    resends.ends_within(throw.uniform(3.0, 7.0))
    resends.kill()
    last = stage.run(campaign, *other_limits(throw))
    assert last.code == 3, (seed, last.stderr)
    assert stage.faults(campaign, resent=campaign.numbers) == [], seed
    britons = [number for number in campaign.numbers if number.startswith("44")]
    statuses = stage.statuses(campaign)
    assert statuses.pop(("not_sent", "quiet_hours")) == len(britons), seed
    assert {status for status, _ in statuses} <= {"accepted", "unknown"}, seed
    assert stage.calls_to(campaign, britons) == 0, seed


def asian_hours() -> str:
    """Hours in which India, Thailand and Singapore are for the coming hour and more, and Britain is not."""
    now = datetime.now(UTC)
    return f"--hours={now + timedelta(hours=5):%H:%M}-{now + timedelta(hours=10):%H:%M}"


def other_limits(throw: random.Random) -> tuple[str, str]:
    """Options that a resume may change."""
    return f"--max-failure-rate={throw.choice((0.8, 0.9, 1))}", f"--hours-wait={throw.choice(('0h', '1m', '2h'))}"


@pytest.mark.parametrize("way_on", WAYS_ON)
@pytest.mark.parametrize("place", PLACES)
def test_a_canary_that_failed_lets_nobody_follow_until_it_is_told_to(stage: Stage, place: str, way_on: str) -> None:
    """Killed while it is checked again it stays failed; killed on the way on it goes on, and nobody is texted twice."""
    throw, seed = dice()
    campaign = stage.campaign(place, "--canary=35", chunks=60)
    canary, rest = campaign.numbers[:35], campaign.numbers[35:]
    lost = {*campaign.chunk(0), *campaign.chunk(1)}
    stage.sandbox.gateway.add_fault("http_500", number=campaign.chunk(0)[0])
    stage.sandbox.gateway.add_fault("accept_then_drop", number=campaign.chunk(1)[0])
    for attempt in ("first", "again"):
        failed = stage.run(campaign)
        assert failed.code == 1, (attempt, seed, failed.stderr)
        assert stage.statuses(campaign) == {
            ("accepted", None): 15,
            ("unknown", "InternalError"): 10,
            ("unknown", "no_reply"): 10,
            ("not_sent", "stopped"): 565,
        }, attempt
        for _ in range(3 if LONG else 1) if attempt == "first" else ():
            checked = stage.start(campaign)
            assert checked.await_step(CHECKING), (seed, checked.stderr)
            checked.ends_within(throw.uniform(0.0, 0.3))
            checked.kill()
    assert presentations(stage, campaign, range(4)) == [1, 1, 1, 1], seed
    if way_on == IN_VAIN:
        assert stage.run(campaign, RESEND).code == 1, seed
        assert presentations(stage, campaign, range(4)) == [2, 2, 1, 1], seed
    assert stage.calls_to(campaign, rest) == 0, seed
    assert stage.faults(campaign, resent=lost) == [], seed

    stage.sandbox.gateway.clear_faults()
    option = RESEND if way_on == RESEND else HIGHER_LIMIT
    goes_on = stage.start(campaign, option)
    stage.await_calls_to(campaign, rest, throw.randint(1, 20), goes_on)
    goes_on.kill()
    last = stage.run(campaign, *([] if option == RESEND else [option]))
    assert last.code in (0, 3), (seed, last.stderr)
    resent = set[str]() if way_on == HIGHER_LIMIT else lost
    assert stage.faults(campaign, resent=resent) == [], seed
    assert {status for status, _ in stage.statuses(campaign)} <= {"accepted", "unknown"}, seed
    times = 2 if resent else 1
    assert presentations(stage, campaign, range(4)) == [times, times, 1, 1], seed
    assert stage.calls_to(campaign, canary) == 2 * times + 2, seed


def presentations(stage: Stage, campaign: Campaign, chunks: range) -> list[int]:
    """How many calls each of these chunks has had."""
    calls = Counter(chunk_of(arrival) for arrival in stage.arrivals(campaign))
    return [calls[chunk] for chunk in chunks]


@long_form  # in short, without kills: tests/integration/test_send_command.py
@pytest.mark.parametrize("place", PLACES)
def test_a_test_to_own_numbers_that_is_killed_texts_each_once_and_nobody_else(stage: Stage, place: str) -> None:
    """Each from the sender of the row whose text it gets; run again when all is done, it makes no call."""
    throw, seed = dice()
    campaign = stage.campaign(
        place, *BY_COUNTRY, numbers=of_three_countries(60), numbers_per_call=2, calls_per_second=5
    )
    own = fresh_numbers(20)
    options = [f"--test-to=+{number}" for number in own]
    stage.sandbox.gateway.add_fault("throttle", every=5)
    stage.sandbox.gateway.add_fault("reset", every=7)
    commands: list[Command] = []
    for _ in range(8 if LONG else 2):
        commands.append(stage.start(campaign, *options))
        wanted = stage.calls_to(campaign, own) + throw.randint(1, 4)
        stage.await_calls_to(campaign, own, wanted, commands[-1])
        commands[-1].kill()
    commands += [stage.run(campaign, *options), stage.run(campaign, *options)]

    done = [json.loads(command.stdout.splitlines()[-1]) for command in commands[-2:]]
    test = replace(
        campaign,
        id=done[0]["campaign"],
        rows=tuple(Row("--test-to", row, f"+{number}", number=number) for row, number in enumerate(own)),
    )
    assert stage.faults(test) == [], seed
    assert {status for status, _ in stage.statuses(test)} <= {"accepted", "unknown"}, seed
    assert (done[1]["campaign"], done[1]["calls"]) == (test.id, 0), seed
    senders = {number: arrival.sender for arrival in stage.arrivals(campaign) for number in arrival.numbers}
    assert senders.keys() <= set(own), seed
    rows = dict(zip(own, campaign.numbers, strict=False))
    assert senders == {number: SENDERS[rows[number][:2]] for number in senders}, seed
    for command in commands:
        assert not [number for number in own if number in command.stdout + command.stderr], seed
