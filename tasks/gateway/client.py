"""The gateway's client: one call, one connection, one outcome; never a second attempt on its own.

from globe_sms.tasks.gateway import BatchSend, Endpoint, Gateway, MessageType, credentials_from_default_chain

with Gateway(Endpoint.from_environment(os.environ), credentials_from_default_chain()) as gateway:
    outcome = gateway.send(BatchSend(numbers=("6581234567",), messages=("Hello",), type=MessageType.NOTIFY))
"""

import ssl
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Final, Self

import httpx

from globe_sms.tasks.gateway.answer_body import LARGEST_BODY, printable
from globe_sms.tasks.gateway.answer_parsing import Outcome, never_presented, no_reply, parse_answer
from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.request import ACTION, VERSION, BatchSend
from globe_sms.tasks.gateway.request_write import AnnouncingTransport, ClosedMeanwhileError, RequestWrite
from globe_sms.tasks.gateway.signature import AcsV3Auth, CredentialsSource, random_nonce, utc_now
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0

_LONGEST_QUOTATION: Final = 200

_CHECK_THE_NETWORK: Final = "Nothing was sent: check the network, the proxy and GLOBE_SMS_ENDPOINT."
_CHECK_THE_CREDENTIALS: Final = "Nothing was sent: the credentials could not be refreshed."


def _nothing() -> None:
    """Neither wait before a call is written nor note that it is."""


def _version() -> str:
    """Return the distribution's version; a source tree that was never installed has none."""
    try:
        return version("globe-sms")
    except PackageNotFoundError:
        return "0"


class Gateway:
    """Sends calls to one endpoint; thread-safe, and sends nothing until `send`.

    Every call has a connection of its own: on a kept one, a server that closes while a request is written would make
    a whole chunk unclear. Retries, redirects and cookies are off, TLS is verified always, and proxies of the
    environment are used for other machines than this one.

    Args:
        endpoint: where the gateway is.
        credentials: asked once for each call.
        connect_seconds: for each step of connecting (TCP, TLS).
        read_seconds: without a byte of the answer, and for its whole body; waiting for a turn does not count.
        transport: another than httpx's own; what is not an `httpx.HTTPTransport` is taken to present a call as soon as
            it is handed over.
        clock: gives the date of a signature.
        nonce: gives a string that no other call has.

    Raises:
        InputError: the environment names a proxy or a certificate store that cannot be used.
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
            transport = AnnouncingTransport(transport)
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
                    "connection": "close",  # with it, no thread can ever pick up another's connection
                    "content-type": "application/x-www-form-urlencoded",
                    "user-agent": f"globe-sms/{_version()}",
                    "x-acs-action": ACTION,
                    "x-acs-version": VERSION,
                },
            )
        except (ImportError, ValueError, OSError, ssl.SSLError) as error:
            raise InputError(
                f"the connection to {endpoint} cannot be set up ({type(error).__name__}): check HTTPS_PROXY, "
                f"ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give up what is held; calls in the air are not waited for."""
        self._client.close()

    def abort(self) -> None:
        """Break the connections of the calls in the air; `send` returns at once for each, with its outcome unclear."""
        for call in self._in_air.copy():
            call.abort()

    @property
    def endpoint(self) -> Endpoint:
        """Where calls go."""
        return self._endpoint

    def send(
        self,
        batch: BatchSend,
        *,
        before_write: Callable[[], None] = _nothing,
        after_write: Callable[[], None] = _nothing,
    ) -> Outcome:
        """Present one call, and say what came of it; blocks until then.

        The connection is made first. When it stands, `before_write` is called, exactly once: it may wait for the
        call's turn, and what it raises prevents the call, with nothing written. When it has returned, the call counts
        as presented, and every failure from there on is unclear; only when the gateway has visibly hung up during the
        wait is nothing written and the outcome unreachable. `before_write` is not called when no connection was made.
        `after_write` is called when the operating system has the request, where that can be told; it must not raise.

        Raises:
            BaseException: what `before_write` raised, unchanged; nothing was sent then. KeyboardInterrupt and its like
                at any time: what `before_write` has recorded tells whether the call may have been sent.
        """
        call = RequestWrite(before_write, after_write)
        request = self._client.build_request(
            "POST", self._endpoint.url, content=batch.form(), extensions={"trace": call.trace}
        )
        self._in_air.add(call)
        try:
            status, headers, body = self._exchange(request)
        except Exception as error:  # noqa: BLE001 # once presented, a call is unclear whatever is raised
            if call.prevented_by is None:
                return self._outcome_of(error, call, batch.numbers)
        else:
            if call.presented:
                return parse_answer(status, headers, body, batch.numbers)
        finally:
            self._in_air.discard(call)
        raise call.prevented_by or RuntimeError(
            "a call was sent without waiting for its turn: this version of httpcore does not announce requests as "
            "1.0.9 does; install the versions of requirements.lock, and look for the call's messages in the console"
        )

    def _exchange(self, request: httpx.Request) -> tuple[int, Mapping[str, str], bytes]:
        """Send the request and read the answer, in bounded time and to a bounded size."""
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
        """Say what a failure proves: before the call was presented that nothing was sent, after it nothing."""
        if call.presented:
            return no_reply(numbers, self._describe(error))
        if isinstance(error, ClosedMeanwhileError):
            return never_presented(
                "the gateway closed the connection while the call waited for its turn", advice=_CHECK_THE_NETWORK
            )
        if isinstance(error, InputError):
            return never_presented(str(error), advice=_CHECK_THE_CREDENTIALS, reason="no_credentials")
        if isinstance(error, _BEFORE_ANY_REQUEST) or (call.tunnelling and isinstance(error, httpx.HTTPError)):
            return never_presented(self._describe(error), advice=_CHECK_THE_NETWORK)
        if isinstance(error, httpx.HTTPError):  # no sign of a written request, but no proof of the contrary either
            return no_reply(numbers, self._describe(error))
        raise error

    def _describe(self, error: Exception) -> str:
        """Put a failure in words; only errors of connecting are quoted, others may hold parts of the request."""
        words = next((text for kinds, text in _IN_WORDS if isinstance(error, kinds)), "the exchange failed ({kind})")
        return words.format(
            endpoint=self._endpoint,
            connect=self._connect_seconds,
            read=self._read_seconds,
            kind=type(error).__name__,
            quoted=mask_numbers_in(printable(str(error)))[:_LONGEST_QUOTATION],
        )


_IN_WORDS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    (httpx.ConnectTimeout, "no connection to {endpoint} within {connect:g} s"),
    (httpx.ReadTimeout, "no reply within {read:g} s"),
    (httpx.WriteTimeout, "the request was not taken within {read:g} s"),
    ((httpx.ConnectError, httpx.ProxyError), "no connection to {endpoint}: {quoted}"),
    ((httpx.ReadError, httpx.WriteError), "the connection broke before a whole answer had come"),
    (httpx.RemoteProtocolError, "the connection was closed before a whole answer had come, or it is not HTTP"),
)
_BEFORE_ANY_REQUEST: Final = (httpx.ConnectError, httpx.ConnectTimeout)
