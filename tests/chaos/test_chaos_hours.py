"""SIGKILL while places open and close: no call leaves outside its recipients' hours, nobody is lost or texted twice.

The clocks are the real ones: hours are chosen so that, some seconds after the test begins, Singapore's hours end and
Thailand's begin. India's begin an hour and a half later: a run that is done with the others waits for them.
"""

import itertools
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.chaos.campaign_under_test import CALLS_PER_SECOND, Campaign, Stage
from tests.chaos.command_process import Command
from tests.chaos.long_form import dice, long_form

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SINGAPORE, THAILAND, INDIA = "6581", "6681", "9198"
# From UTC; none of the three changes its clocks.
OFFSETS = {
    SINGAPORE: timedelta(hours=8),
    THAILAND: timedelta(hours=7),
    INDIA: timedelta(hours=5, minutes=30),
}
_DIGITS = {SINGAPORE: 6, THAILAND: 7, INDIA: 8}
_OPEN = timedelta(hours=1)
_DAY = timedelta(days=1)
_TO_THE_MARK = 10.0  # seconds: mostly a run is sending by then
_HOLD = 8.0  # seconds for which the gateway wants no call, when it is at its worst
_NUMBERS_PER_CALL = 2
_CASES = ["local", "s3", "local, at random", "s3, at random"]


@dataclass(frozen=True, slots=True)
class Mark:
    """The moment (Unix time) at which Singapore closes and Thailand opens; at least so many seconds from now."""

    at: float

    @classmethod
    def ahead(cls, seconds: float) -> "Mark":
        """Return the next whole minute that is so far away: hours know none finer."""
        return cls(-(-(time.time() + seconds) // 60) * 60)

    @property
    def option(self) -> str:
        """The hours, as the command line takes them."""
        closes = datetime.fromtimestamp(self.at, UTC) + OFFSETS[SINGAPORE]
        return f"--hours={closes - _OPEN:%H:%M}-{closes:%H:%M}"

    def is_open(self, number: str, wall: float) -> bool:
        """Whether somebody with this number may be texted at a Unix time."""
        opened = datetime.fromtimestamp(self.at, UTC) + OFFSETS[SINGAPORE] - _OPEN
        local = datetime.fromtimestamp(wall, UTC) + OFFSETS[number[:4]]
        return (local - opened) % _DAY < _OPEN


def people(**counts: int) -> list[str]:
    """So many numbers of each place, one of each in turn."""
    places = {"singapore": SINGAPORE, "thailand": THAILAND, "india": INDIA}
    columns = [
        [f"{places[name]}{at:0{_DIGITS[places[name]]}}" for at in range(count)] for name, count in counts.items()
    ]
    return [number for row in itertools.zip_longest(*columns) for number in row if number is not None]


def await_wait(stage: Stage, command: Command) -> bool:
    """Wait until the run says that it waits for somebody's hours; False if it ended before."""
    said = ("wait for the hours", "outside --hours, waiting")  # in Prefect's log, and without a server
    return stage.await_event(lambda: any(words in command.stderr for words in said), command, "a wait for hours")


def to(campaign: Campaign, *places: str) -> list[str]:
    """The campaign's numbers in these places."""
    return [number for number in campaign.numbers if number[:4] in places]


@long_form
@pytest.mark.parametrize("case", _CASES)
def test_whatever_is_killed_no_call_leaves_outside_the_hours_of_its_recipients(stage: Stage, case: str) -> None:
    """Two campaigns share the account: the one is sending when Singapore closes, the other waits for Thailand.

    In the end only those are left who were outside their hours all the time that was left.
    """
    throw, seed = dice()
    place = case.partition(",")[0]
    mark = Mark.ahead(_TO_THE_MARK + throw.uniform(0.0, 3.0))
    too_many = int((mark.at - time.time()) * CALLS_PER_SECOND + 60) * _NUMBERS_PER_CALL
    closing, waiting = (
        stage.campaign(
            *(place, mark.option, "--max-failure-rate=1"),
            numbers=people(singapore=singapore, thailand=90, india=9),
            numbers_per_call=_NUMBERS_PER_CALL,
            PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="INFO",
        )
        for singapore in (too_many, 11)
    )
    print(f"{seed}: {mark.option} of {closing.id} and {waiting.id}")  # noqa: T201
    stage.sandbox.gateway.add_fault("throttle", every=17)
    stage.sandbox.gateway.add_fault("http_500", every=23)
    stage.sandbox.gateway.add_fault("reset", every=29)

    closes, waits = stage.start(closing), stage.start(waiting)
    await_wait(stage, waits)
    waits.ends_within(throw.uniform(0.0, 1.0))
    waits.kill()
    waits = stage.start(waiting)
    stage.await_calls_to(closing, closing.numbers, throw.randint(1, 20), closes)
    closes.kill()
    closes = stage.start(closing)
    closes.ends_within(max(0.0, mark.at - _HOLD / 2 - 2.0 - time.time()))
    # What was handed out while Singapore was open is held until it is closed.
    stage.sandbox.gateway.add_fault("throttle", next=1, retry_after_ms=int(_HOLD * 1_000))
    closes.ends_within(max(0.0, mark.at + throw.uniform(-1.0, _HOLD) - time.time()))
    closes.kill()
    closes = stage.start(closing)
    stage.await_calls_to(waiting, to(waiting, THAILAND), throw.randint(1, 20), waits)
    waits.kill()
    stage.await_calls_to(closing, to(closing, THAILAND), throw.randint(1, 20), closes)
    closes.kill()
    for campaign in (closing, waiting):
        kill_at_random(stage, campaign, throw)
    closes, waits = stage.start(closing), stage.start(waiting)
    for campaign, command in ((closing, closes), (waiting, waits)):
        assert await_wait(stage, command), (seed, command.stderr)
        command.kill()
        last = stage.run(campaign, "--hours-wait=0h")
        assert last.code == 3, (seed, last.stderr)
        assert stage.faults(campaign) == [], seed
        assert_hours_were_kept(stage, campaign, mark, seed)
    assert outside(stage, waiting).keys() <= {SINGAPORE, INDIA}, seed
    assert outside(stage, closing).keys() == {SINGAPORE, INDIA}, seed
    assert stage.calls_to(closing, to(closing, INDIA)) == stage.calls_to(waiting, to(waiting, INDIA)) == 0, seed


@long_form
def test_a_resume_of_a_killed_run_sends_nothing_after_the_end_and_a_later_end_goes_on(stage: Stage) -> None:
    """Nor may Alibaba hand on a text after it: what each call says of its texts' validity ends before."""
    campaign = stage.campaign("local", chunks=160)
    killed = stage.start(campaign)
    stage.await_arrivals(5, killed)
    killed.kill()
    before = len(stage.arrivals(campaign))
    ends = datetime.now(UTC) + timedelta(seconds=7)
    assert stage.run(campaign, f"--until={ends.isoformat()}").code == 3
    for arrival in stage.arrivals(campaign)[before:]:
        assert arrival.validity is not None
        assert arrival.wall + arrival.validity <= ends.timestamp()
    assert stage.faults(campaign) == []
    statuses = stage.statuses(campaign)
    assert statuses["not_sent", "expired"] > 0
    assert statuses.keys() <= {("accepted", None), ("unknown", "interrupted"), ("not_sent", "expired")}
    later = stage.run(campaign, f"--until={(ends + timedelta(hours=1)).isoformat()}")
    assert later.code == (3 if ("unknown", "interrupted") in statuses else 0), later.stderr
    assert stage.statuses(campaign).keys() <= {("accepted", None), ("unknown", "interrupted")}
    assert stage.faults(campaign) == []


@long_form
@pytest.mark.parametrize("place", ["local", "s3"])
def test_a_canary_goes_in_its_hours_and_before_all_others_whatever_is_killed(stage: Stage, place: str) -> None:
    """Some of it goes before the mark, some waits for it, and some is outside for longer than the run waits."""
    throw, seed = dice()
    mark = Mark.ahead(_TO_THE_MARK + throw.uniform(0.0, 3.0))
    campaign = stage.campaign(
        *(place, mark.option, "--canary=90", "--hours-wait=2m", "--max-failure-rate=1"),
        numbers=people(singapore=60, thailand=200, india=60),
        numbers_per_call=_NUMBERS_PER_CALL,
    )
    print(f"{seed}: {mark.option} of {campaign.id}")  # noqa: T201
    stage.sandbox.gateway.add_fault("http_500", every=23)
    kill_at_random(stage, campaign, throw)
    first = stage.start(campaign)
    stage.await_calls_to(campaign, campaign.numbers[90:], throw.randint(1, 20), first)
    first.kill()
    last = stage.run(campaign)
    assert last.code == 3, (seed, last.stderr)
    assert stage.faults(campaign) == [], seed
    assert_hours_were_kept(stage, campaign, mark, seed)
    assert outside(stage, campaign).keys() <= {SINGAPORE, INDIA}, seed
    canary = frozenset(campaign.numbers[:90])
    order = [not canary.isdisjoint(arrival.numbers) for arrival in stage.arrivals(campaign)]
    assert order == sorted(order, reverse=True), seed


def kill_at_random(stage: Stage, campaign: Campaign, throw: random.Random) -> None:
    """Start it and kill it at any moment, some times."""
    for _ in range(4):
        command = stage.start(campaign)
        command.ends_within(throw.uniform(2.0, 9.0))
        command.kill()


def assert_hours_were_kept(stage: Stage, campaign: Campaign, mark: Mark, seed: str) -> None:
    """By the gateway's clock, for each number of each call."""
    calls = [(arrival, number) for arrival in stage.arrivals(campaign) for number in arrival.numbers]
    late = [(number[:4], call.wall - mark.at) for call, number in calls if not mark.is_open(number, call.wall)]
    assert late == [], seed
    handed_on = [(number, call.wall + call.validity) for call, number in calls if call.validity]  # at the latest
    assert len(handed_on) == len(calls), seed
    assert [number[:4] for number, at in handed_on if not mark.is_open(number, at - 0.001)] == [], seed


def outside(stage: Stage, campaign: Campaign) -> dict[str, int]:
    """How many numbers of each place were not sent for their hours; nothing was left for another reason."""
    left = stage.results(campaign).filter(pl.col("status") == "not_sent")
    assert set(left["reason"]) <= {"quiet_hours"}
    return dict(left.group_by(pl.col("phone_number").str.slice(1, 4)).len().iter_rows())
