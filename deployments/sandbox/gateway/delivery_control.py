"""The control routes for deliveries, queries, receipts and their pushes.

GET deliveries (NDJSON: each message and its fate); PUT deliveries (`DeliverySettings`, for calls accepted from now on);
GET queries (NDJSON), GET queries/stats; GET receipts (NDJSON: the receipts so far; the fields of `Way` are query
parameters); PUT pushes (`PushSettings`), DELETE pushes (stops them), GET pushes (NDJSON: every push).
With `log_numbers: false` everything except the log of queries is answered with 409.
"""

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from globe_sms.deployments.sandbox.gateway.arrival_log import ArrivalLog
from globe_sms.deployments.sandbox.gateway.deliveries import Deliveries
from globe_sms.deployments.sandbox.gateway.delivery_fates import DeliverySettings
from globe_sms.deployments.sandbox.gateway.delivery_receipts import Way, receipts
from globe_sms.deployments.sandbox.gateway.query_message import QueryLog
from globe_sms.deployments.sandbox.gateway.receipt_push import Pusher, PushSettings

Endpoint = Callable[[Request], Awaitable[Response]]
_NDJSON = "application/x-ndjson"
_CHUNK_BYTES = 256 * 1024
_NO_NUMBERS = (
    "this gateway doesn't log numbers (log_numbers: false), so it has no deliveries, query answers or receipts: start "
    "it with log_numbers: true"
)


def delivery_routes(deliveries: Deliveries, log: ArrivalLog, pusher: Pusher) -> list[Route]:
    """Return the routes for fates, receipts and pushes, without the loopback check."""

    async def read_deliveries(_: Request) -> Response:
        records = (message.record() for message in deliveries.messages())
        return StreamingResponse(_ndjson(records), media_type=_NDJSON)

    async def set_deliveries(request: Request) -> Response:
        deliveries.change(DeliverySettings.model_validate_json(await request.body()), after=log.sequence)
        return Response(status_code=204)

    async def read_receipts(request: Request) -> Response:
        way = Way.model_validate(dict(request.query_params))
        return StreamingResponse(_ndjson(receipts(deliveries.messages(), now=time.time(), way=way)), media_type=_NDJSON)

    async def set_pushes(request: Request) -> Response:
        await pusher.start(PushSettings.model_validate_json(await request.body()))
        return Response(status_code=204)

    async def read_pushes(_: Request) -> Response:
        return StreamingResponse(file_so_far(pusher.path), media_type=_NDJSON)

    def with_numbers(endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            return await endpoint(request) if deliveries.enabled else JSONResponse({"error": _NO_NUMBERS}, 409)

        return checked

    return [
        Route("/deliveries", with_numbers(read_deliveries), methods=["GET"]),
        Route("/deliveries", with_numbers(set_deliveries), methods=["PUT"]),
        Route("/receipts", with_numbers(read_receipts), methods=["GET"]),
        Route("/pushes", with_numbers(set_pushes), methods=["PUT"]),
        Route("/pushes", with_numbers(read_pushes), methods=["GET"]),
    ]


def query_routes(queries: QueryLog) -> list[Route]:
    """Return the routes for the log of queries, without the loopback check."""

    async def read_queries(_: Request) -> Response:
        return StreamingResponse(file_so_far(queries.path), media_type=_NDJSON)

    async def query_stats(_: Request) -> Response:
        return JSONResponse(queries.stats().model_dump())

    return [
        Route("/queries", read_queries, methods=["GET"]),
        Route("/queries/stats", query_stats, methods=["GET"]),
    ]


def file_so_far(path: Path) -> Iterator[bytes]:
    """Yield a log's bytes up to its current end, so that the last line is complete while calls continue."""
    left = path.stat().st_size
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def _ndjson(records: Iterator[dict[str, str]] | Iterator[dict[str, object]]) -> Iterator[bytes]:
    for record in records:
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
