"""The client of QueryMessage, which returns the delivery state of an accepted message.

A query changes nothing, so unlike a send it may be repeated, and connections are reused. One `ask` is one request: the
caller decides on turns, pauses and retries.
Source: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2018-05-01-querymessage
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Final, Self

import httpx

from globe_sms.tasks.gateway.answer_body import read_fields, read_text
from globe_sms.tasks.gateway.answer_parsing import RETRY_AFTER_HEADER
from globe_sms.tasks.gateway.connection_test import QUERY
from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.request import VERSION
from globe_sms.tasks.gateway.response_codes import CallVerdict, classify_code
from globe_sms.tasks.gateway.setup_errors import SETUP_ERRORS, setup_error
from globe_sms.tasks.gateway.signature import AcsV3Auth, CredentialsSource, random_nonce, utc_now
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in
from globe_sms.tasks.vocabulary.network_faults import network_fault

MOST_QUERIES_PER_SECOND: Final = 300
"""The API's limit per account, separate from the limit of sends."""

QUERY_SECONDS: Final = 15.0

_POOLS: Final = 16  # httpcore scans all connections of a pool for each request: a single large pool would be too slow
_LARGEST_ANSWER: Final = 256 * 1024
_LONGEST_QUOTATION: Final = 200
_LONGEST_WAIT_DIGITS: Final = 7
_BEFORE_WRITE: Final = "http11.send_request_headers.started"  # httpcore's event on a connection that is ready
_NO_SUCH_MESSAGE: Final = "DATA_NOT_EXIST"
_NOT_PERMITTED: Final = ("RAM_PERMISSION_DENY", "NoPermission", "Forbidden.RAM", "Forbidden.NoPermission")
_GRANT: Final = f"The key lacks dysms:{QUERY}: grant it in RAM, or track by delivery receipts alone (--no-query)."


class QueryResult(StrEnum):
    """The kinds of result of one query."""

    STATE = "state"
    """The gateway returned the message's state; see the fields."""
    NOT_THERE = "not_there"
    """The gateway doesn't know the message, or not yet."""
    THROTTLED = "throttled"
    """The query exceeded the account's rate: ask more slowly."""
    NOTHING = "nothing"
    """No clear answer, or none at all: ask again later."""
    REFUSED = "refused"
    """The gateway will never answer for this id."""
    STOPPED = "stopped"
    """The account is refused: every other query would fail too."""


@dataclass(frozen=True, slots=True)
class QueryOutcome:
    """The outcome of one query.

    Attributes:
        result: the kind of result.
        fields: the answer's fields, for STATE only; its `MessageId` is the one asked for.
        code: the gateway's code, if it gave one.
        advice: what the outcome means and what to do; empty for STATE and NOT_THERE; numbers are masked.
        retry_after: the seconds that the gateway asked to wait.
    """

    result: QueryResult
    fields: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)
    code: str | None = None
    advice: str = ""
    retry_after: float = 0.0


class QueryClient:
    """Queries one endpoint from one event loop, whose tasks may ask concurrently. Use it as a context manager.

    Args:
        endpoint: the gateway's endpoint.
        credentials: the source of credentials, called once per query in the event loop: a refresh blocks the loop.
        seconds: the timeout of a query, from its start to the end of its answer.
        transport: replaces httpx's own.
        clock: returns the date of a signature.
        nonce: returns a string that no other query has.

    Raises:
        InputError: the environment names a proxy or a certificate store that can't be used.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: CredentialsSource,
        *,
        seconds: float = QUERY_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
        nonce: Callable[[], str] = random_nonce,
    ) -> None:
        self._endpoint = endpoint
        self._seconds = seconds
        self._writes = transport is None  # another transport has no moment of writing
        self._auth = AcsV3Auth(credentials, clock=clock, nonce=nonce)
        try:
            trust_env = not endpoint.is_loopback
            verify = httpx.create_ssl_context(trust_env=trust_env)
            pools = [
                httpx.AsyncClient(
                    transport=transport,
                    verify=verify,
                    trust_env=trust_env,
                    follow_redirects=False,
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
                    timeout=httpx.Timeout(seconds, pool=None),
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                    headers={"accept": "application/json", "x-acs-action": QUERY, "x-acs-version": VERSION},
                )
                for _ in range(1 if transport else _POOLS)
            ]
        except SETUP_ERRORS as error:
            raise setup_error(endpoint, error) from None
        self._pools = tuple(pools)
        self._next_pool = itertools.cycle(pools)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools:
            await pool.aclose()

    async def ask(self, message_id: str, before_write: Callable[[], Awaitable[None]]) -> QueryOutcome:
        """Ask once for one message; failures are outcomes, not exceptions.

        `before_write` waits for the query's turn. It's called once the connection is ready, and the request is written
        as soon as it returns, so connecting delays no query past its turn. If it raises, so does this, and nothing
        was asked.
        """
        pool = next(self._next_pool)
        request = pool.build_request("POST", self._endpoint.url, data={"MessageId": message_id})
        try:
            async with asyncio.timeout(self._seconds) as limit:

                async def wait_for_turn() -> None:
                    limit.reschedule(None)
                    await before_write()
                    limit.reschedule(asyncio.get_running_loop().time() + self._seconds)

                async def trace(event: str, info: dict[str, Any]) -> None:
                    if event == _BEFORE_WRITE and info["request"].method != b"CONNECT":
                        await wait_for_turn()

                if self._writes:
                    request.extensions["trace"] = trace
                else:
                    await wait_for_turn()
                response = await pool.send(request, auth=self._auth, stream=True)
                try:
                    body = bytearray()
                    async for part in response.aiter_bytes():
                        body += part
                        if len(body) > _LARGEST_ANSWER:
                            break
                finally:
                    await response.aclose()
        except TimeoutError:
            return QueryOutcome(QueryResult.NOTHING, advice=f"no answer within {self._seconds:g} s")
        except InputError as error:
            return QueryOutcome(QueryResult.STOPPED, advice=str(error))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return QueryOutcome(QueryResult.NOTHING, advice=f"no answer from {self._endpoint} ({network_fault(error)})")
        return parse_query_answer(response.status_code, response.headers, bytes(body), message_id)


def parse_query_answer(status: int, headers: Mapping[str, str], body: bytes, message_id: str) -> QueryOutcome:
    """Return the outcome that an answer to a query means; never raises.

    An answer about a message other than `message_id` counts as no answer.
    """
    fields = read_fields(body)
    business, gateway = (read_text((fields or {}).get(name)) for name in ("ResponseCode", "Code"))
    code = business or gateway
    if fields is None or code is None:
        return QueryOutcome(QueryResult.NOTHING, advice=f"HTTP {status} with a body that isn't the gateway's")
    bare = code.removeprefix("isv.").removeprefix("isp.")
    if business == "OK":
        answered = read_text(fields.get("MessageId")) or message_id
        if answered != message_id:
            return QueryOutcome(QueryResult.NOTHING, code=code, advice="the answer is about another message")
        return QueryOutcome(QueryResult.STATE, {**fields, "MessageId": message_id}, code)
    if bare == _NO_SUCH_MESSAGE:
        return QueryOutcome(QueryResult.NOT_THERE, code=code)
    if bare.startswith(_NOT_PERMITTED):
        return QueryOutcome(QueryResult.STOPPED, code=code, advice=_GRANT)
    row = classify_code(code, from_gateway=business is None, status=status)
    words = read_text(fields.get("Message")) or read_text(fields.get("ResponseDescription")) or ""
    advice = f"{mask_numbers_in(code)[:100]}: {row.advice} {mask_numbers_in(words)[:_LONGEST_QUOTATION]}".rstrip()
    return QueryOutcome(
        _RESULT_BY_VERDICT.get(row.verdict, QueryResult.NOTHING),
        code=code,
        advice=advice,
        retry_after=_asked_to_wait(headers),
    )


_RESULT_BY_VERDICT: Final = {
    CallVerdict.THROTTLED: QueryResult.THROTTLED,
    CallVerdict.ACCOUNT: QueryResult.STOPPED,
    CallVerdict.CAMPAIGN: QueryResult.REFUSED,
    CallVerdict.CONTENT: QueryResult.REFUSED,
    CallVerdict.SIZE: QueryResult.REFUSED,
    CallVerdict.ROW: QueryResult.REFUSED,
}


def _asked_to_wait(headers: Mapping[str, str]) -> float:
    text = headers.get(RETRY_AFTER_HEADER, "")
    return int(text) / 1000 if text.isascii() and text.isdigit() and len(text) <= _LONGEST_WAIT_DIGITS else 0.0
