"""How chunks are handed to task runs: in which groups, how many ahead, and what a task run's state says."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import pytest

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.call_size import CallSize
from globe_sms.tasks.sending.chunk_queue import PlanOrderQueue
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.sending.shard import Shard, thread_count
from globe_sms.tasks.vocabulary.stop_signal import StopCause, StopSignal


class _Answers:
    """Stands in for a sender: says for each chunk what it was told to."""

    def __init__(self, settlements: dict[int, Settlement | None] | None = None) -> None:
        self.progress = Progress()
        self.call_size = CallSize()
        self.sent: list[int] = []
        self._settlements = settlements or {}

    def send(self, chunk: Chunk, _history: History, _positions: tuple[int, ...] | None = None) -> SendRecord | None:
        self.sent.append(chunk.index)
        settlement = self._settlements.get(chunk.index, Settlement.ACCEPTED)
        if settlement is None:
            return None
        return SendRecord(chunk.index, 0, "run", settlement, None, "OK", None, None, None, "")


def shard(chunks: int, calls_per_second: float, answers: _Answers | None = None) -> Shard:

    def read(indexes: Sequence[int]) -> dict[int, Callable[[], Chunk]]:
        return {index: partial(Chunk, index, (f"+65812345{index:02d}",)) for index in indexes}

    return Shard(cast("Sender", answers or _Answers()), PlanOrderQueue(range(chunks)), read, {}, calls_per_second)


@pytest.mark.parametrize(
    ("calls_per_second", "size"), [(0.2, 1), (1, 1), (2, 1), (3, 1), (4, 2), (20, 10), (50, 25), (100, 50)]
)
def test_a_task_run_has_half_a_second_of_turns_and_at_least_one(calls_per_second: float, size: int) -> None:
    groups = list(shard(60, calls_per_second).groups(range(60)))
    assert [index for group in groups for index in group] == list(range(60))
    assert {len(group) for group in groups[:-1]} == {size}


def test_each_chunk_is_sent_once_and_windows_end() -> None:
    """However the gateway answers, every chunk is handed out, in plan order."""
    answers = _Answers()
    with shard(45, 20, answers) as sending:
        for window in sending.windows():
            for group in window:
                sending.send(group)
    assert sorted(answers.sent) == list(range(45))


@pytest.mark.parametrize(
    ("calls_per_second", "chunks", "read_after"), [(100, 1_200, [0, 500, 1_000]), (1, 130, [0, 60, 120])]
)
def test_chunks_are_read_shortly_before_their_turns_and_forgotten_after(
    calls_per_second: float, chunks: int, read_after: list[int]
) -> None:
    """A campaign of any length holds the numbers of some hundreds of chunks; a slow one looks at opt-outs as often."""
    reads: list[int] = []
    answers = _Answers()

    def read(indexes: Sequence[int]) -> dict[int, Callable[[], Chunk]]:
        reads.append(len(answers.sent))
        return {index: partial(Chunk, index, ("+6581234567",)) for index in indexes}

    with Shard(cast("Sender", answers), PlanOrderQueue(range(chunks)), read, {}, calls_per_second) as sending:
        for window in sending.windows():
            for group in window:
                sending.send(group)
    assert sorted(answers.sent) == list(range(chunks))
    assert reads == read_after


def test_no_more_wait_than_two_seconds_of_turns() -> None:
    """The first window comes at once and the second one only when the first is on its way."""
    sending = shard(200, 10)
    windows = sending.windows()
    assert sum(map(len, next(windows))) == 10
    assert sum(map(len, next(windows))) == 10


def test_a_shard_of_any_length_keeps_nothing_of_what_was_sent() -> None:
    """Without task runs: it's sent by the shard's own threads, and awaited as a whole."""
    answers = _Answers()
    with shard(600, 100, answers) as sending:
        for window in sending.windows():
            sending.start(window)
        assert sending.await_end()
        assert sending.await_end(0)
    assert sorted(answers.sent) == list(range(600))
    assert not sending._started


@pytest.mark.parametrize(
    ("settlements", "name", "message"),
    [
        ({}, "Accepted", "OK"),
        ({0: Settlement.UNKNOWN, 1: Settlement.UNKNOWN}, "Unknown", "OK"),
        ({0: Settlement.STOPPED, 1: Settlement.STOPPED}, "Stopped", "OK"),
        (
            {0: None, 1: None},
            "NotSent",
            "Nothing was claimed: the run or its hours ended, all of its numbers are left out, or another run has it.",
        ),
        ({0: None, 1: Settlement.NOT_SENT}, "NotSent", "OK"),
    ],
)
def test_a_state_is_named_after_what_became_of_the_chunks(
    settlements: dict[int, Settlement | None], name: str, message: str
) -> None:
    with shard(2, 4, _Answers(settlements)) as sending:
        state = sending.send(next(sending.windows())[0])
    assert (state.name, state.message) == (name, message)


def test_a_state_of_several_fates_counts_them() -> None:
    with shard(3, 6, _Answers({1: Settlement.UNKNOWN})) as sending:
        state = sending.send(next(sending.windows())[0])
    assert state.name == "Various"
    assert sorted(cast("str", state.message).split(", ")) == ["1 Unknown", "2 Accepted"]


def test_a_failure_of_one_chunk_keeps_none_of_its_group_from_being_sent() -> None:
    """It is raised when all have ended, so that no task run ends before its calls; and it ends the campaign, aloud."""

    class Fails(_Answers):
        stop = StopSignal()

        def send(self, chunk: Chunk, _history: History, _positions: tuple[int, ...] | None = None) -> SendRecord | None:
            if chunk.index == 0:
                raise RuntimeError("a defect")
            return super().send(chunk, _history, _positions)

    answers: Any = Fails()
    with shard(3, 6, answers) as sending, pytest.raises(RuntimeError, match="a defect"):
        sending.send(next(sending.windows())[0])
    assert sorted(answers.sent) == [1, 2]
    assert answers.stop.stop.cause is StopCause.STOPPED
    assert "RuntimeError while chunk 0 was sent" in answers.stop.stop.message


def test_a_failure_without_a_task_run_is_logged_without_numbers(caplog: pytest.LogCaptureFixture) -> None:
    """For GLOBE_SMS_TRACEBACK; the other chunks are sent."""

    class Fails(_Answers):
        stop = StopSignal()

        def send(self, chunk: Chunk, _history: History, _positions: tuple[int, ...] | None = None) -> SendRecord | None:
            if chunk.index == 0:
                raise RuntimeError(f"what is {chunk.phone_numbers[0]}?")
            return super().send(chunk, _history, _positions)

    answers: Any = Fails()
    with shard(3, 6, answers) as sending:
        sending.start(next(sending.windows()))
        assert sending.await_end()
    assert sorted(answers.sent) == [1, 2]
    assert answers.stop.stop.cause is StopCause.STOPPED
    assert "what is +65••••4500?" in caplog.text
    assert "+6581234500" not in caplog.text


def test_as_many_calls_may_be_in_the_air_as_the_slowest_answer_needs() -> None:
    assert [thread_count(rate) for rate in (0.1, 1, 2, 100)] == [8, 60, 120, 256]
