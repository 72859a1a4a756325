"""The instant before a call is written: where it waits for its turn, and after which it may have been sent.

httpcore announces each step of a request to the `trace` extension (https://www.encode.io/httpcore/extensions/), in
the thread that sends, and goes on when the callback returns. Its `send_request_headers.started` comes when the
connection stands and nothing is written to it yet, its `send_request_body.complete` when all is written.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

_REQUEST_IS_NEXT: Final = ".send_request_headers.started"
_REQUEST_IS_WRITTEN: Final = ".send_request_body.complete"
_CONNECTED: Final = (".connect_tcp.complete", ".start_tls.complete")


class PreventedError(Exception):
    """The call was kept back before it was written; `RequestWrite.prevented_by` holds why."""


class ClosedMeanwhileError(Exception):
    """The peer closed the connection while the call waited for its turn: nothing was written."""


class PresentedTwiceError(Exception):
    """Something below tried to write the call again; it was kept from doing so."""


class RequestWrite:
    """Follows one call from its connection to its first written byte; for one call and one thread.

    Attributes:
        presented: the call may have been written; every failure is unclear from here on.
        tunnelling: a proxy was asked to connect; until the call is presented only the proxy has been spoken to.
        prevented_by: what `before_write` raised.
    """

    def __init__(self, before_write: Callable[[], None], after_write: Callable[[], None]) -> None:
        self._before_write = before_write
        self._after_write = after_write
        self._stream: Any = None
        self.presented = False
        self.tunnelling = False
        self.prevented_by: BaseException | None = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take an event of httpcore; raises what keeps the call from being written."""
        if event.endswith(_CONNECTED):
            self._stream = info["return_value"]
        elif event.endswith(_REQUEST_IS_NEXT):
            if info["request"].method in {"CONNECT", b"CONNECT"}:
                self.tunnelling = True
            else:
                self._present()
        elif event.endswith(_REQUEST_IS_WRITTEN) and self.presented:
            self._after_write()

    def abort(self) -> None:
        """Break the connection, from another thread; what waits for the answer fails at once."""
        connection = None if self._stream is None else self._stream.get_extra_info("socket")
        if connection is not None and self.presented:
            with contextlib.suppress(OSError):
                # Past TLS, which is not thread-safe: the thread that reads sees the end of the connection.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _present(self) -> None:
        if self.presented:
            raise PresentedTwiceError
        try:
            self._before_write()
        except BaseException as error:  # noqa: BLE001 # kept, and raised again by whoever sends
            self.prevented_by = error
            raise PreventedError from None
        if self._closed_meanwhile():
            raise ClosedMeanwhileError
        self.presented = True

    def _closed_meanwhile(self) -> bool:
        """Tell whether the peer has hung up, or spoken first; a wait can be longer than a server's patience.

        Reading through TLS takes up the session tickets that may lie there and are no sign of either.
        """
        connection = None if self._stream is None else self._stream.get_extra_info("socket")
        if connection is None:
            return False
        connection.setblocking(False)  # httpcore sets the timeout anew at each read and write
        try:
            connection.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True
        return True


class AnnouncingTransport(httpx.BaseTransport):
    """Announces each request as httpcore would, for transports that do not stand on it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Announce the request, then hand it over without the means to announce it again."""
        trace = request.extensions.pop("trace", None)
        if trace is not None:
            trace(f"handed_over{_REQUEST_IS_NEXT}", {"request": request})
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close what is announced for."""
        self._inner.close()
