"""A proxy in front of the S3 server that can be slow, overloaded, cut off or gone, and switched while it runs.

It forwards every byte of a request unchanged, so signatures stay valid. Trouble is per request: slow (`delay` seconds
before it's forwarded), SlowDown (answered 503 without reaching the server), a connection cut before the request is
forwarded, or cut after it, so that the answer is lost and a write is unclear.
"""

import asyncio
import random
import threading
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit
from uuid import uuid4

import httpcore
import uvicorn
from starlette.types import Receive, Scope, Send

from globe_sms.deployments.sandbox.child_process import free_ports, wait_until
from globe_sms.deployments.sandbox.gateway.http_connection import (
    EXTENSION,
    Connection,
    ControlledProtocol,
    read_body,
    until_gone,
)
from globe_sms.deployments.sandbox.gateway.timestamped_socket import TimestampedSocket
from globe_sms.deployments.sandbox.stopped_at_exit import StoppedAtExit

_START_SECONDS = 20.0
_HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"expect"}
_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message><RequestId>%s</RequestId></Error>"
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of trouble, and the requests it hits: by method, part of the path, probability; by default all.

    `kind`: delay (only slow), slow_down (503), cut (not forwarded, connection closed), lose_answer (forwarded,
    connection closed).
    """

    kind: Literal["delay", "slow_down", "cut", "lose_answer"]
    delay: float = 0.0
    method: str | None = None
    path_holds: str = ""
    probability: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Passage:
    """A request that the proxy received; `status` is the server's answer, None if the request didn't reach it."""

    method: str
    path: str
    trouble: str | None
    status: int | None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


async def _serve(server: uvicorn.Server, listener: TimestampedSocket) -> None:
    """Serve until the server is told to exit, and leave no connection open, also none that comes at that moment."""
    await server.serve(sockets=[listener])
    accepting = asyncio.all_tasks() - {asyncio.current_task()}
    for task in accepting:
        task.cancel()
    await asyncio.gather(*accepting, return_exceptions=True)
    for connection in list(server.server_state.connections):
        cast("Connection", connection).reset()
    await asyncio.sleep(0)  # transports close in the loop's next turn


class FlakyProxy(StoppedAtExit):
    """A loopback proxy in a thread of this process, ready once constructed; a context manager. Thread-safe."""

    def __init__(self, upstream: str) -> None:
        """Start it in front of an endpoint such as `S3Server.endpoint`."""
        origin = urlsplit(upstream)
        self._origin = (origin.hostname or "", origin.port or 80)
        (self._port,) = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._troubles: tuple[tuple[Trouble, random.Random], ...] = ()
        self.passages: list[Passage] = []
        self._running: tuple[uvicorn.Server, threading.Thread, asyncio.AbstractEventLoop] | None = None
        self.accept()

    def set_trouble(self, *troubles: Trouble) -> None:
        """Replace the active troubles; the first that matches a request hits it. None means no trouble."""
        self._troubles = tuple((trouble, random.Random(trouble.seed)) for trouble in troubles)

    def refuse(self) -> None:
        """Cut every connection and refuse new ones, as if the server were gone."""
        if self._running is None:
            return
        server, thread, loop = self._running

        def cut() -> None:
            server.should_exit = True
            for connection in list(server.server_state.connections):
                cast("Connection", connection).reset()

        loop.call_soon_threadsafe(cut)
        thread.join()
        self._running = None

    def accept(self) -> None:
        """Accept connections again, at the same endpoint."""
        if self._running is not None:
            return
        server = uvicorn.Server(
            uvicorn.Config(
                self._pass,
                interface="asgi3",
                http=ControlledProtocol,
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,  # the server's own Date is forwarded
                timeout_graceful_shutdown=1,
            )
        )
        listener = TimestampedSocket.listening("127.0.0.1", self._port)
        loop = asyncio.new_event_loop()

        def run() -> None:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(_serve(server, listener))

        thread = threading.Thread(target=run, name="flaky-s3", daemon=True)
        thread.start()
        self._running = (server, thread, loop)
        wait_until(lambda: server.started, seconds=_START_SECONDS, what="the proxy's start")

    def stop(self) -> None:
        """Stop it; may be called twice."""
        self.refuse()

    def _trouble_of(self, method: str, path: str) -> Trouble | None:
        for trouble, dice in self._troubles:
            fits = trouble.method in (None, method) and trouble.path_holds in path
            if fits and (trouble.probability >= 1 or dice.random() < trouble.probability):
                return trouble
        return None

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = cast("Connection", scope["extensions"][EXTENSION])
        body = await read_body(receive)
        if body is None:
            return
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        trouble = self._trouble_of(method, path)
        kind = trouble.kind if trouble else None
        if trouble and trouble.delay:
            await asyncio.sleep(trouble.delay)
        answer = None
        if kind not in {"slow_down", "cut"}:
            answer = await self._forward(scope, body)
        self.passages.append(Passage(method, path, kind, answer.status if answer else None))
        if answer is None and kind == "slow_down":
            text = _SLOW_DOWN % uuid4().hex.encode()
            headers = [(b"content-type", b"application/xml"), (b"content-length", b"%d" % len(text))]
            answer = _Answer(503, headers, b"" if method == "HEAD" else text)
        if answer is None or kind == "lose_answer":
            connection.close()
            await until_gone(receive)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _forward(self, scope: Scope, body: bytes) -> _Answer | None:
        host, port = self._origin
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        request = httpcore.Request(
            scope["method"],
            httpcore.URL(scheme="http", host=host, port=port, target=target),
            headers=[(name, value) for name, value in scope["headers"] if name not in _HOP_BY_HOP],
            content=body,
        )
        # One connection per request, so that none from a pool is stale when the server comes back.
        async with httpcore.AsyncConnectionPool() as pool:
            try:
                answer = await pool.handle_async_request(request)
                content = await answer.aread()
            except (httpcore.NetworkError, httpcore.ProtocolError):
                return None
        end_to_end = [(name, value) for name, value in answer.headers if name.lower() not in _HOP_BY_HOP]
        return _Answer(answer.status, end_to_end, content)
