"""The chunks that are sent in one go: handed out in groups, and sent by a pool of threads.

In Prefect a group is a task run and a shard a flow run. A task run costs memory until its flow run ends, hence the
shards, and for fast accounts several chunks a task run. As many chunks are under way as calls are in the air, plus some
two seconds of turns: a slower gateway has more of them in the air, and the rate stays the same.
"""

import itertools
import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.settlement import MEANINGS, NOTHING_CLAIMED, Settlement
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.chunk_portions import send_chunk
from globe_sms.tasks.sending.chunk_queue import ChunkQueue
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.vocabulary.redact_errors import redact_errors
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause

_LOG: Final = logging.getLogger(__name__)
_SHARD_RUNS = 2_000
_READ_CHUNKS = 500  # read ahead of their turns: some 0.2 s of work, and half a million numbers in memory at most
_READ_SECONDS = 60.0  # of turns: what is read isn't compared with opt-outs any more
_LONGEST_ANSWER = 60.0
_FEWEST_THREADS = 8
MOST_THREADS = 256
_AHEAD_SECONDS = 2.0
_GROUP_SECONDS = 0.5
_FEWEST_AHEAD = 4
_LOOK_UP_SECONDS = 0.25
_UNFORESEEN = (
    "This should not have happened: {kind} while chunk {index} was sent. No further call was made. The task run in "
    "Prefect has the details, for a bug report; without Prefect, GLOBE_SMS_TRACEBACK=1 prints them. The same command "
    "continues with the numbers that weren't sent."
)
_NOTHING_CLAIMED = (
    "Nothing was claimed: the run or its hours ended, all of its numbers are left out, or another run has it."
)


def thread_count(calls_per_second: float) -> int:
    """How many calls may be in the air: latency times rate for the slowest answer that is waited for."""
    return min(MOST_THREADS, max(_FEWEST_THREADS, math.ceil(calls_per_second * _LONGEST_ANSWER)))


def group_size(calls_per_second: float) -> int:
    """How many chunks a task run sends: those of half a second of turns.

    One up to 3 calls a second; from there on a task run of its own for each chunk would cost more than its call.
    """
    return max(1, math.floor(calls_per_second * _GROUP_SECONDS))


def shard_chunks(calls_per_second: float) -> int:
    """How many chunks one flow run sends: those of 2,000 task runs."""
    return _SHARD_RUNS * group_size(calls_per_second)


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """How a group of chunks ended: a task run's state has this name and message."""

    name: str
    message: str


class Shard:
    """The chunks that are sent in one go; a context manager, with the threads that send them.

    `queue` says which chunks go next, `read` opens chunks of the plan by their numbers, or none once the run has
    stopped. They are read some hundreds at a time, a minute before their turns at most, and made by the thread that
    sends them.
    `histories` is added to when a chunk that was presented comes back. Not a dataclass, so that Prefect passes it on
    unread.
    """

    def __init__(
        self,
        sender: Sender,
        queue: ChunkQueue,
        read: Callable[[Sequence[int]], Mapping[int, Callable[[], Chunk]]],
        histories: MutableMapping[int, History],
        calls_per_second: float,
    ) -> None:
        self._sender = sender
        self._queue = queue
        self._read = read
        self._chunks: dict[int, Callable[[], Chunk]] = {}
        self._histories = histories
        self._calls_per_second = calls_per_second
        self.threads = thread_count(calls_per_second)
        self._threads = ThreadPoolExecutor(self.threads, thread_name_prefix="send")
        self._open = 0
        self._started = set[Future[Any]]()
        self._changed = threading.Condition()
        self.began = False

    def groups(self, indexes: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Yield the numbers of chunks in their order, those of a task run at a time."""
        remaining = iter(indexes)
        size = group_size(self._calls_per_second)
        while group := tuple(islice(remaining, size)):
            yield group

    def windows(self) -> Iterator[list[tuple[int, ...]]]:
        """Yield groups for a second of turns, as soon as not many more than two seconds of them wait for theirs.

        Everything that the queue has handed out is yielded before the queue is asked again: it may wait for these.
        """
        ahead = max(_FEWEST_AHEAD, math.ceil(self._calls_per_second * _AHEAD_SECONDS))
        most = min(_READ_CHUNKS, math.ceil(self._calls_per_second * _READ_SECONDS))
        while indexes := self._queue.take(most):
            chunks = self._read(indexes)
            if not chunks:
                return  # the run has stopped
            self._chunks.update(chunks)
            groups = self.groups(indexes)
            while window := _up_to(groups, ahead // 2):
                with self._changed:
                    self._open += sum(map(len, window))
                yield window
                with self._changed:
                    while self._open - self._sender.progress.in_air >= ahead:
                        self._changed.wait(_LOOK_UP_SECONDS)

    def send(self, indexes: tuple[int, ...]) -> GroupOutcome:
        """Send some chunks side by side; return how they ended, once all of them have."""
        sent = [self._threads.submit(self._send, index) for index in indexes]
        ended = [_without_splits(future.result()) for future in futures.wait(sent).done]
        names = Counter(name for records in ended for name in _names(records))
        if len(names) > 1:
            return GroupOutcome("Various", ", ".join(f"{count} {name}" for name, count in names.items()))
        reasons = {record.reason or record.code or "" for records in ended for record in records}
        return GroupOutcome(next(iter(names)), ", ".join(sorted(reasons)) or _NOTHING_CLAIMED)

    def start(self, groups: Sequence[tuple[int, ...]]) -> None:
        """Begin to send groups of chunks, and don't wait for them."""
        for index in itertools.chain.from_iterable(groups):
            sent = self._threads.submit(redact_errors()(self._send), index)
            self._started.add(sent)
            sent.add_done_callback(self._forget)

    def await_end(self, seconds: float | None = None) -> bool:
        """Wait until all that was started has ended, at most so many seconds; return whether it has."""
        return not futures.wait(self._started.copy(), seconds).not_done

    def _forget(self, sent: Future[Any]) -> None:
        self._started.discard(sent)
        error = sent.exception()
        if error is not None:
            _LOG.error("a chunk couldn't be sent", exc_info=error)

    def _send(self, index: int) -> Sequence[SendRecord]:
        history = self._histories.get(index, History())
        try:
            outcome = send_chunk(self._sender, self._chunks.pop(index)(), history)
            if outcome.comes_back:
                self._histories[index] = outcome.history
                self._queue.put_back(index)
        except Exception as error:
            # Prefect keeps what a task run raised, and nobody reads it there: a campaign must not end without a word.
            self.stop(Stop(StopCause.STOPPED, _UNFORESEEN.format(kind=type(error).__name__, index=index)))
            raise
        else:
            return outcome.records
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def stop(self, stop: Stop) -> None:
        """Let no further call start."""
        self._sender.stop.set(stop)

    def abort(self) -> None:
        """End the calls in the air; what they carried is recorded as unknown."""
        self._sender.gateway.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False)


def _up_to(groups: Iterator[tuple[int, ...]], chunks: int) -> list[tuple[int, ...]]:
    """Take groups until there are so many chunks in them."""
    taken: list[tuple[int, ...]] = []
    while sum(map(len, taken)) < chunks and (group := next(groups, None)) is not None:
        taken.append(group)
    return taken


def _without_splits(records: Sequence[SendRecord]) -> Sequence[SendRecord]:
    """Return the records of calls that weren't split; all of them if nothing followed a split."""
    return [record for record in records if record.settlement is not Settlement.SPLIT] or records


def _names(records: Sequence[SendRecord]) -> list[str]:
    return [MEANINGS[record.settlement].task_state for record in records] or [NOTHING_CLAIMED.task_state]
