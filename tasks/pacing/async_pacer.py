"""The account's query turns in an event loop: reserved ahead in the shared schedule, and waited for exactly.

Queries have their own limit, and so their own schedule. This is `tasks.pacing.pacer` for one event loop instead of
threads: turns are reserved in the background while earlier ones are used, so the store never delays a query.
"""

import asyncio
import collections
import contextlib
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from globe_sms.tasks.pacing.account_schedule import Schedule, Turns
from globe_sms.tasks.store.store_retries import async_store_retries
from globe_sms.tasks.vocabulary.errors import StoreError

QUERIES: Final = "queries"
"""What the schedule of queries is named by, beside the account."""

QUERY_MARGIN: Final = 0.045
"""The share of the limit left unused: at 300 a second, 13 calls delayed by 45 ms don't exceed it.

With 0.03, one second of a run of 100,000 queries had 301 arrivals at the gateway."""

_BATCH_SECONDS: Final = 0.5
_LEAD_SECONDS: Final = 0.4
_AHEAD_SECONDS: Final = 2 * _LEAD_SECONDS  # reserve the next turns before the last ones come closer than the lead
_LATE_SECONDS: Final = 0.25
_SPARE_SHARE: Final = 0.55  # of the schedule's slack, so that delays can be made up
_NEAREST_SHARE: Final = 0.5  # of the interval: an event loop wakes up to 1 ms late and must catch up
_INCIDENT_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 60.0

InThread = Callable[..., Awaitable[Any]]
"""Runs a function in a thread and returns its result, like `asyncio.to_thread`."""


class QueryTurns:
    """Hands out the query turns of one process, to the tasks of one event loop, in the order in which they ask.

    The schedule spaces the turns of all trackers. This object also tracks its own calls, so that no sliding second
    holds more than the limit, however late the loop wakes.
    """

    def __init__(
        self,
        schedule: Schedule,
        *,
        clock: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience: float = _PATIENCE_SECONDS,
        in_thread: InThread = asyncio.to_thread,
    ) -> None:
        self._schedule = schedule
        self._clock = clock or schedule.clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._patience = patience
        self._in_thread = in_thread
        self._batch = max(1, math.floor(schedule.rate * _BATCH_SECONDS))
        self._dues: collections.deque[float] = collections.deque()
        self._throttled_at = -math.inf
        self._reserving: asyncio.Task[Turns] | None = None
        window = max(1, math.floor(schedule.rate))
        self._shortest_span = window / schedule.rate
        self._span = self._shortest_span
        self._nearest = _NEAREST_SHARE / schedule.rate
        self._line = asyncio.Lock()
        self._left: collections.deque[float] = collections.deque(maxlen=window)

    async def take(self) -> None:
        """Return at the next turn; the caller's next act is the query.

        Raises:
            StoreError: no turn could be reserved for a minute, so no query may be made.
        """
        async with self._line:
            await self._take()

    async def _take(self) -> None:
        while True:
            due = await self._next_due()
            await self._wait_until(due)
            if self._monotonic() - due > _LATE_SECONDS:
                continue
            await self._wait_until(self._free())
            now = self._monotonic()
            if now - due > _LATE_SECONDS:
                continue
            self._left.append(now)
            return

    async def throttled(self, retry_after: float) -> None:
        """Slow the account's queries down for a while, and drop the turns of the next `retry_after` seconds.

        Throttled queries within one second count once: they left before a tracker could slow down for the first.
        """
        now = self._monotonic()
        while self._dues and self._dues[0] < now + retry_after:
            self._dues.popleft()
        if now - self._throttled_at < _INCIDENT_SECONDS:
            return
        self._throttled_at = now
        with contextlib.suppress(StoreError):
            await self._in_thread(self._schedule.slow_down, retry_after)

    async def leave(self) -> None:
        """Remove this tracker from the schedule when it ends."""
        if self._reserving is not None:
            with contextlib.suppress(StoreError):
                await self._reserving
        with contextlib.suppress(StoreError):
            await self._in_thread(self._schedule.leave)

    def _free(self) -> float:
        """Return when the next query of this process will keep the limit."""
        free = self._left[-1] + self._nearest if self._left else -math.inf
        return max(free, self._left[0] + self._span) if len(self._left) == self._left.maxlen else free

    async def _wait_until(self, due: float) -> None:
        while (left := due - self._monotonic()) > 0:
            await self._sleep(left)

    async def _next_due(self) -> float:
        while True:
            now = self._monotonic()
            while self._dues and now - self._dues[0] > _LATE_SECONDS:
                self._dues.popleft()  # turns that passed while there was nothing to ask
            if self._reserving is None and (not self._dues or self._dues[-1] - now <= _AHEAD_SECONDS):
                self._reserving = asyncio.create_task(self._reserve())
            if self._reserving is not None and (not self._dues or self._reserving.done()):
                turns = await self._reserving
                self._reserving = None
                self._span = self._shortest_span * (1.0 + _SPARE_SHARE * turns.slack)
                offset = self._monotonic() - self._clock()
                self._dues.extend(at + offset for at in turns.times())
            elif self._dues:
                return self._dues.popleft()

    async def _reserve(self) -> Turns:
        async def reserve() -> Turns:
            return await self._in_thread(self._schedule.reserve, self._batch, self._clock() + _LEAD_SECONDS)

        return await async_store_retries(self._patience, sleep=self._sleep, monotonic=self._monotonic)(reserve)
