"""The tracker with a fake gateway, fake turns, a fake archive and fake clocks."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.delivery.open_messages import OPEN_SCHEMA
from globe_sms.tasks.delivery.tracker import FLUSH_MESSAGES, LONGEST_PAUSE, Tracker
from globe_sms.tasks.gateway.query_message import QueryOutcome, QueryResult
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError

START = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()


class Clock:
    """Time that passes only when somebody sleeps, or takes a turn."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return START + self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Turns:
    """A turn every hundredth of a second."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.throttles: list[float] = []
        self.fails: Exception | None = None

    async def take(self) -> None:
        if self.fails is not None:
            raise self.fails
        await self.clock.sleep(0.01)

    async def throttled(self, retry_after: float) -> None:
        self.throttles.append(retry_after)


class AtOnce(ThreadPoolExecutor):
    """Calls a function where it is asked for: in a thread it takes real time, in which this test's doesn't pass."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed on
            done.set_exception(error)
        return done


Answers = Callable[[str, int], QueryOutcome]


class Gateway:
    """Answers the nth query for an id as a function says."""

    def __init__(self, answers: Answers, clock: Clock) -> None:
        self.answers = answers
        self.asked: list[tuple[float, str]] = []
        self.times = Counter[str]()
        self.clock = clock

    async def ask(self, message_id: str, before_write: Callable[[], Awaitable[None]]) -> QueryOutcome:
        await before_write()
        self.asked.append((self.clock.now, message_id))
        self.times[message_id] += 1
        return self.answers(message_id, self.times[message_id])


def result(status: str = "1", **fields: str) -> QueryOutcome:
    """Answer with a state; the id is filled in by the client."""
    return QueryOutcome(QueryResult.STATE, {"To": "6581234567", "Status": status, "ErrorCode": "X", **fields}, "OK")


def with_id(answers: Answers) -> Answers:
    def filled(message_id: str, time: int) -> QueryOutcome:
        outcome = answers(message_id, time)
        return QueryOutcome(
            outcome.result,
            {**outcome.fields, "MessageId": message_id},
            outcome.code,
            outcome.advice,
            outcome.retry_after,
        )

    return filled


class Scene:
    """A tracking of some messages that were sent at the start."""

    def __init__(self, answers: Answers, count: int = 10, *, wait: float = 3_600, unpaired: bool = False) -> None:
        self.clock = Clock()
        self.turns = Turns(self.clock)
        self.gateway = Gateway(with_id(answers), self.clock)
        self.kept: list[pl.DataFrame] = []
        self.broken = 0
        rows = {
            "message_id": [str(number) for number in range(count)],
            "phone_number": [None if unpaired else "+6580000000"] * count,
            "task_id": ["c-3-100" if unpaired else None] * count,
            "sent_at": [datetime.fromtimestamp(START + 1_000, UTC)] * count,
        }
        self.tracker = Tracker(
            pl.DataFrame(rows, schema=OPEN_SCHEMA),
            self.gateway,
            self.turns,
            self.keep,
            most_in_air=5,
            wait=wait,
            clock=self.clock.wall,
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
        )

    def keep(self, states: pl.DataFrame) -> None:
        if self.broken:
            self.broken -= 1
            raise StoreUnavailableError("gone")
        self.kept.append(states)

    def run(self) -> Any:
        async def track() -> Any:
            asyncio.get_running_loop().set_default_executor(AtOnce())
            return await self.tracker.run()

        return asyncio.run(track())

    @property
    def archived(self) -> list[str]:
        return [message_id for states in self.kept for message_id in states["message_id"]]


def test_each_message_is_asked_once_when_all_have_ended() -> None:
    scene = Scene(lambda *_: result())
    progress = scene.run()
    assert Counter(asked for _, asked in scene.gateway.asked) == dict.fromkeys(map(str, range(10)), 1)
    assert (progress.open, progress.learned["delivered"], progress.stopped) == (0, 10, None)
    assert sorted(scene.archived) == sorted(map(str, range(10)))


def test_what_is_final_is_never_asked_again_and_the_rest_after_growing_pauses() -> None:
    scene = Scene(lambda message_id, time: result("3" if message_id == "4" and time < 5 else "2"), wait=200)
    assert scene.run().learned["undelivered"] == 10
    counts = Counter(asked for _, asked in scene.gateway.asked)
    assert counts.pop("4") == 5
    assert set(counts.values()) == {1}
    times = [at for at, asked in scene.gateway.asked if asked == "4"]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(later > 1.5 * earlier for earlier, later in itertools.pairwise(pauses))


def test_no_pause_is_longer_than_an_hour_and_an_old_message_is_asked_less_often() -> None:
    scene = Scene(lambda *_: result("3"), 1, wait=13_000)
    scene.run()
    times = [at for at, _ in scene.gateway.asked]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= LONGEST_PAUSE + 2
    old = Scene(lambda *_: result("3"), 1, wait=2_000)
    old.clock.now += 10_000  # of the message's age, a tenth is waited at least
    old.run()
    assert len(old.gateway.asked) == 2


def test_all_are_asked_once_before_any_is_asked_again() -> None:
    scene = Scene(lambda *_: result("3"), 2_000, wait=60)
    scene.run()
    assert {asked for _, asked in scene.gateway.asked[:2_000]} == set(map(str, range(2_000)))


def test_a_wait_of_zero_asks_once_for_each() -> None:
    scene = Scene(lambda *_: result("3"), wait=0)
    assert scene.run().open == 10
    assert len(scene.gateway.asked) == 10


def test_it_ends_when_nothing_is_due_before_the_wait_is_over() -> None:
    """Rather than sleeping for nothing."""
    scene = Scene(lambda *_: result("3"), wait=4)
    scene.run()
    assert scene.clock.now < 1_000 + 2


def test_what_the_gateway_does_not_know_yet_stays_open() -> None:
    scene = Scene(lambda _, time: QueryOutcome(QueryResult.NOT_THERE) if time < 3 else result())
    assert scene.run().open == 0


def test_throttling_slows_down_and_loses_nothing() -> None:
    scene = Scene(lambda _, time: QueryOutcome(QueryResult.THROTTLED, retry_after=1.5) if time == 1 else result())
    progress = scene.run()
    assert (progress.open, progress.throttled, scene.turns.throttles) == (0, 10, [1.5] * 10)


def test_a_message_without_clear_answers_is_left_for_a_later_run() -> None:
    scene = Scene(
        lambda message_id, _: QueryOutcome(QueryResult.NOTHING) if message_id == "7" else result(), wait=10**6
    )
    progress = scene.run()
    assert (progress.open, progress.given_up, progress.stopped) == (1, 1, None)
    assert len(scene.gateway.asked) < 20


def test_an_unreadable_state_is_ignored() -> None:
    scene = Scene(lambda _, time: result("9") if time == 1 else result())
    assert scene.run().open == 0


def test_a_masked_number_in_the_answer_is_replaced_by_the_rows() -> None:
    """The example in the documentation masks it."""
    scene = Scene(lambda *_: result(To="6581xxx810"))
    scene.run()
    assert set(scene.kept[0]["phone_number"]) == {"+6580000000"}


@pytest.mark.parametrize("status", ["3", "1"])
def test_an_unpaired_id_is_kept_with_its_task_and_number_also_while_it_is_on_its_way(status: str) -> None:
    scene = Scene(lambda *_: result(status), 2, wait=30, unpaired=True)
    scene.run()
    assert scene.archived == ["0", "1"]
    assert set(scene.kept[0]["task_id"]) == {"c-3-100"}
    assert set(scene.kept[0]["phone_number"]) == {"+6581234567"}


def test_a_refused_account_stops_it_at_once_with_advice() -> None:
    scene = Scene(lambda *_: QueryOutcome(QueryResult.STOPPED, code="X", advice="grant it"), 1_000)
    assert scene.run().stopped == "grant it"
    assert len(scene.gateway.asked) <= 10


def test_a_gateway_that_is_down_is_asked_slowly_and_given_up_after_a_minute() -> None:
    scene = Scene(lambda *_: QueryOutcome(QueryResult.NOTHING, advice="no answer"), 100_000)
    stopped = scene.run().stopped
    assert stopped is not None
    assert "no answer" in stopped
    assert 50 <= len(scene.gateway.asked) < 500


def test_no_turn_means_no_query() -> None:
    scene = Scene(lambda *_: result())
    scene.turns.fails = StoreUnavailableError("no turn")
    assert scene.run().stopped == "no turn"
    assert scene.gateway.asked == []


def test_new_states_are_archived_every_few_thousand_and_again_when_the_archive_fails() -> None:
    scene = Scene(lambda *_: result(), FLUSH_MESSAGES * 2 + 10)
    scene.broken = 2
    scene.run()
    assert sorted(scene.archived, key=int) == list(map(str, range(FLUSH_MESSAGES * 2 + 10)))
    assert len(scene.kept) > 1


def test_an_archive_that_stays_gone_is_an_error() -> None:
    scene = Scene(lambda *_: result())
    scene.broken = 10**6
    with pytest.raises(StoreUnavailableError):
        scene.run()


def test_a_stop_ends_the_asking_and_keeps_known_states() -> None:
    def answers(_: str, __: int) -> QueryOutcome:
        if len(scene.gateway.asked) == 20:
            scene.tracker.stop()
        return result()

    scene = Scene(answers, 1_000)
    scene.run()
    assert 20 <= len(scene.gateway.asked) <= 25
    assert len(scene.archived) == len(scene.gateway.asked)
