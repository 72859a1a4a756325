"""The sandbox gateway as an ASGI application: `POST /` is the API, `/_sandbox/...` is the control.

A call arrives with its headers; the rate is checked at that time, even if the body takes long. A call refused for the
rate is logged, but doesn't occupy the second (`count_refused` changes that). The control is unsigned and answers
loopback only:
GET health, log, stats, faults; POST faults (a rule); DELETE faults, log; PUT latency, arrival-delay (each
call's arrival, delayed as by a network); and the paths of `delivery_control`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import cast

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from globe_sms.deployments.sandbox.gateway.answers import Answer
from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival, ArrivalLog
from globe_sms.deployments.sandbox.gateway.call_decision import Judge, Outcome
from globe_sms.deployments.sandbox.gateway.deliveries import Deliveries
from globe_sms.deployments.sandbox.gateway.delivery_control import delivery_routes, file_so_far, query_routes
from globe_sms.deployments.sandbox.gateway.fault_rules import FaultRule, Faults, Latency
from globe_sms.deployments.sandbox.gateway.faulty_answers import Ending
from globe_sms.deployments.sandbox.gateway.http_connection import EXTENSION, Connection, read_body, until_gone
from globe_sms.deployments.sandbox.gateway.query_message import Queries, QueryLog
from globe_sms.deployments.sandbox.gateway.receipt_push import Pusher
from globe_sms.deployments.sandbox.gateway.settings import GatewaySettings
from globe_sms.deployments.sandbox.gateway.signature_check import QUERY, Call

_LOOPBACK = ("127.", "::1", "testclient")


@dataclass(frozen=True, slots=True)
class _Came:
    sequence: int
    wall: float
    monotonic: float
    in_air: int


class Gateway:
    """The API's endpoint as an ASGI application; clocks are passed in."""

    def __init__(
        self,
        settings: GatewaySettings,
        log: ArrivalLog,
        faults: Faults,
        deliveries: Deliveries,
        queries: QueryLog,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log_messages = settings.log_messages
        self._log = log
        self._faults = faults
        self._judge = Judge(settings.accounts, faults)
        self._deliveries = deliveries
        self._queries = Queries(settings.accounts, self._judge.door, faults, deliveries)
        self._query_log = queries
        self._wall, self._monotonic = wall, monotonic
        self._in_air = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, or fail as the active fault rules say."""
        connection = cast("Connection | None", scope.get("extensions", {}).get(EXTENSION))
        wall, monotonic = connection.arrived if connection else (self._wall(), self._monotonic())
        if delay := self._faults.draw_arrival_delay():
            await asyncio.sleep(delay - (self._monotonic() - monotonic))
        arrived = (wall + delay, monotonic + delay)
        if _call(scope, b"").header("x-acs-action") == QUERY:
            await self._query(scope, receive, send, arrived, connection)
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
            arrival = _arrival(came, call, outcome)
            self._log.write(replace(arrival, duration=duration, messages=messages))
            if outcome.batch and outcome.acceptance:
                texts = dict(zip(outcome.batch.numbers, outcome.batch.messages, strict=True))
                self._deliveries.add(arrival, texts)
            if latency:
                await asyncio.sleep(latency)
            await _deliver(outcome.answer, outcome.ending, connection, receive, send)
        finally:
            self._in_air -= 1

    async def _query(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        arrived: tuple[float, float],
        connection: Connection | None,
    ) -> None:
        """Answer a query; it sends nothing, so it has a separate log."""
        body = await read_body(receive)
        if body is not None:
            reply = self._queries.ask(_call(scope, body), wall=arrived[0], monotonic=arrived[1])
            self._query_log.write(reply.query)
            if latency := self._faults.draw_latency():
                await asyncio.sleep(latency)
            await _deliver(reply.answer, reply.ending, connection, receive, send)


def application(settings: GatewaySettings, log: ArrivalLog, faults: Faults) -> Starlette:
    """Return API and control together; the logs of queries and pushes are beside the log of arrivals."""
    deliveries = Deliveries(log.path, settings.deliveries, enabled=settings.log_numbers)
    queries = QueryLog(log.path.with_name(f"{log.path.name}.queries"))
    pusher = Pusher(deliveries, log.path.with_name(f"{log.path.name}.pushes"))
    gateway = Gateway(settings, log, faults, deliveries, queries)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def read_log(_: Request) -> Response:
        return StreamingResponse(file_so_far(log.path), media_type="application/x-ndjson")

    async def reset_log(_: Request) -> Response:
        log.reset()
        deliveries.reset(settings.deliveries)
        queries.reset()
        await pusher.reset()
        return Response(status_code=204)

    async def stats(_: Request) -> Response:
        return JSONResponse(log.stats().model_dump())

    async def list_faults(_: Request) -> Response:
        return JSONResponse(
            {
                "latency": faults.latency.model_dump(),
                "arrival_delay": faults.arrival_delay.model_dump(),
                "faults": [rule.model_dump() for rule in faults.rules],
            }
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

    async def delay_arrivals(request: Request) -> Response:
        faults.arrival_delay = Latency.model_validate_json(await request.body())
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
        Route("/arrival-delay", _loopback(delay_arrivals), methods=["PUT"]),
    ]
    after_the_send = [
        Route(route.path, _loopback(route.endpoint), methods=route.methods)
        for route in (*delivery_routes(deliveries, log, pusher), *query_routes(queries))
    ]
    return Starlette(
        routes=[Mount("/_sandbox", routes=[*routes, *after_the_send]), Mount("/", app=gateway)],
        exception_handlers={ValidationError: _invalid},
    )


def _loopback(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        if request.client is None or not request.client.host.startswith(_LOOPBACK):
            return JSONResponse({"error": "the sandbox can only be controlled from this machine"}, status_code=403)
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
        validity=batch.validity if batch else None,
    )


async def _deliver(answer: Answer, ending: Ending, connection: Connection | None, receive: Receive, send: Send) -> None:
    if ending is Ending.SEND or connection is None:
        await _start(answer, send)
        await send({"type": "http.response.body", "body": answer.body})
        return
    if ending is Ending.TRUNCATE:
        await _start(answer, send)
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
    if ending is Ending.RESET:
        connection.reset()
    elif ending is not Ending.HANG:
        connection.close()
    await until_gone(receive)


async def _start(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
