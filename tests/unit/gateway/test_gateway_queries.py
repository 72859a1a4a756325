"""What a query's answer tells, and that nothing that goes wrong is raised."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tasks.errors import InputError
from tasks.gateway import Credentials, Endpoint
from tasks.gateway.queries import QueryClient, QueryOutcome, Told, read_answer

KEY = Credentials("LTAI5tExample", SecretStr("secret"))
GOOD = {"ResponseCode": "OK", "MessageId": "123", "To": "6581234567", "Status": "1", "ErrorCode": "DELIVERED"}


def read(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> QueryOutcome:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(status, headers or {}, content, "123")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (GOOD, 200, Told.STATE),
        ({**GOOD, "MessageId": "124"}, 200, Told.NOTHING),
        ({name: value for name, value in GOOD.items() if name != "MessageId"}, 200, Told.STATE),
        ({"ResponseCode": "DATA_NOT_EXIST"}, 200, Told.NOT_THERE),
        ({"ResponseCode": "isv.DATA_NOT_EXIST"}, 200, Told.NOT_THERE),
        ({"ResponseCode": "QPS_LIMIT_CONTROL"}, 200, Told.THROTTLED),
        ({"Code": "Throttling.User"}, 400, Told.THROTTLED),
        ({"ResponseCode": "SYSTEM_ERROR"}, 200, Told.NOTHING),
        ({"Code": "InternalError"}, 500, Told.NOTHING),
        ({"Code": "ServiceUnavailable"}, 503, Told.NOTHING),
        ({"Code": "SignatureNonceUsed"}, 400, Told.NOTHING),
        ({"ResponseCode": "INVALID_PARAMETERS"}, 200, Told.REFUSED),
        ({"ResponseCode": "RAM_PERMISSION_DENY"}, 200, Told.STOPPED),
        ({"Code": "NoPermission.X"}, 403, Told.STOPPED),
        ({"Code": "InvalidAccessKeyId.NotFound"}, 404, Told.STOPPED),
        ({"Code": "SomethingNew"}, 500, Told.NOTHING),
        (b"<html>502</html>", 502, Told.NOTHING),
        (b"", 200, Told.NOTHING),
        (b'{"ResponseCode":"O', 200, Told.NOTHING),
        (b"<QueryMessageResponse><ResponseCode>OK</ResponseCode><Status>1</Status></QueryMessageResponse>", 200,
         Told.STATE),
    ],
)  # fmt: skip
def test_an_answer_tells_what_it_can(body: Any, status: int, expected: Told) -> None:
    outcome = read(body, status)
    assert outcome.told is expected
    assert bool(outcome.advice) == (expected not in {Told.STATE, Told.NOT_THERE})
    if expected is Told.STATE:
        assert outcome.fields["MessageId"] == "123"


def test_the_permission_that_is_lacking_is_named() -> None:
    assert "dysms:QueryMessage" in read({"Code": "NoPermission"}, 403).advice


def test_the_gateways_wish_to_wait_is_read_in_milliseconds() -> None:
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
            return await client.ask("123")

    return asyncio.run(once())


def test_a_query_is_a_signed_form_with_the_id_alone() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=GOOD)

    assert ask(answer).told is Told.STATE
    (request,) = seen
    assert request.content == b"MessageId=123"
    assert request.headers["x-acs-action"] == "QueryMessage"
    assert request.headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=LTAI5tExample,")


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.PoolTimeout])
def test_whatever_breaks_is_an_outcome(error: type[httpx.TransportError]) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise error("secret words")

    outcome = ask(broken)
    assert outcome.told is Told.NOTHING
    assert "secret words" not in outcome.advice


def test_credentials_that_cannot_be_refreshed_stop_the_tracking() -> None:
    def none() -> Credentials:
        raise InputError("no credentials")

    outcome = ask(lambda _: httpx.Response(200, json=GOOD), credentials=none)
    assert (outcome.told, outcome.advice) == (Told.STOPPED, "no credentials")


def test_an_answer_that_does_not_end_is_given_up() -> None:
    async def endless(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    assert ask(endless, seconds=0.01).told is Told.NOTHING  # type: ignore[arg-type] # MockTransport takes both kinds
