"""Map the send task over the chunks of a shard, in windows, and wind up in order when the run is stopped.

Prefect carries the chunks' numbers only; what is sent is read from the plan. A task run costs memory until its
flow run ends, hence the shards. There are as many task runs open as calls in the air, and some two seconds of
turns ahead: the slower the gateway answers, the more are in the air, and the rate stays what it is.
"""

import math
import threading
from collections.abc import Mapping, Sequence
from itertools import islice

from prefect import task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Completed

from tasks.ledger import History, Settlement
from tasks.plan import Chunk
from tasks.send import Sender
from tasks.stopping import Stop, StopCause

SHARD_CHUNKS = 2_000
GRACE_SECONDS = 15.0
_LONGEST_ANSWER = 60.0
_FEWEST_THREADS = 8
MOST_THREADS = 256
_AHEAD_SECONDS = 2.0
_FEWEST_AHEAD = 4
_LOOK_UP_SECONDS = 0.25


def thread_count(calls_per_second: float) -> int:
    """How many calls may be in the air: latency times rate for the slowest answer that is waited for."""
    return min(MOST_THREADS, max(_FEWEST_THREADS, math.ceil(calls_per_second * _LONGEST_ANSWER)))


class Shard:
    """The chunks that one flow run sends. Not a dataclass, so that Prefect passes it on unread."""

    def __init__(self, sender: Sender, chunks: Mapping[int, Chunk], histories: Mapping[int, History]) -> None:
        self._sender = sender
        self._chunks = chunks
        self._histories = histories
        self._open = 0
        self.began = False
        self._changed = threading.Condition()

    @property
    def indexes(self) -> tuple[int, ...]:
        """The numbers of the chunks, in plan order."""
        return tuple(self._chunks)

    def expect(self, count: int) -> None:
        """Count task runs that are about to be mapped."""
        with self._changed:
            self._open += count

    def wait_for_room(self, ahead: int) -> None:
        """Wait until fewer than `ahead` task runs are open beside those whose call is in the air."""
        with self._changed:
            while self._open - self._sender.tally.in_air >= ahead:
                self._changed.wait(_LOOK_UP_SECONDS)

    def send(self, index: int) -> State:
        """Send one chunk and say in a task run's state what became of it."""
        try:
            receipt = self._sender.send(self._chunks[index], self._histories.get(index, History()))
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()
        if receipt is None:
            return Completed(name="NotSent", message="Nothing was claimed: the run was stopped, or another run has it.")
        name = {Settlement.ACCOUNT: "Refused", Settlement.NOT_SENT: "NotSent"}.get(
            receipt.settlement, receipt.settlement.value.capitalize()
        )
        return Completed(name=name, message=receipt.reason or receipt.code or "")

    def stop(self, stop: Stop) -> None:
        """Let no further call start."""
        self._sender.stop.set(stop)

    def abort(self) -> None:
        """End the calls in the air; what they carried is recorded as unknown."""
        self._sender.gateway.abort()


@task(name="send-chunk", task_run_name="send-{index}", cache_policy=NO_CACHE, persist_result=False)
def send_chunk(index: int, shard: Shard) -> State:
    """Send one chunk: turn, claim, call, receipt. Never retried by Prefect: the ledger decides what may be."""
    return shard.send(index)


def map_in_windows(shard: Shard, calls_per_second: float) -> None:
    """Map `send_chunk` over the shard, a second of turns at a time.

    Whatever interrupts it (Ctrl-C, SIGTERM, a cancelled flow run) stops the sending: no new call starts, calls in
    the air get 15 seconds to end and are recorded as unknown after that. Returns in both cases.
    """
    shard.began = True
    futures: list[PrefectFuture[State]] = []
    ahead = max(_FEWEST_AHEAD, math.ceil(calls_per_second * _AHEAD_SECONDS))
    remaining = iter(shard.indexes)
    try:
        while indexes := list(islice(remaining, ahead // 2)):
            shard.expect(len(indexes))
            futures.extend(send_chunk.map(indexes, unmapped(shard)))
            shard.wait_for_room(ahead)
        wait(futures)
    except BaseException as error:  # noqa: BLE001  # also Prefect's termination signal and Ctrl-C; nothing is hidden
        shard.stop(Stop(StopCause.CANCELLED, f"The run was cancelled ({type(error).__name__})."))
        _wind_up(shard, futures)


def _wind_up(shard: Shard, futures: Sequence[PrefectFuture[State]]) -> None:
    if wait(list(futures), timeout=GRACE_SECONDS).not_done:
        shard.abort()
        wait(list(futures), timeout=GRACE_SECONDS)
