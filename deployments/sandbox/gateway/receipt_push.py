"""Pushes delivery receipts to a URL like Alibaba: JSON arrays by HTTP POST, several receipts per push.

A push succeeds if the answer is HTTP 200 with a JSON object whose `code` is 0. Otherwise the same array is pushed again
after 1 minute, and again after 5 (`retry_after` changes that); then its receipts are lost. Messages that ended before
the URL was set are pushed too. After a restart of the gateway, nothing is pushed until a URL is set again; then
everything is.
Source: https://help.aliyun.com/zh/sms/smsreport-http-intl
"""

import asyncio
import heapq
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, ConfigDict, Field

from globe_sms.deployments.sandbox.gateway.deliveries import Deliveries, Message
from globe_sms.deployments.sandbox.gateway.delivery_receipts import Way, receipt_of

_LOOK_SECONDS = 0.05
_OK = 200


class PushSettings(BaseModel):
    """Where and how receipts are pushed; `way` says which are late, doubled or lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://", repr=False, description="may contain a secret")]
    per_push: Annotated[int, Field(ge=1, le=10_000)] = 100
    at_once: Annotated[int, Field(ge=1, le=256, description="pushes in the air")] = 4
    timeout: Annotated[float, Field(gt=0, le=300, description="seconds for an answer")] = 5.0
    retry_after: Annotated[tuple[float, ...], Field(description="seconds from each failed push to the next")] = (
        60.0,
        300.0,
    )
    way: Way = Way()


class Push(BaseModel):
    """A push and its result: a line of the log of pushes; `attempt` is 1 for the first."""

    model_config = ConfigDict(frozen=True)

    at: float
    attempt: int
    taken: bool
    status: int | None
    given_up: bool
    message_ids: tuple[str, ...]


class Pusher:
    """Pushes the receipts of deliveries in a task of the running event loop. Not thread-safe."""

    def __init__(self, deliveries: Deliveries, log: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._deliveries = deliveries
        self.path = log
        self._file = log.open("ab", buffering=0)
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self.settings: PushSettings | None = None

    async def start(self, settings: PushSettings) -> None:
        """Push to this URL, starting with the first message; replaces any other URL."""
        await self.stop()
        self.settings = settings
        self._task = asyncio.create_task(self._push_all(settings))

    async def stop(self) -> None:
        """Stop pushing; a push in the air is cancelled."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._task = self.settings = None

    async def reset(self) -> None:
        """Stop pushing, and forget the pushes, on disk too."""
        await self.stop()
        self._file.truncate(0)

    async def _push_all(self, settings: PushSettings) -> None:
        waiting: list[tuple[float, str, str]] = []
        dice, room, seen = random.Random(settings.way.seed), asyncio.Semaphore(settings.at_once), 0
        limits = httpx.Limits(max_connections=settings.at_once)
        async with (
            httpx.AsyncClient(trust_env=False, timeout=settings.timeout, limits=limits) as client,
            asyncio.TaskGroup() as pushes,
        ):
            while True:
                for messages in self._deliveries.calls(seen):
                    seen += 1
                    for message in messages:
                        for at in settings.way.arrivals(message):
                            heapq.heappush(waiting, (at, message.message_id, message.key_id))
                    await asyncio.sleep(0)
                now, due = self._clock(), list[Message]()
                while waiting and waiting[0][0] <= now and len(due) < settings.per_push:
                    _, message_id, key_id = heapq.heappop(waiting)
                    if found := self._deliveries.find(message_id, key_id):
                        due.append(found)
                if not due:
                    await asyncio.sleep(_LOOK_SECONDS)
                    continue
                dice.shuffle(due)
                await room.acquire()
                pushes.create_task(self._push(client, settings, due, room))

    async def _push(
        self, client: httpx.AsyncClient, settings: PushSettings, due: list[Message], room: asyncio.Semaphore
    ) -> None:
        body = json.dumps([receipt_of(message) for message in due], ensure_ascii=False).encode()
        ids = tuple(message.message_id for message in due)
        pauses = [*settings.retry_after, None]
        for attempt, pause in enumerate(pauses, start=1):
            if attempt > 1:
                await room.acquire()
            try:
                at = self._clock()
                status, taken = await _post(client, settings.url, body)
                self._write(Push(at=at, attempt=attempt, taken=taken, status=status, given_up=False, message_ids=ids))
            finally:
                room.release()
            if taken:
                return
            if pause is not None:
                await asyncio.sleep(pause)
        self._write(
            Push(at=self._clock(), attempt=len(pauses), taken=False, status=None, given_up=True, message_ids=ids)
        )

    def _write(self, push: Push) -> None:
        self._file.write(push.model_dump_json().encode() + b"\n")


async def _post(client: httpx.AsyncClient, url: str, body: bytes) -> tuple[int | None, bool]:
    try:
        answer = await client.post(url, content=body, headers={"content-type": "application/json;charset=UTF-8"})
    except httpx.HTTPError:
        return None, False
    said: Any = None
    with suppress(ValueError):
        said = answer.json()
    taken = answer.status_code == _OK and isinstance(said, dict) and said.get("code") == 0
    return answer.status_code, taken
