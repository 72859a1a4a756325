"""Chunks go in the hours of their recipients, by a clock that the test turns."""

import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.campaign.settlement import ChunkState, Settlement
from globe_sms.tasks.campaign.until import NO_END, Until
from globe_sms.tasks.gateway import BatchSend, CallVerdict, Outcome
from globe_sms.tasks.numbers import validate
from globe_sms.tasks.numbers.time_zones import zone_table, zones_of
from globe_sms.tasks.planning.chunk_layout import ChunkLayout, ChunkRange, SendingGroup
from globe_sms.tasks.planning.frozen_plan import Chunk, FrozenPlan
from globe_sms.tasks.planning.hours_forecast import forecast_hours
from globe_sms.tasks.planning.plan_rows import plan_rows
from globe_sms.tasks.planning.sending_groups import groups_of
from globe_sms.tasks.sending.chunk_queue import HoursQueue, PlanOrderQueue, ShardQueue
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.sending.sending_window import OutsideHoursError
from globe_sms.tasks.sending.shard import Shard
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal
from tests.unit.sending.scripted_sender import CHUNK, NUMBERS, ToldGateway, accepts, make_sender

HOURS = Hours.parse("09:00-20:00")
DAY = 86_400.0
THROTTLED = Outcome(verdict=CallVerdict.THROTTLED, code="Throttling.User", advice="Slow down.")


def at(text: str) -> float:
    """Read a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class TurnedClock:
    """Runs like a real one from a given time on, and is turned forward."""

    def __init__(self, start: str) -> None:
        self._ahead = at(start) - time.time()
        self.waits: list[float] = []

    def __call__(self) -> float:
        return time.time() + self._ahead

    def turn(self, seconds: float) -> bool:
        """Turn it forward; in place of a wait."""
        self.waits.append(seconds)
        self._ahead += seconds
        return False


def cut_of(*zones: tuple[str, ...], chunks: int = 1) -> ChunkLayout:
    """Some chunks of one number for each of these."""
    groups = tuple(SendingGroup(None, each) for each in zones)
    ranges = tuple(ChunkRange(chunks * group, chunks, group) for group in range(len(groups)))
    return ChunkLayout(groups, 1, ((0, 0),), ranges)


def supply_of(
    layout: ChunkLayout,
    clock: TurnedClock,
    *,
    wait: float = DAY,
    stop: StopSignal | None = None,
    progress: Progress | None = None,
    end: Until = NO_END,
) -> HoursQueue:
    """Hand out all chunks of a cut."""
    return HoursQueue(
        range(layout.chunk_count),
        layout,
        HOURS,
        longest_wait=wait,
        calls_per_second=1,
        stop=stop or StopSignal(),
        progress=progress or Progress(),
        say=lambda _opens, _chunks: None,
        end=end,
        clock=clock,
        wait=clock.turn,
    )


def taken(queue: HoursQueue) -> list[int]:
    """Take until there are none."""
    found: list[int] = []
    while chunks := queue.take(10):
        found += chunks
    return found


def test_what_closes_first_goes_first_and_what_is_closed_waits() -> None:
    """At 10:30 UTC it is 18:30 in Singapore, 16:00 in India and 10:30 in London; Los Angeles sleeps until 17:00 UTC."""
    clock = TurnedClock("2026-11-24T10:30:00")
    layout = cut_of(("America/Los_Angeles",), ("Europe/London",), ("Asia/Kolkata",), ("Asia/Singapore",))
    progress = Progress()
    queue = supply_of(layout, clock, progress=progress)
    assert [list(queue.take(10)) for _ in range(3)] == [[3], [2], [1]]
    assert clock.waits == []
    assert queue.take(10) == [0]
    assert at("2026-11-24T17:00:00") - 6 <= clock() <= at("2026-11-24T17:00:30")
    assert progress.snapshot.waits_until is None
    assert queue.is_over


@pytest.mark.parametrize(("wait", "goes"), [(0.0, False), (3_600.0, False), (13 * 3_600.0, True)])
def test_a_run_waits_as_long_as_it_may(wait: float, *, goes: bool) -> None:
    """At 20:30 Singapore opens 12.5 hours later; what is left then is left."""
    clock = TurnedClock("2026-11-24T12:30:00")
    queue = supply_of(cut_of(("Asia/Singapore",), chunks=3), clock, wait=wait)
    assert taken(queue) == ([0, 1, 2] if goes else [])
    assert queue.is_over
    assert sum(clock.waits) <= wait


def test_what_is_open_goes_on_after_the_longest_wait() -> None:
    """Only what is closed then is left."""
    clock = TurnedClock("2026-11-24T11:00:00")
    queue = supply_of(cut_of(("Europe/London",), ("Asia/Tokyo",), chunks=100), clock, wait=1.0)
    clock.turn(3_600)
    assert taken(queue) == list(range(100))


def test_numbers_that_nobody_knows_the_time_of_never_go() -> None:
    """And nothing waits for them."""
    clock = TurnedClock("2026-11-24T12:30:00")
    queue = supply_of(cut_of(()), clock)
    assert taken(queue) == []
    assert (queue.is_over, clock.waits) == (True, [])


def test_nothing_is_handed_out_after_the_end_and_nothing_waits_for_what_opens_later() -> None:
    """At 12:30 UTC India is open until 14:30, Singapore is closed until tomorrow, and London is open until 20:00."""
    clock = TurnedClock("2026-11-24T12:30:00")
    layout = cut_of(("Asia/Singapore",), ("Asia/Kolkata",), ("Europe/London",), chunks=2)
    queue = supply_of(layout, clock, end=Until(at("2026-11-24T14:00:00")))
    assert queue.take(10) == [2, 3]
    assert queue.take(1) == [4]
    clock.turn(2 * 3_600.0)
    assert (queue.take(10), queue.is_over) == ((), True)
    assert clock.waits == [2 * 3_600.0]


def test_the_end_of_the_days_hours_is_each_groups_own() -> None:
    """Singapore's day is over, Los Angeles' hours of that day still come; nobody waits for tomorrow's."""
    clock = TurnedClock("2026-11-24T12:30:00")
    layout = cut_of(("Asia/Singapore",), ("Asia/Kolkata",), ("America/Los_Angeles",))
    queue = supply_of(layout, clock, end=Until(hours=HOURS, began=clock()))
    assert [list(queue.take(10)) for _ in range(2)] == [[1], [2]]
    assert at("2026-11-24T16:59:50") <= clock() <= at("2026-11-24T17:00:30")
    assert (queue.take(10), queue.is_over) == ((), True)


def test_chunks_without_hours_go_until_the_end() -> None:
    """In plan order."""
    clock = TurnedClock("2026-11-24T12:30:00")
    queue = PlanOrderQueue(range(20), end=Until(at("2026-11-24T12:31:00")), clock=clock)
    assert (queue.take(3), queue.is_over) == (range(3), False)
    clock.turn(60.0)
    assert (queue.take(3), queue.is_over) == ((), True)


def test_a_stop_ends_the_wait_at_once() -> None:
    """The waiting is said while it lasts, and not after."""
    clock = TurnedClock("2026-11-24T12:30:00")
    stop, progress, seen = StopSignal(), Progress(), list[float | None]()

    def wait(_seconds: float) -> bool:
        seen.append(progress.snapshot.waits_until)
        stop.set(Stop(StopCause.CANCELLED, "."))
        return True

    clock.turn = wait
    assert taken(supply_of(cut_of(("Asia/Singapore",)), clock, stop=stop, progress=progress)) == []
    assert seen == [at("2026-11-25T01:00:00")]
    assert progress.snapshot.waits_until is None


def test_what_comes_back_goes_first_in_its_next_hours() -> None:
    """In its place among the others."""
    clock = TurnedClock("2026-11-24T11:59:00")
    queue = supply_of(cut_of(("Asia/Singapore",), chunks=4), clock)
    assert queue.take(3) == [0, 1, 2]
    queue.put_back(2)
    queue.put_back(1)
    clock.turn(120)
    assert not queue.is_over
    assert queue.take(10) == [1, 2, 3]
    assert clock() >= at("2026-11-25T00:59:55")


@given(st.lists(st.integers(1, 4), max_size=12))
def test_a_part_of_a_supply_ends_after_its_chunks(sizes: list[int]) -> None:
    """And the next goes on there."""
    queue = PlanOrderQueue(range(20))
    found: list[Sequence[int]] = []
    for size in sizes:
        part = ShardQueue(queue, size)
        while chunks := part.take(3):
            found.append(chunks)
        assert part.is_over
    assert [chunk for chunks in found for chunk in chunks] == list(range(min(20, sum(sizes))))


def test_the_outlook_counts_numbers_by_when_they_may_go() -> None:
    """Now, later with the times, or never."""
    layout = cut_of(("Asia/Tokyo",), ("Europe/London",), (), ("Asia/Kolkata",), ("Europe/Lisbon",), chunks=2)
    found = forecast_hours(layout, range(1, layout.chunk_count), HOURS, at("2026-11-24T15:00:00"))
    assert (found.open_now, found.never) == (4, 2)
    assert found.later == ((at("2026-11-25T00:00:00"), 1), (at("2026-11-25T03:30:00"), 2))


@pytest.fixture
def open_sender(local_store: LocalStore, tmp_path: Path) -> Generator[Callable[..., Sender]]:
    """Senders within `HOURS` unless told otherwise, closed at the end."""
    opened: list[Sender] = []

    def make(gateway: ToldGateway, clock: TurnedClock, hours: Hours | None = HOURS, **limits: Any) -> Sender:
        opened.append(make_sender(local_store, gateway, tmp_path, hours=hours, clock=clock, **limits))
        return opened[-1]

    yield make
    for sender in opened:
        sender.campaign.__exit__(None, None, None)


SINGAPORE = Chunk(0, NUMBERS, group=SendingGroup(None, ("Asia/Singapore",)))


@pytest.mark.parametrize("chunk", [CHUNK, SINGAPORE, Chunk(0, NUMBERS, group=SendingGroup(None, ()))])
def test_a_chunk_outside_its_hours_is_not_even_claimed(
    open_sender: Callable[[ToldGateway, TurnedClock], Sender], chunk: Chunk
) -> None:
    """Nor is one of which nobody knows the hours."""
    gateway = ToldGateway(accepts)
    sender = open_sender(gateway, TurnedClock("2026-11-24T12:00:00"))
    with pytest.raises(OutsideHoursError) as error:
        sender.send(chunk, History())
    assert error.value.record is None
    assert (gateway.written, sender.ledger.histories()) == ([], {})


class SlowToConnect(ToldGateway):
    """Has its connection only after the hours have ended."""

    def __init__(self, clock: TurnedClock, seconds: float) -> None:
        super().__init__(accepts)
        self._late = (clock, seconds)

    def send(
        self,
        batch: BatchSend,
        *,
        before_write: Callable[[], None],
        after_write: Callable[[], None],
        on_answer: Callable[[], None],
    ) -> Outcome:
        clock, seconds = self._late
        clock.turn(seconds)
        return super().send(batch, before_write=before_write, after_write=after_write, on_answer=on_answer)


def test_hours_that_end_before_the_claim_keep_it_from_being_made(
    open_sender: Callable[[ToldGateway, TurnedClock], Sender],
) -> None:
    """The turn is looked at, not the time at which it was taken."""
    clock = TurnedClock("2026-11-24T11:59:58.200")
    gateway = SlowToConnect(clock, 0.0)
    sender = open_sender(gateway, clock)
    sender.pacer.prepared(1.9)  # turns are taken long before they come
    with pytest.raises(OutsideHoursError) as error:
        sender.send(SINGAPORE, History())
    assert error.value.record is None
    assert (gateway.written, sender.ledger.histories()) == ([], {})


def test_hours_that_end_before_the_departure_keep_the_call_from_leaving(
    open_sender: Callable[[ToldGateway, TurnedClock], Sender],
) -> None:
    """It is on record that nothing was sent, and the chunk may go again."""
    clock = TurnedClock("2026-11-24T11:59:30")
    gateway = SlowToConnect(clock, 60.0)
    sender = open_sender(gateway, clock)
    with pytest.raises(OutsideHoursError) as error:
        sender.send(SINGAPORE, History())
    assert gateway.written == []
    record = error.value.record
    assert record is not None
    assert (record.settlement, record.reason) == (Settlement.NOT_SENT, "quiet_hours")
    assert sender.ledger.histories()[0].state is ChunkState.OPEN
    assert sender.progress.snapshot.done == 0
    clock.turn(13 * 3_600)
    again = sender.send(SINGAPORE, sender.ledger.histories()[0])
    assert again is not None
    assert again.settlement is Settlement.ACCEPTED


def test_a_throttled_chunk_is_not_tried_again_after_its_hours(
    open_sender: Callable[[ToldGateway, TurnedClock], Sender],
) -> None:
    """Though it is claimed."""
    clock = TurnedClock("2026-11-24T11:59:30")

    def throttles(_batch: BatchSend) -> Outcome:
        clock.turn(60.0)
        return THROTTLED

    gateway = ToldGateway(throttles)
    sender = open_sender(gateway, clock)
    with pytest.raises(OutsideHoursError):
        sender.send(SINGAPORE, History())
    assert len(gateway.written) == 1
    assert sender.ledger.histories()[0] == History((Settlement.NOT_SENT,))


@pytest.mark.parametrize(
    ("now", "hours", "end", "longest", "seconds"),
    [
        ("11:00:00", None, None, None, {None}),
        ("11:00:00", None, None, 300, {300}),
        ("11:58:00", HOURS, None, None, {118, 117, 116}),
        ("11:58:00", HOURS, None, 60, {60}),
        ("03:00:00", HOURS, None, None, {14_400}),
        ("11:00:00", HOURS, "11:01:00", None, {58, 57, 56}),
        ("11:00:00", None, "11:01:00", None, {58, 57, 56}),
        ("11:58:00", HOURS, "18:00:00", None, {118, 117, 116}),
    ],
)
def test_a_text_is_valid_until_the_hours_or_the_campaign_end(
    open_sender: Callable[..., Sender],
    now: str,
    hours: Hours | None,
    end: str | None,
    longest: int | None,
    seconds: set[int | None],
) -> None:
    """Alibaba hands nothing to a carrier after that; what nothing limits has the API's default."""
    clock, gateway = TurnedClock(f"2026-11-24T{now}"), ToldGateway(accepts)
    until = NO_END if end is None else Until(at(f"2026-11-24T{end}"))
    open_sender(gateway, clock, hours, end=until, validity=longest).send(SINGAPORE, History())
    assert gateway.written[0].validity_period in seconds


def test_the_first_of_several_zones_to_close_decides(open_sender: Callable[..., Sender]) -> None:
    """India closes at 14:30 UTC, Singapore at 12:00."""
    clock, gateway = TurnedClock("2026-11-24T11:50:00"), ToldGateway(accepts)
    both = Chunk(0, NUMBERS, group=SendingGroup(None, ("Asia/Kolkata", "Asia/Singapore")))
    open_sender(gateway, clock).send(both, History())
    assert 590 < (gateway.written[0].validity_period or 0) < 600


def test_a_call_that_is_held_up_gets_a_shorter_validity_or_does_not_leave(open_sender: Callable[..., Sender]) -> None:
    """Whatever was true when its turn was taken."""
    clock = TurnedClock("2026-11-24T11:50:00")
    left: list[float] = []

    def accepts_now(batch: BatchSend) -> Outcome:
        left.append(clock() + (batch.validity_period or 0))
        return accepts(batch)

    class HeldUpOnce(ToldGateway):
        """Makes its first connection five minutes late."""

        def send(self, batch: BatchSend, **callbacks: Any) -> Outcome:
            clock.turn(0.0 if clock.waits else 300.0)
            return super().send(batch, **callbacks)

    open_sender(HeldUpOnce(accepts_now), clock).send(SINGAPORE, History())
    (until,) = left
    assert at("2026-11-24T11:59:55") < until <= at("2026-11-24T12:00:00")


@pytest.mark.parametrize("now", ["13:00:00", "12:59:58.5"])
def test_a_chunk_after_the_end_is_not_even_claimed(open_sender: Callable[..., Sender], now: str) -> None:
    """Nor is one for which the API has no validity."""
    gateway = ToldGateway(accepts)
    sender = open_sender(gateway, TurnedClock(f"2026-11-24T{now}"), None, end=Until(at("2026-11-24T13:00:00")))
    assert sender.send(SINGAPORE, History()) is None
    assert (gateway.written, sender.ledger.histories(), sender.stop.stop) == ([], {}, None)


def test_a_throttled_chunk_is_not_tried_again_after_the_end_and_goes_in_a_later_run(
    open_sender: Callable[..., Sender],
) -> None:
    """Its record says why, and that nothing was sent."""
    clock = TurnedClock("2026-11-24T12:59:00")

    def throttles(_batch: BatchSend) -> Outcome:
        clock.turn(60.0)
        return THROTTLED

    sender = open_sender(ToldGateway(throttles), clock, None, end=Until(at("2026-11-24T13:00:00")))
    record = sender.send(SINGAPORE, History())
    assert record is not None
    assert (record.settlement, record.reason) == (Settlement.NOT_SENT, "expired")
    later = Until(at("2026-11-24T14:00:00"))
    sender.campaign.__exit__(None, None, None)
    again = open_sender(ToldGateway(accepts), clock, None, end=later).send(SINGAPORE, sender.ledger.histories()[0])
    assert again is not None
    assert again.settlement is Settlement.ACCEPTED


@pytest.mark.parametrize(("wait", "left"), [(DAY, 0), (0.0, 6)])
def test_every_number_is_texted_once_and_within_its_hours(
    local_store: LocalStore, tmp_path: Path, wait: float, left: int
) -> None:
    """The whole way from the frozen plan: hours end while chunks are under way, each call takes two minutes."""
    clock = TurnedClock("2026-11-24T11:49:00")
    countries = ("+65812345", "+9198765432", "+4474001234")
    numbers = [f"{code}{number:02}" for number in range(12) for code in countries]
    rows = {"source": ["l"] * len(numbers), "row": range(len(numbers)), "recipient": numbers}
    listed = pl.LazyFrame(rows, schema={"source": pl.String, "row": pl.UInt64, "recipient": pl.String})
    groups = groups_of(Senders(), zone_table(datetime.fromtimestamp(clock(), UTC)))
    plan = FrozenPlan(plan_rows(validate(listed, default_region=None), 1, "s", tmp_path, groups=groups))
    assert plan.counts() == {"sendable": 36}
    assert plan.layout is not None
    left_at: dict[str, float] = {}
    valid_until: dict[str, float] = {}

    def two_minutes(batch: BatchSend) -> Outcome:
        for number in batch.numbers:
            assert number not in left_at
            left_at[number] = clock()
            valid_until[number] = clock() + (batch.validity_period or 0)
        clock.turn(120.0)
        return accepts(batch)

    sender = make_sender(local_store, ToldGateway(two_minutes), tmp_path, hours=HOURS, clock=clock)
    queue = HoursQueue(
        range(plan.chunk_count()),
        plan.layout,
        HOURS,
        longest_wait=wait,
        calls_per_second=1,
        stop=sender.stop,
        progress=sender.progress,
        say=lambda _opens, _chunks: None,
        clock=clock,
        wait=clock.turn,
    )
    histories: dict[int, History] = {}
    while not queue.is_over:
        with Shard(sender, ShardQueue(queue, 100), plan.open_chunks, histories, 1) as shard:
            for window in shard.windows():
                for group in window:
                    shard.send(group)
    sender.campaign.__exit__(None, None, None)
    assert len(left_at) == len(numbers) - left
    assert sender.progress.snapshot.numbers == {Status.ACCEPTED: len(numbers) - left}
    regions = {"65": "SG", "91": "IN", "44": "GB"}
    for number, moment in left_at.items():
        zones = zones_of(regions[number[:2]], number)
        assert HOURS.is_open(zones, moment)
        assert moment < valid_until[number] <= HOURS.next_closed(zones, moment, moment + DAY)
    assert sender.stop.stop is None
