"""Follows the write of a call: before it the call waits for its turn, after it the call may have been sent.

httpcore reports each step of a request to the `trace` extension (https://www.encode.io/httpcore/extensions/) in the
sending thread, and continues when the callback returns. `send_request_headers.started` comes when the connection is
open and nothing has been written to it, `send_request_body.complete` when everything has,
`receive_response_headers.complete` when the answer has begun.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

_WRITE_STARTS: Final = ".send_request_headers.started"
_WRITE_COMPLETE: Final = ".send_request_body.complete"
_ANSWER_BEGINS: Final = ".receive_response_headers.complete"
_CONNECTED: Final = (".connect_tcp.complete", ".start_tls.complete")


class WritePreventedError(Exception):
    """The call was stopped before it was written; `RequestWrite.prevented_by` says why."""


class ClosedBeforeWriteError(Exception):
    """The peer closed the connection while the call waited for its turn; nothing was written."""


class WrittenTwiceError(Exception):
    """The transport tried to write the call again, and was stopped."""


class RequestWrite:
    """Tracks one call, in one thread, from its connection to its last written byte.

    Attributes:
        write_started: the call may have been written; every failure from here on is unclear.
        tunnelling: a proxy was asked to connect; until the write starts, only the proxy has received anything.
        prevented_by: the error of `before_write`.
    """

    def __init__(
        self,
        before_write: Callable[[], None],
        after_write: Callable[[], None],
        on_answer: Callable[[], None],
    ) -> None:
        self._before_write = before_write
        self._after_write = after_write
        self._on_answer = on_answer
        self._stream: Any = None
        self.write_started = False
        self.tunnelling = False
        self.prevented_by: BaseException | None = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Handle an event of httpcore; an exception from here prevents the write."""
        if event.endswith(_CONNECTED):
            self._stream = info["return_value"]
        elif event.endswith(_WRITE_STARTS):
            if info["request"].method in {"CONNECT", b"CONNECT"}:
                self.tunnelling = True
            else:
                self._start_write()
        elif event.endswith(_WRITE_COMPLETE) and self.write_started:
            self._after_write()
        elif event.endswith(_ANSWER_BEGINS) and self.write_started:
            self._on_answer()

    def abort(self) -> None:
        """Break the connection from another thread; a wait for the answer fails at once."""
        connection = None if self._stream is None else self._stream.get_extra_info("socket")
        if connection is not None and self.write_started:
            with contextlib.suppress(OSError):
                # Bypass TLS, which isn't thread-safe: the reading thread sees the connection end.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _start_write(self) -> None:
        if self.write_started:
            raise WrittenTwiceError
        try:
            self._before_write()
        except BaseException as error:  # noqa: BLE001 # kept, and raised again by the client
            self.prevented_by = error
            raise WritePreventedError from None
        if self._peer_hung_up():
            raise ClosedBeforeWriteError
        self.write_started = True

    def _peer_hung_up(self) -> bool:
        """Whether the peer has hung up or spoken first: a wait can outlast a server's timeout.

        Reading through TLS consumes pending session tickets, which mean neither.
        """
        connection = None if self._stream is None else self._stream.get_extra_info("socket")
        if connection is None:
            return False
        connection.setblocking(False)  # httpcore sets the timeout again at each read and write
        try:
            connection.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True
        return True


class TracingTransport(httpx.BaseTransport):
    """Reports each request to `trace` as httpcore does, for transports that aren't based on it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Report the start of the write, then pass the request on without its `trace`."""
        trace = request.extensions.pop("trace", None)
        if trace is not None:
            trace(f"handed_over{_WRITE_STARTS}", {"request": request})
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the inner transport."""
        self._inner.close()
