"""Uvicorn's HTTP/1.1 protocol, extended by arrival times and by ways to break the connection."""

import socket
import struct
from typing import Any, Protocol, cast

from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from globe_sms.deployments.sandbox.gateway.timestamped_socket import TimestampedSocket

EXTENSION = "globe_sms.connection"


class Connection(Protocol):
    """The connection of a call, as the gateway uses it."""

    @property
    def arrived(self) -> tuple[float, float]:
        """Return when the last bytes arrived, as wall clock and monotonic seconds."""
        ...

    def close(self) -> None:
        """Close the connection once everything written has left."""
        ...

    def reset(self) -> None:
        """Drop the connection with a TCP reset."""
        ...


class ControlledProtocol(H11Protocol):
    """Passes itself to the application as the ASGI extension `globe_sms.connection`. It needs `TimestampedSocket`s."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrived = (0.0, 0.0)
        application = self.app

        async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {EXTENSION: self}
            await application(cast("Any", scope), cast("Any", receive), cast("Any", send))

        self.app = cast("Any", with_connection)

    @property
    def arrived(self) -> tuple[float, float]:
        """Return when the last bytes arrived; at the application's first step, the end of the headers."""
        return self._arrived

    def data_received(self, data: bytes) -> None:
        """Record when the bytes arrived, before they are processed."""
        reader = self.transport.get_extra_info("socket")._sock  # noqa: SLF001  # asyncio wraps it
        self._arrived = cast("TimestampedSocket", reader).arrived
        super().data_received(data)

    def close(self) -> None:
        """Close the connection once everything written has left."""
        self.transport.close()

    def reset(self) -> None:
        """Send a TCP reset: a close with a linger time of 0."""
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


async def read_body(receive: Receive) -> bytes | None:
    """Read a request's whole body; None if the client leaves before its end."""
    parts: list[bytes] = []
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def until_gone(receive: Receive) -> None:
    """Wait until the client or the connection is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
