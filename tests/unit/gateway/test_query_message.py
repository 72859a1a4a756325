"""QueryMessage: what each answer means, and that failures are outcomes, not exceptions."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from globe_sms.tasks.gateway import Credentials, Endpoint
from globe_sms.tasks.gateway.query_message import QueryClient, QueryOutcome, QueryResult, parse_query_answer
from globe_sms.tasks.vocabulary.errors import InputError, StoreUnavailableError

KEY = Credentials("LTAI5tExample", SecretStr("secret"))
GOOD = {"ResponseCode": "OK", "MessageId": "123", "To": "6581234567", "Status": "1", "ErrorCode": "DELIVERED"}


def read(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> QueryOutcome:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_query_answer(status, headers or {}, content, "123")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (GOOD, 200, QueryResult.STATE),
        ({**GOOD, "MessageId": "124"}, 200, QueryResult.NOTHING),
        ({name: value for name, value in GOOD.items() if name != "MessageId"}, 200, QueryResult.STATE),
        ({"ResponseCode": "DATA_NOT_EXIST"}, 200, QueryResult.NOT_THERE),
        ({"ResponseCode": "isv.DATA_NOT_EXIST"}, 200, QueryResult.NOT_THERE),
        ({"ResponseCode": "QPS_LIMIT_CONTROL"}, 200, QueryResult.THROTTLED),
        ({"Code": "Throttling.User"}, 400, QueryResult.THROTTLED),
        ({"ResponseCode": "SYSTEM_ERROR"}, 200, QueryResult.NOTHING),
        ({"Code": "InternalError"}, 500, QueryResult.NOTHING),
        ({"Code": "ServiceUnavailable"}, 503, QueryResult.NOTHING),
        ({"Code": "SignatureNonceUsed"}, 400, QueryResult.NOTHING),
        ({"ResponseCode": "INVALID_PARAMETERS"}, 200, QueryResult.REFUSED),
        ({"ResponseCode": "RAM_PERMISSION_DENY"}, 200, QueryResult.STOPPED),
        ({"Code": "NoPermission.X"}, 403, QueryResult.STOPPED),
        ({"Code": "InvalidAccessKeyId.NotFound"}, 404, QueryResult.STOPPED),
        ({"Code": "SomethingNew"}, 500, QueryResult.NOTHING),
        (b"<html>502</html>", 502, QueryResult.NOTHING),
        (b"", 200, QueryResult.NOTHING),
        (b'{"ResponseCode":"O', 200, QueryResult.NOTHING),
        (b"<QueryMessageResponse><ResponseCode>OK</ResponseCode><Status>1</Status></QueryMessageResponse>", 200,
         QueryResult.STATE),
    ],
)  # fmt: skip
def test_each_answer_has_its_result(body: Any, status: int, expected: QueryResult) -> None:
    outcome = read(body, status)
    assert outcome.result is expected
    assert bool(outcome.advice) == (expected not in {QueryResult.STATE, QueryResult.NOT_THERE})
    if expected is QueryResult.STATE:
        assert outcome.fields["MessageId"] == "123"


def test_a_missing_permission_is_named() -> None:
    assert "dysms:QueryMessage" in read({"Code": "NoPermission"}, 403).advice


def test_the_requested_wait_is_read_in_milliseconds() -> None:
    assert read({"Code": "Throttling"}, 400, {"x-acs-retry-after": "1500"}).retry_after == 1.5
    assert read({"Code": "Throttling"}, 400, {"x-acs-retry-after": "soon"}).retry_after == 0.0


def test_no_number_is_quoted_whole() -> None:
    outcome = read({"Code": "InvalidParameter", "Message": "6581234567 is wrong"}, 400)
    assert "6581234567" not in outcome.advice
    assert "6581234567" not in repr(read(GOOD))


def ask(handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> QueryOutcome:
    async def once() -> QueryOutcome:
        client = QueryClient(
            Endpoint.parse("https://gateway.invalid"),
            options.pop("credentials", lambda: KEY),
            transport=httpx.MockTransport(handler),
            **options,
        )
        async with client:
            return await client.ask("123", at_once)

    return asyncio.run(once())


async def at_once() -> None:
    """Wait for no turn."""


@pytest.mark.parametrize("has_turn", [True, False])
def test_a_query_takes_its_turn_on_a_ready_connection_and_is_written_at_once(*, has_turn: bool) -> None:
    """A loop that is busy with connecting wrote 758 queries in one second, long after their turns."""
    happened: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        happened.append("connected")
        connected.set()
        if await reader.read(1_000):
            happened.append("written")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        ended.set()

    async def take_turn() -> None:
        await connected.wait()
        happened.append("turn")
        if not has_turn:
            raise StoreUnavailableError("gone")

    async def once() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, QueryClient(Endpoint.parse(f"http://127.0.0.1:{port}"), lambda: KEY) as client:
            try:
                await client.ask("123", take_turn)
            finally:
                await ended.wait()

    connected, ended = asyncio.Event(), asyncio.Event()
    if has_turn:
        asyncio.run(once())
    else:
        with pytest.raises(StoreUnavailableError):
            asyncio.run(once())
    assert happened == ["connected", "turn", "written"][: 2 + has_turn]


def test_a_query_is_a_signed_form_with_only_the_id() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=GOOD)

    assert ask(answer).result is QueryResult.STATE
    (request,) = seen
    assert request.content == b"MessageId=123"
    assert request.headers["x-acs-action"] == "QueryMessage"
    assert request.headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=LTAI5tExample,")


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.PoolTimeout])
def test_every_transport_error_is_an_outcome(error: type[httpx.TransportError]) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise error("secret words")

    outcome = ask(broken)
    assert outcome.result is QueryResult.NOTHING
    assert "secret words" not in outcome.advice


def test_credentials_that_cannot_be_refreshed_stop_the_tracking() -> None:
    def none() -> Credentials:
        raise InputError("no credentials")

    outcome = ask(lambda _: httpx.Response(200, json=GOOD), credentials=none)
    assert (outcome.result, outcome.advice) == (QueryResult.STOPPED, "no credentials")


def test_an_endless_answer_times_out() -> None:
    async def endless(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    assert ask(endless, seconds=0.01).result is QueryResult.NOTHING  # type: ignore[arg-type] # MockTransport takes both kinds
