"""Asks the gateway about every open message until its state is final: paced, concurrent, resumable.

Final messages are never asked about again. Each message is asked about once before any is asked about a second time;
pending ones follow after pauses that grow with every answer and with the message's age. New states go to the archive
every few thousand messages and at the end, so a kill loses only a few seconds of them.
"""

import asyncio
import heapq
import time
from array import array
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import polars as pl

from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA, Origin, state_of
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.gateway.query_message import QueryOutcome, QueryResult
from globe_sms.tasks.store.store_retries import async_store_retries
from globe_sms.tasks.vocabulary.errors import StoreError
from globe_sms.tasks.vocabulary.statuses import FINAL_DELIVERIES

FLUSH_MESSAGES: Final = 3_000
FLUSH_SECONDS: Final = 10.0
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 3_600.0

_AGE_SHARE: Final = 0.1  # a message that was sent an hour ago is asked about again six minutes later
_MOST_DOUBLINGS: Final = 12
_MOST_SILENCES: Final = 8  # in a row for one message: a later run asks about it
_SILENT_IN_A_ROW: Final = 20  # in a row for any messages: then queries slow down
_GIVE_UP_IN_A_ROW: Final = 50
_GIVE_UP_SECONDS: Final = 60.0
_SLOWEST_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.5
_PLACE_BITS: Final = 32
_MOST_UNKEPT: Final = 100_000
_STORE_PATIENCE: Final = 60.0


class Asking(Protocol):
    """Asks the gateway, like `tasks.gateway.query_message.QueryClient`."""

    async def ask(self, message_id: str, before_write: Callable[[], Awaitable[None]]) -> QueryOutcome:
        """Ask once about one message, when `before_write` returns."""
        ...


class Taking(Protocol):
    """Gives queries their turns, like `tasks.pacing.async_pacer.QueryTurns`."""

    async def take(self) -> None:
        """Wait for the next turn."""
        ...

    async def throttled(self, retry_after: float) -> None:
        """Slow down."""
        ...


class Tracker:
    """Tracks messages in one event loop. Only `stop` may be called from other threads.

    Args:
        messages: the messages to ask about, with `open_messages.OPEN_SCHEMA`; each takes about 120 bytes of memory.
        asking: asks the gateway.
        turns: paces the queries.
        keep: saves states in the archive; called in a thread, one call at a time.
        most_in_air: how many queries may wait for answers at once.
        most_waiting: how many of them may connect and wait for their turns.
        wait: for how many seconds to ask; 0 asks once about each message.
        clock: Unix time, for the age of messages and for when a state was seen.
        monotonic: for pauses and the end of the wait.
        sleep: waits in the event loop.
    """

    def __init__(
        self,
        messages: pl.DataFrame,
        asking: Asking,
        turns: Taking,
        keep: Callable[[pl.DataFrame], None],
        *,
        most_in_air: int,
        most_waiting: int = 1,
        wait: float,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._messages = messages
        self._ids = messages["message_id"]
        self._sent = array("d", messages["sent_at"].dt.epoch("ms").fill_null(0).cast(pl.Float64))
        self._asking, self._turns, self._keep = asking, turns, keep
        self._room = asyncio.Semaphore(most_in_air)
        self._waiting = asyncio.Semaphore(most_waiting)
        self._wait = wait
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep
        self._asks, self._silences = array("B", bytes(len(messages))), array("B", bytes(len(messages)))
        self._paired: set[int] = set()
        self._fresh = 0
        self._later: list[int] = []  # monotonic milliseconds and the message's index, in one integer
        self._known: list[dict[str, Any]] = []
        self._flushing = asyncio.Lock()
        self._flushed_at = monotonic()
        self._silent_since: float | None = None
        self._silent_in_a_row = 0
        self._stopping = False
        self.progress = TrackingProgress(open=len(messages))

    def stop(self) -> None:
        """Stop asking; `run` returns once pending queries have their answers and all states are in the archive."""
        self._stopping = True

    async def run(self) -> TrackingProgress:
        """Ask until all messages are final, the wait is over, or something stops it; see `TrackingProgress.stopped`.

        Raises:
            StoreError: the archive didn't accept new states.
        """
        deadline = self._monotonic() + self._wait
        try:
            async with asyncio.TaskGroup() as queries:
                while not self._stopping and (place := await self._next(deadline)) is not None:
                    await self._room.acquire()
                    await self._slow_down()
                    await self._waiting.acquire()
                    queries.create_task(self._ask(place))
        finally:
            await self._keep_the_rest()
        return self.progress

    async def _next(self, deadline: float) -> int | None:
        """Return the index of the next message to ask about; None if there is none before the deadline."""
        only_once = self._wait <= 0
        while not self._stopping:
            now = self._monotonic()
            if now >= deadline and not only_once:
                return None
            if self._fresh < len(self._ids):
                self._fresh += 1
                return self._fresh - 1
            if only_once:
                return None
            due = (self._later[0] >> _PLACE_BITS) / 1000 if self._later else None
            if due is not None and due <= now:
                return heapq.heappop(self._later) & ((1 << _PLACE_BITS) - 1)
            in_air = self._in_air()
            if not in_air and (due is None or due >= deadline):
                return None
            if self._flush_is_due():
                await self._flush()
            await self._sleep(min(_LOOK_SECONDS, max(0.0, (deadline if due is None else due) - now) or _LOOK_SECONDS))
        return None

    def _in_air(self) -> int:
        done = self.progress.final + self.progress.given_up
        return self._fresh - done - len(self._later)

    async def _slow_down(self) -> None:
        """Slow down while the gateway gives no clear answers, so that it isn't flooded when it comes back."""
        if self._silent_in_a_row >= _SILENT_IN_A_ROW:
            await self._sleep(min(_SLOWEST_SECONDS, self._silent_in_a_row / _SILENT_IN_A_ROW / 2))

    async def _ask(self, place: int) -> None:
        try:
            outcome = await self._outcome(place)
        except StoreError as error:  # without a turn
            self.progress.stopped = str(error)
            self._stopping = True
            return
        self._asks[place] = min(255, self._asks[place] + 1)

        state = self._read(place, outcome)
        answered = state is not None or outcome.result is QueryResult.NOT_THERE
        self._note_silence(outcome, answered=answered)
        if state is not None and state["delivery"] in FINAL_DELIVERIES:
            self.progress.learned[state["delivery"]] += 1
            self.progress.open -= 1
            self._known.append(state)
        elif outcome.result is QueryResult.REFUSED:
            self.progress.given_up += 1
        elif outcome.result is QueryResult.THROTTLED:
            self.progress.throttled += 1
            self._ask_later(place, FIRST_PAUSE)
            await self._turns.throttled(outcome.retry_after)
        elif answered:
            if state is not None and state["task_id"] is not None and place not in self._paired:
                self._paired.add(place)
                self._known.append(state)  # not final, but it matches the id to its number
            self._silences[place] = 0
            self._ask_later(place, self._pause(place))
        else:
            self._silences[place] += 1
            if self._silences[place] >= _MOST_SILENCES:
                self.progress.given_up += 1
            else:
                self._ask_later(place, self._pause(place))
        if self._flush_is_due():
            await self._flush()

    async def _outcome(self, place: int) -> QueryOutcome:
        """Ask at the query's turn, which is taken once its connection is ready."""
        waiting = True

        async def take_turn() -> None:
            nonlocal waiting
            await self._turns.take()
            self.progress.asked += 1
            waiting = False
            self._waiting.release()

        try:
            return await self._asking.ask(self._ids[place], take_turn)
        finally:
            self._room.release()
            if waiting:
                self._waiting.release()

    def _read(self, place: int, outcome: QueryOutcome) -> dict[str, Any] | None:
        if outcome.result is not QueryResult.STATE:
            return None
        seen_at = datetime.fromtimestamp(self._clock(), UTC)
        try:
            return {**_state(outcome.fields, self._messages["phone_number"][place], seen_at), **self._task(place)}
        except ValueError:
            return None

    def _task(self, place: int) -> dict[str, str]:
        task_id = self._messages["task_id"][place]
        return {} if task_id is None else {"task_id": task_id}

    def _note_silence(self, outcome: QueryOutcome, *, answered: bool) -> None:
        if answered or outcome.result is QueryResult.THROTTLED:
            self._silent_in_a_row, self._silent_since = 0, None
            return
        now = self._monotonic()
        self.progress.silent += 1
        self._silent_in_a_row += 1
        self._silent_since = now if self._silent_since is None else self._silent_since
        lasting = self._silent_in_a_row >= _GIVE_UP_IN_A_ROW and now - self._silent_since >= _GIVE_UP_SECONDS
        if outcome.result is QueryResult.STOPPED:
            self.progress.stopped = outcome.advice
            self._stopping = True
        elif lasting or (outcome.result is QueryResult.REFUSED and self._silent_in_a_row >= _GIVE_UP_IN_A_ROW):
            self.progress.stopped = (
                f"{self._silent_in_a_row} queries in a row got no clear answer (the last: {outcome.advice}). The "
                "states received so far are kept: run the same command again later."
            )
            self._stopping = True

    def _pause(self, place: int) -> float:
        age = max(0.0, self._clock() - self._sent[place] / 1000)
        doubled = FIRST_PAUSE * 2.0 ** min(_MOST_DOUBLINGS, self._asks[place] - 1)
        return min(LONGEST_PAUSE, max(doubled, age * _AGE_SHARE))

    def _ask_later(self, place: int, pause: float) -> None:
        due = int((self._monotonic() + pause) * 1000)
        heapq.heappush(self._later, due << _PLACE_BITS | place)

    def _flush_is_due(self) -> bool:
        if self._flushing.locked() or not self._known:
            return False
        return len(self._known) >= FLUSH_MESSAGES or self._monotonic() - self._flushed_at >= FLUSH_SECONDS

    async def _flush(self) -> StoreError | None:
        """Save new states in the archive; if that fails, they are tried again later."""
        async with self._flushing:
            known, self._known = self._known, []
            self._flushed_at = self._monotonic()
            if not known:
                return None
            try:
                await asyncio.to_thread(self._archive, known)
            except StoreError as error:
                self._known = known + self._known
                if len(self._known) > _MOST_UNKEPT:
                    self.progress.stopped = str(error)
                    self._stopping = True
                return error
        return None

    def _archive(self, known: list[dict[str, Any]]) -> None:
        self._keep(pl.DataFrame(known, schema=STATE_SCHEMA, orient="row"))

    async def _keep_the_rest(self) -> None:
        async def flush() -> None:
            if error := await self._flush():
                raise error

        await async_store_retries(
            _STORE_PATIENCE, sleep=self._sleep, monotonic=self._monotonic, on=StoreError, pause=_LOOK_SECONDS
        )(flush)


def _state(fields: Mapping[str, object], phone_number: str | None, seen_at: datetime) -> dict[str, Any]:
    """Read an answer; if its `To` can't be read (Alibaba's example masks it), use the row's number."""
    try:
        return state_of(fields, Origin.QUERY, seen_at)
    except ValueError:
        if phone_number is None:
            raise
        return state_of({**fields, "To": phone_number}, Origin.QUERY, seen_at)
