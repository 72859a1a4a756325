"""The stand-in gateway as an ASGI application: `POST /` is the API, `/_sandbox/...` is the control.

A call's arrival is when its headers came; whether it is within the rate is judged by that, even if its body took
long. What is refused for the rate is an attempt in the log but leaves the second free (`count_refused` changes that).
The control is unsigned and answers loopback only:
GET health, log, stats, faults; POST faults (a rule); DELETE faults, log; PUT latency.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from deployments.sandbox.answers import Answer
from deployments.sandbox.connection import EXTENSION, Connection, read_body, until_gone
from deployments.sandbox.faults import FaultRule, Faults, Latency
from deployments.sandbox.judge import Ending, Judge, Outcome
from deployments.sandbox.log import Arrival, ArrivalLog
from deployments.sandbox.settings import GatewaySettings
from deployments.sandbox.signature import QUERY, Call

_CHUNK_BYTES = 256 * 1024
_LOOPBACK = ("127.", "::1", "testclient")


@dataclass(frozen=True, slots=True)
class _Came:
    sequence: int
    wall: float
    monotonic: float
    in_air: int


class Gateway:
    """The API's endpoint, an ASGI application; clocks are passed in."""

    def __init__(
        self,
        settings: GatewaySettings,
        log: ArrivalLog,
        faults: Faults,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log_messages = settings.log_messages
        self._log = log
        self._faults = faults
        self._judge = Judge(settings.accounts, faults)
        self._wall, self._monotonic = wall, monotonic
        self._in_air = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, or fail to, as the rules in force say."""
        connection = cast("Connection | None", scope.get("extensions", {}).get(EXTENSION))
        arrived = connection.arrived if connection else (self._wall(), self._monotonic())
        if _call(scope, b"").header("x-acs-action") == QUERY:
            await self._query(scope, receive, send, arrived)
            return
        self._in_air += 1
        came = _Came(self._log.next_sequence(), *arrived, self._in_air)
        try:
            body = await read_body(receive)
            call = _call(scope, body or b"")
            if body is None:
                self._log.write(_arrival(came, call, None))
                return
            outcome = self._judge.judge(call, wall=arrived[0], monotonic=arrived[1])
            latency = self._faults.draw_latency()
            duration = None if outcome.ending is Ending.HANG else self._monotonic() - arrived[1] + latency
            messages = outcome.batch.messages if outcome.batch and self._log_messages else None
            self._log.write(replace(_arrival(came, call, outcome), duration=duration, messages=messages))
            if latency:
                await asyncio.sleep(latency)
            await _deliver(outcome, connection, receive, send)
        finally:
            self._in_air -= 1

    async def _query(self, scope: Scope, receive: Receive, send: Send, arrived: tuple[float, float]) -> None:
        """Answer a query; it sends nothing, so it is no arrival in the log."""
        body = await read_body(receive)
        if body is not None:
            answer = self._judge.query(_call(scope, body), wall=arrived[0], monotonic=arrived[1])
            await _start(answer, send)
            await send({"type": "http.response.body", "body": answer.body})


def application(gateway: Gateway, log: ArrivalLog, faults: Faults) -> Starlette:
    """Put the control beside the API."""

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def read_log(_: Request) -> Response:
        return StreamingResponse(_lines(log.path), media_type="application/x-ndjson")

    async def reset_log(_: Request) -> Response:
        log.reset()
        return Response(status_code=204)

    async def stats(_: Request) -> Response:
        return JSONResponse(log.stats().model_dump())

    async def list_faults(_: Request) -> Response:
        return JSONResponse(
            {"latency": faults.latency.model_dump(), "faults": [rule.model_dump() for rule in faults.rules]}
        )

    async def add_fault(request: Request) -> Response:
        faults.add(FaultRule.model_validate_json(await request.body()))
        return Response(status_code=204)

    async def clear_faults(_: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    async def set_latency(request: Request) -> Response:
        faults.latency = Latency.model_validate_json(await request.body())
        return Response(status_code=204)

    routes = [
        Route("/health", _loopback(health)),
        Route("/log", _loopback(read_log), methods=["GET"]),
        Route("/log", _loopback(reset_log), methods=["DELETE"]),
        Route("/stats", _loopback(stats)),
        Route("/faults", _loopback(list_faults), methods=["GET"]),
        Route("/faults", _loopback(add_fault), methods=["POST"]),
        Route("/faults", _loopback(clear_faults), methods=["DELETE"]),
        Route("/latency", _loopback(set_latency), methods=["PUT"]),
    ]
    return Starlette(
        routes=[Mount("/_sandbox", routes=routes), Mount("/", app=gateway)],
        exception_handlers={ValidationError: _invalid},
    )


def _lines(path: Path) -> Iterator[bytes]:
    # Calls go on while a large log is read: what came after the start is left out, so the last line is whole.
    left = path.stat().st_size
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def _loopback(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        if request.client is None or not request.client.host.startswith(_LOOPBACK):
            return JSONResponse({"error": "the sandbox is controlled from this machine only"}, status_code=403)
        return await endpoint(request)

    return guarded


async def _invalid(_: Request, error: Exception) -> Response:
    details = error.errors(include_url=False, include_context=False) if isinstance(error, ValidationError) else []
    return JSONResponse({"error": details}, status_code=422)


def _call(scope: Scope, body: bytes) -> Call:
    return Call(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"],
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=body,
    )


def _arrival(came: _Came, call: Call, outcome: Outcome | None) -> Arrival:
    batch, acceptance = (outcome.batch, outcome.acceptance) if outcome else (None, None)
    accepted = dict(acceptance.accepted) if acceptance else {}
    failed = list(acceptance.failed) if acceptance else []
    return Arrival(
        sequence=came.sequence,
        wall=came.wall,
        monotonic=came.monotonic,
        key_id=outcome.key_id if outcome else call.claimed_key_id,
        nonce=call.header("x-acs-signature-nonce"),
        task_id=batch.task_id if batch else "",
        request_id=outcome.request_id if outcome else "",
        in_air=came.in_air,
        admitted=outcome.admitted if outcome else False,
        code=outcome.answer.code if outcome else "broken_off",
        status=outcome.answer.status if outcome and outcome.ending is Ending.SEND else None,
        fault=outcome.fault if outcome else None,
        duration=None,
        count=len(batch.numbers) if batch else 0,
        accepted_count=len(accepted),
        failed_count=len(failed),
        sender=batch.sender if batch else "",
        numbers=batch.numbers if batch else [],
        accepted=accepted,
        failed=failed,
    )


async def _deliver(outcome: Outcome, connection: Connection | None, receive: Receive, send: Send) -> None:
    answer = outcome.answer
    if outcome.ending is Ending.SEND or connection is None:
        await _start(answer, send)
        await send({"type": "http.response.body", "body": answer.body})
        return
    if outcome.ending is Ending.TRUNCATE:
        await _start(answer, send)
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
    if outcome.ending is Ending.RESET:
        connection.reset()
    elif outcome.ending is not Ending.HANG:
        connection.close()
    await until_gone(receive)


async def _start(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
