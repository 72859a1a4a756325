"""Group commit: pushes that arrive close together are stored as one object, and answered only then.

A journal on this machine's disk would answer faster, but lose acknowledged pushes with the machine: a pod's disk goes
with the pod. So an acknowledgment waits for the store. Groups keep the wait and the number of objects small: while one
group is being written, the next one gathers.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from globe_sms.deployments.receipts.lines_in_store import put_lines
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError

MOST_WAITING = 64 << 20

_WRITERS = 8
_GATHER_SECONDS = 0.05
_LARGEST_OBJECT = 8 << 20


class FullError(Exception):
    """Too much is waiting for the store; nothing of this push is kept."""


@dataclass(frozen=True, slots=True)
class _Push:
    lines: bytes
    kept: asyncio.Future[None]


class Batches:
    """Writes pushes to the store in groups. It belongs to one event loop, and calls the store in its own threads."""

    def __init__(
        self,
        store: Store,
        *,
        most_waiting: int = MOST_WAITING,
        gather_seconds: float = _GATHER_SECONDS,
        on_write: Callable[[StoreError | None], object] = lambda _error: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare; `most_waiting` limits the waiting bytes, `on_write` gets each write's error, or None."""
        self.written = 0
        """The receipts or replies stored since the start."""
        self.objects = 0
        self.trouble: str | None = None
        """The error of the last write; None if it succeeded."""
        self._store = store
        self._most_waiting = most_waiting
        self._gather_seconds = gather_seconds
        self._on_write = on_write
        self._clock = clock
        self._pushes: list[_Push] = []
        self._open: set[asyncio.Future[None]] = set()
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._gathering = asyncio.Lock()
        self._writers: list[asyncio.Task[None]] = []
        self._threads = ThreadPoolExecutor(_WRITERS, thread_name_prefix="receipts")

    @property
    def waiting(self) -> int:
        """The bytes that are waiting for the store."""
        return self._waiting

    def start(self) -> None:
        """Start the writers, in the running event loop."""
        self._writers = [asyncio.create_task(self._keep_writing()) for _ in range(_WRITERS)]

    async def stop(self) -> None:
        """Write everything that is waiting, then stop the writers."""
        if self._open:
            await asyncio.wait(self._open)
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        self._threads.shutdown()

    async def keep(self, lines: bytes) -> None:
        """Return once the lines are in the store.

        Cancelling the wait (the caller hung up) takes nothing back: the lines may still be written.

        Raises:
            FullError: too much is already waiting.
            StoreError: the store didn't take the lines. They may be there anyway, so another push may repeat them.
        """
        if self._waiting + len(lines) > self._most_waiting:
            raise FullError
        self._waiting += len(lines)
        push = _Push(lines, asyncio.get_running_loop().create_future())
        self._pushes.append(push)
        self._open.add(push.kept)
        push.kept.add_done_callback(self._open.discard)
        self._arrived.set()
        await asyncio.shield(push.kept)

    async def _keep_writing(self) -> None:
        while True:
            async with self._gathering:
                await self._arrived.wait()
                await asyncio.sleep(self._gather_seconds)
                group = self._take()
            await self._write(group)

    def _take(self) -> list[_Push]:
        size = count = 0
        while count < len(self._pushes) and (not count or size + len(self._pushes[count].lines) <= _LARGEST_OBJECT):
            size += len(self._pushes[count].lines)
            count += 1
        group, self._pushes = self._pushes[:count], self._pushes[count:]
        if not self._pushes:
            self._arrived.clear()
        return group

    async def _write(self, group: list[_Push]) -> None:
        body = b"".join(push.lines for push in group)
        error: StoreError | None = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._put, body)
        except StoreError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001  # no caller may wait forever, whatever the store's library raises
            error = StoreUnavailableError(f"{self._store.uri}: {type(raised).__name__} while receipts were written.")
        finally:
            self._waiting -= len(body)
        if error is None:
            self.objects += 1
            self.written += body.count(b"\n")
        self.trouble = None if error is None else str(error)
        for push in group:
            if error is None:
                push.kept.set_result(None)
            else:
                push.kept.set_exception(error)
                push.kept.exception()  # marks it as retrieved: the caller may be gone
        self._on_write(error)

    def _put(self, body: bytes) -> None:
        put_lines(self._store, body, self._clock())
