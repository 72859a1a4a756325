"""A campaign that is planned again and again, with other texts: all that was sent came from one plan, despite kills.

The runs differ in their sender and in the size of their calls, so that the log of the gateway tells their plans apart.
"""

import json
import random
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.campaign_under_test import Campaign, Stage
from tests.chaos.command_process import Command
from tests.chaos.long_form import LONG, dice, long_form

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

REFUSED = "was started with other settings"
TAKEN_OVER = "was taken over by another run"
STATUSES = {("accepted", None), ("unknown", "interrupted")}

Aim = Callable[[Stage, Campaign, Command, random.Random], object]


def with_sender(campaign: Campaign, name: str, size: int) -> Campaign:
    """Return the same campaign, from another sender and in calls of another size."""
    return replace(campaign, options=(f"--sender-id={name}",), numbers_per_call=size)


def document(stage: Stage, campaign: Campaign) -> dict[str, Any]:
    """Return campaign.json; empty before there is one."""
    body = stage.read(campaign, "campaign.json")
    return {} if body is None else json.loads(body)


def is_sending(stage: Stage, campaign: Campaign) -> bool:
    """Whether its plan is frozen."""
    return "sending_since" in document(stage, campaign)


def assert_sent_from_one_plan(stage: Stage, campaign: Campaign, why: str) -> None:
    """Each number got one text once, all of them from one sender; every row is in the results."""
    assert stage.faults(campaign) == [], why
    assert len({arrival.sender for arrival in stage.arrivals(campaign)}) == 1, why
    assert stage.statuses(campaign).keys() <= STATUSES, why


def _while_planning(_stage: Stage, _campaign: Campaign, command: Command, throw: random.Random) -> object:
    return command.await_step("reading and validating the lists") and command.ends_within(throw.uniform(0.0, 0.3))


def _after_its_plan(stage: Stage, campaign: Campaign, command: Command, throw: random.Random) -> object:
    before = document(stage, campaign).get("plan")
    planned: Callable[[], bool] = lambda: document(stage, campaign).get("plan") != before  # noqa: E731
    return stage.await_event(planned, command, "a plan") and command.ends_within(throw.uniform(0.0, 0.6))


def _at_its_first_claim(stage: Stage, campaign: Campaign, command: Command, throw: random.Random) -> object:
    begun: Callable[[], bool] = lambda: is_sending(stage, campaign)  # noqa: E731
    return stage.await_event(begun, command, "the beginning") and command.ends_within(throw.uniform(0.0, 0.05))


_SHORT: dict[str, Sequence[Aim]] = {"local": (_after_its_plan, _at_its_first_claim)}
_LONG: dict[str, Sequence[Aim]] = {
    f"{place}, {time}": (*(_while_planning, _after_its_plan) * 3, _at_its_first_claim)
    for place in ("local", "s3")
    for time in ("once", "twice", "again")
}
_CASES = _LONG if LONG else _SHORT


@pytest.mark.parametrize("case", _CASES)
def test_kills_while_it_is_planned_again_mix_no_plans(stage: Stage, case: str) -> None:
    """Each run has another text, until one begins to send: then others are refused, and a resume sends its text."""
    throw, seed = dice()
    campaign = stage.campaign(case.partition(",")[0], chunks=30)
    texts = [with_sender(campaign, f"Run{number}", throw.randint(3, 20)) for number in range(len(_CASES[case]) + 1)]
    for mine, aim in zip(texts, _CASES[case], strict=False):
        command = stage.start(mine)
        aim(stage, campaign, command, throw)
        if command.running:
            command.kill()
        else:
            assert command.wait() in (0, 2, 3), (seed, command.stderr)
            assert (command.code == 2) == (REFUSED in command.stderr), (seed, command.stderr)
    last = texts[-1]
    if is_sending(stage, campaign):
        frozen = str(document(stage, campaign)["settings"]["sender_id"])
        last = with_sender(campaign, frozen, last.numbers_per_call)
    ended = stage.run(last)
    assert ended.code in (0, 3), (seed, ended.stderr)
    assert_sent_from_one_plan(stage, campaign, seed)


@pytest.mark.parametrize("place", ["local", *(["s3"] if LONG else [])])
def test_two_runs_with_different_texts_at_once_send_one_of_them(stage: Stage, place: str) -> None:
    """One plans and sends; the other waits for it, and is refused as soon as a call may have left."""
    campaign = stage.campaign(place, chunks=20)
    commands = [stage.start(with_sender(campaign, name, size)) for name, size in (("One", 10), ("Two", 7))]
    assert sorted(command.wait() for command in commands) == [0, 2], [command.stderr for command in commands]
    (refused,) = (command for command in commands if command.code == 2)
    assert REFUSED in refused.stderr
    assert_sent_from_one_plan(stage, campaign, place)
    assert stage.statuses(campaign).keys() == {("accepted", None)}


@long_form
@pytest.mark.parametrize("place", ["local", "s3"])
@pytest.mark.parametrize("latest", [0.0, 0.3, 1.0])
def test_a_run_that_is_frozen_before_its_first_call_never_sends_its_text_beside_another(
    stage: Stage, place: str, latest: float
) -> None:
    """Frozen until its lease has expired, before or after it began to send; the other run has another text."""
    throw, seed = dice()
    campaign = stage.campaign(place, chunks=30)
    mine, other = with_sender(campaign, "Mine", 10), with_sender(campaign, "Other", 7)
    frozen = stage.start(mine)
    stage.await_event(lambda: bool(document(stage, campaign).get("plan")), frozen, "a plan")
    frozen.ends_within(throw.uniform(0.0, latest))
    frozen.send(signal.SIGSTOP)
    has_begun = is_sending(stage, campaign)
    second = stage.run(other)
    assert second.code == (2 if has_begun else 0), (seed, second.stderr)
    frozen.send(signal.SIGCONT)
    assert frozen.wait() in ((0, 1, 3) if has_begun else (1,)), (seed, frozen.stderr)
    if has_begun:
        assert stage.run(mine).code in (0, 3), seed
    else:
        assert TAKEN_OVER in frozen.stderr, (seed, frozen.stderr)
    assert_sent_from_one_plan(stage, campaign, seed)
    assert {arrival.sender for arrival in stage.arrivals(campaign)} == {"Mine" if has_begun else "Other"}, seed
