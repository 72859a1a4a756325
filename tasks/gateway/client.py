"""The gateway's client: one call, one connection, one outcome; it never retries on its own.

from globe_sms.tasks.gateway import BatchSend, Endpoint, Gateway, MessageType, credentials_from_default_chain

with Gateway(Endpoint.from_environment(os.environ), credentials_from_default_chain()) as gateway:
    outcome = gateway.send(BatchSend(numbers=("6581234567",), messages=("Hello",), type=MessageType.NOTIFY))
"""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Final, Self

import httpx

from globe_sms.tasks.gateway.answer_body import LARGEST_BODY, printable
from globe_sms.tasks.gateway.answer_parsing import Outcome, no_reply, parse_answer, unreachable
from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.request import ACTION, VERSION, BatchSend
from globe_sms.tasks.gateway.request_write import ClosedBeforeWriteError, RequestWrite, TracingTransport
from globe_sms.tasks.gateway.setup_errors import SETUP_ERRORS, setup_error
from globe_sms.tasks.gateway.signature import AcsV3Auth, CredentialsSource, random_nonce, utc_now
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0

_LONGEST_QUOTATION: Final = 200

_CHECK_THE_NETWORK: Final = "Nothing was sent: check the network, the proxy and GLOBE_SMS_ENDPOINT."
_CHECK_THE_CREDENTIALS: Final = "Nothing was sent: the credentials couldn't be refreshed; check their source."


def _do_nothing() -> None:
    """Do nothing before and after a call is written, and when it's answered."""


def _version() -> str:
    """Return the distribution's version, or 0 for a source tree that isn't installed."""
    try:
        return version("globe-sms")
    except PackageNotFoundError:
        return "0"


class Gateway:
    """Sends calls to one endpoint; thread-safe, and idle until `send`.

    Every call has its own connection: on a reused one, a server that closes it during the write would make a whole
    chunk unclear. Retries, redirects and cookies are off, TLS is always verified, and the environment's proxies are
    used except for this machine.

    Args:
        endpoint: the gateway's endpoint.
        credentials: the source of credentials, called once per call.
        connect_seconds: the timeout of each step of connecting (TCP, TLS).
        read_seconds: the timeout without a byte of the answer, and for its whole body; excludes waiting for a turn.
        transport: replaces httpx's own; one that isn't an `httpx.HTTPTransport` counts as writing a call as soon as it
            gets it.
        clock: returns the date of a signature.
        nonce: returns a string that no other call has.

    Raises:
        InputError: the environment names a proxy or a certificate store that can't be used.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: CredentialsSource,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
        nonce: Callable[[], str] = random_nonce,
    ) -> None:
        self._endpoint = endpoint
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._auth = AcsV3Auth(credentials, clock=clock, nonce=nonce)
        self._in_air: set[RequestWrite] = set()
        if transport is not None and not isinstance(transport, httpx.HTTPTransport):
            transport = TracingTransport(transport)
        try:
            self._client = httpx.Client(
                transport=transport,
                trust_env=not endpoint.is_loopback,
                follow_redirects=False,
                http2=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
                timeout=httpx.Timeout(read_seconds, connect=connect_seconds, pool=None),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                headers={
                    "accept": "application/json",
                    "accept-encoding": "identity",
                    "connection": "close",  # so no thread can ever reuse another's connection
                    "content-type": "application/x-www-form-urlencoded",
                    "user-agent": f"globe-sms/{_version()}",
                    "x-acs-action": ACTION,
                    "x-acs-version": VERSION,
                },
            )
        except SETUP_ERRORS as error:
            raise setup_error(endpoint, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release all resources, without waiting for calls in the air."""
        self._client.close()

    def abort(self) -> None:
        """Break the connections of all calls in the air; each `send` returns at once with an unclear outcome."""
        for call in self._in_air.copy():
            call.abort()

    @property
    def endpoint(self) -> Endpoint:
        """The gateway's endpoint."""
        return self._endpoint

    def send(
        self,
        batch: BatchSend,
        *,
        before_write: Callable[[], None] = _do_nothing,
        after_write: Callable[[], None] = _do_nothing,
        on_answer: Callable[[], None] = _do_nothing,
    ) -> Outcome:
        """Make one call and return its outcome; blocks until then.

        First the connection is made; without one, `before_write` isn't called. Then `before_write` is called exactly
        once: it may wait for the call's turn, and if it raises, nothing is written. Once it returns, the write starts,
        and every failure from here on is unclear. The one exception is a gateway that hung up during the wait: nothing
        is written, and the outcome is unreachable. `after_write` is called when the operating system has the whole
        request, and `on_answer` when the answer has begun, if the transport tells; they must not raise.

        Raises:
            BaseException: the error of `before_write`, unchanged; nothing was sent. KeyboardInterrupt and the like at
                any time: the records of `before_write` tell whether the call may have been sent.
        """
        call = RequestWrite(before_write, after_write, on_answer)
        request = self._client.build_request(
            "POST", self._endpoint.url, content=batch.form(), extensions={"trace": call.trace}
        )
        self._in_air.add(call)
        try:
            status, headers, body = self._exchange(request)
        except Exception as error:  # noqa: BLE001 # once its write has started, a call is unclear whatever is raised
            if call.prevented_by is None:
                return self._outcome_of(error, call, batch.numbers)
        else:
            if call.write_started:
                return parse_answer(status, headers, body, batch.numbers)
        finally:
            self._in_air.discard(call)
        raise call.prevented_by or RuntimeError(
            "a call was sent without waiting for its turn, because this version of httpcore traces requests "
            "differently from 1.0.9: install the versions in requirements.lock, and check the console for its messages"
        )

    def _exchange(self, request: httpx.Request) -> tuple[int, Mapping[str, str], bytes]:
        """Send the request and read the answer, bounded in time and size."""
        response = self._client.send(request, auth=self._auth, stream=True)
        try:
            deadline = time.monotonic() + self._read_seconds
            body = bytearray()
            for part in response.iter_bytes():
                body += part
                if len(body) > LARGEST_BODY:
                    break
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("", request=request)
            return response.status_code, response.headers, bytes(body)
        finally:
            response.close()

    def _outcome_of(self, error: Exception, call: RequestWrite, numbers: tuple[str, ...]) -> Outcome:
        """Return what a failure proves: before the write started, that nothing was sent; afterwards, nothing."""
        if call.write_started:
            return no_reply(numbers, self._describe(error))
        if isinstance(error, ClosedBeforeWriteError):
            return unreachable(
                "the gateway closed the connection while the call waited for its turn", advice=_CHECK_THE_NETWORK
            )
        if isinstance(error, InputError):
            return unreachable(str(error), advice=_CHECK_THE_CREDENTIALS, reason="no_credentials")
        if isinstance(error, _ERRORS_BEFORE_A_WRITE) or (call.tunnelling and isinstance(error, httpx.HTTPError)):
            return unreachable(self._describe(error), advice=_CHECK_THE_NETWORK)
        if isinstance(error, httpx.HTTPError):  # no sign of a write, but no proof against one either
            return no_reply(numbers, self._describe(error))
        raise error

    def _describe(self, error: Exception) -> str:
        """Describe a failure; quotes connection errors only, as others may hold parts of the request."""
        words = next(
            (text for kinds, text in _ERROR_MESSAGES if isinstance(error, kinds)), "the exchange failed ({kind})"
        )
        return words.format(
            endpoint=self._endpoint,
            connect=self._connect_seconds,
            read=self._read_seconds,
            kind=type(error).__name__,
            quoted=mask_numbers_in(printable(_ERRNO.sub("", str(error))))[:_LONGEST_QUOTATION],
        )


_ERRNO: Final = re.compile(r"^\[Errno -?\d+\] ")
_ERROR_MESSAGES: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    (httpx.ConnectTimeout, "no connection to {endpoint} within {connect:g} s"),
    (httpx.ReadTimeout, "no reply within {read:g} s"),
    (httpx.WriteTimeout, "the request couldn't be written within {read:g} s"),
    ((httpx.ConnectError, httpx.ProxyError), "no connection to {endpoint}: {quoted}"),
    ((httpx.ReadError, httpx.WriteError), "the connection broke before the answer was complete"),
    (httpx.RemoteProtocolError, "the connection was closed before the answer was complete, or it isn't HTTP"),
)
_ERRORS_BEFORE_A_WRITE: Final = (httpx.ConnectError, httpx.ConnectTimeout)
