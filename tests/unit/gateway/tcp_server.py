"""A loopback server on bare TCP, so that tests can place each fault at an exact byte."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from globe_sms.tasks.gateway import Credentials, Endpoint

NUMBERS = ("6581234567", "85261234567", "886912345678", "4915112345678")


def read_request(connection: socket.socket) -> bytes:
    """Read one request: its head and the announced body, or less if the peer hangs up."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body


def http_answer(body: bytes, *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    """Return a complete HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


OK_BODY = (
    b'{"ResponseCode":"OK","RequestId":"F655A8D5-B967","FailedList":"[]","SuccessCount":"4",'
    b'"MessageIdList":"[\\"100\\",\\"101\\",\\"102\\",\\"103\\"]"}'
)


@dataclass
class Server:
    """A listening socket, the requests that arrived, and the errors of its thread."""

    port: int
    arrived: list[bytes] = field(default_factory=list)
    connections: int = 0
    finished: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint of this server."""
        return Endpoint("http", "127.0.0.1", self.port)


Handler = Callable[[socket.socket, Server], None]
Serve = Callable[..., Server]


def answer_with(data: bytes) -> Handler:
    """Return a handler that reads a request and answers with these bytes."""

    def handle(connection: socket.socket, server: Server) -> None:
        server.arrived.append(read_request(connection))
        connection.sendall(data)

    return handle


def some_credentials() -> Credentials:
    """Return made-up credentials."""
    return Credentials("LTAIexampleexample", SecretStr("the-secret-of-tests"))
