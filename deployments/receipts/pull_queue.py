"""Takes messages from a queue into a place of receipts, round by round.

A round gathers messages for a moment, by several connections if many are waiting, writes them as one object of
receipts and one of replies, and then deletes them. Killed in between, nothing is lost: what isn't deleted comes again.
Then it's written twice, which nobody notices: receipts count once by their MessageId, and replies by their time.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from globe_sms.deployments.receipts.lines_in_store import REFUSED, put_lines
from globe_sms.deployments.receipts.message_queue import MOST_AT_ONCE, QueueMessage, QueueUnavailableError
from globe_sms.deployments.receipts.push_body import NotReceiptsError, lines_of
from globe_sms.tasks.replies.stored_replies import REPLIES
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreError

_GATHER_SECONDS: Final = 0.5
_LONGEST_GATHERING: Final = 2.0  # much less than the 30 s for which a queue hides what was received
_MOST_BYTES: Final = 1 << 20  # that one connection gathers
_SHORTEST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


class Queue(Protocol):
    """A connection to a queue."""

    def receive(self, *, wait: bool) -> tuple[QueueMessage, ...]:
        """Receive messages."""
        ...

    def delete(self, handles: Sequence[str]) -> int:
        """Delete messages."""
        ...


@dataclass(slots=True)
class Pulled:
    """What has been taken: receipts (and objects that aren't understood), replies, and messages that aren't JSON.

    `not_deleted` messages are in the store, but come again, because it took longer than the queue hides them.
    """

    receipts: int = 0
    replies: int = 0
    refused: int = 0
    objects: int = 0
    not_deleted: int = 0


class Puller:
    """Takes messages from `queues`, which are connections to the same one; belongs to one thread.

    Args:
        queues: the connections; the first one waits for messages.
        store: the place of receipts.
        stop: ends it between two rounds.
        on_trouble: is given each error, and None after a round without one.
        gather_seconds: how long it waits for more messages if there are few.
        clock: seconds that only grow.
        now: the current time.
    """

    def __init__(
        self,
        queues: Sequence[Queue],
        store: Store,
        stop: threading.Event,
        *,
        on_trouble: Callable[[Exception | None], object] = lambda _: None,
        gather_seconds: float = _GATHER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._queues = tuple(queues)
        self._store = store
        self._stop = stop
        self._on_trouble = on_trouble
        self._gather_seconds = gather_seconds
        self._clock = clock
        self._now = now
        self.pulled = Pulled()

    def run(self, *, until_empty: bool = False) -> None:
        """Take messages until `stop` is set, or until the queue is empty.

        Raises:
            InputError: the queue can't be read, at the first try.
        """
        pause = _SHORTEST_PAUSE
        worked = False
        with ThreadPoolExecutor(len(self._queues), thread_name_prefix="queue") as pool:
            while not self._stop.is_set():
                try:
                    found = self._gather(pool, wait=not until_empty)
                    self._keep(found)
                    self._delete(pool, found)
                except (QueueUnavailableError, StoreError, InputError) as error:
                    if isinstance(error, InputError) and not worked:
                        raise
                    self._on_trouble(error)
                    self._stop.wait(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    continue
                worked, pause = True, _SHORTEST_PAUSE
                self._on_trouble(None)
                if until_empty and not found:
                    return

    def _gather(self, pool: ThreadPoolExecutor, *, wait: bool) -> list[QueueMessage]:
        found = list(self._queues[0].receive(wait=wait))
        if not found:
            return found
        queues = self._queues
        if len(found) < MOST_AT_ONCE:
            self._stop.wait(self._gather_seconds)
            queues = queues[:1]
        ends = self._clock() + _LONGEST_GATHERING
        for more in pool.map(lambda queue: self._drain(queue, ends), queues):
            found += more
        return found

    def _drain(self, queue: Queue, ends: float) -> list[QueueMessage]:
        """Receive until the queue is empty or it's time to write; an error ends it, and keeps what has come."""
        found: list[QueueMessage] = []
        while self._clock() < ends and sum(len(each.body) for each in found) < _MOST_BYTES:
            try:
                more = queue.receive(wait=False)
            except (QueueUnavailableError, InputError):
                break
            found += more
            if not more:
                break
        return found

    def _keep(self, messages: Sequence[QueueMessage]) -> None:
        receipts, replies, refused = bytearray(), bytearray(), bytearray()
        for message in messages:
            try:
                lines = lines_of(message.body)
            except NotReceiptsError:
                text = message.body.decode("utf-8", "backslashreplace")
                refused += f"{json.dumps({'body': text})}\n".encode("ascii")
            else:
                receipts += lines.receipts
                replies += lines.replies
        self._put(self._store.within(REPLIES), replies)
        self._put(self._store, receipts)
        self._put(self._store.within(REFUSED), refused)
        self.pulled.receipts += receipts.count(b"\n")
        self.pulled.replies += replies.count(b"\n")
        self.pulled.refused += refused.count(b"\n")

    def _put(self, store: Store, lines: bytearray) -> None:
        if lines:
            put_lines(store, bytes(lines), self._now())
            self.pulled.objects += 1

    def _delete(self, pool: ThreadPoolExecutor, messages: Sequence[QueueMessage]) -> None:
        handles = [message.handle for message in messages]
        turns = [handles[start : start + MOST_AT_ONCE] for start in range(0, len(handles), MOST_AT_ONCE)]
        shares = [turns[place :: len(self._queues)] for place in range(len(self._queues))]
        for left in pool.map(_delete_each, self._queues, shares):
            self.pulled.not_deleted += left


def _delete_each(queue: Queue, turns: Sequence[Sequence[str]]) -> int:
    return sum(queue.delete(handles) for handles in turns)
