"""Loopback servers that live as long as a test."""

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
from tcp_server import NUMBERS, Handler, Serve, Server

from globe_sms.tasks.gateway import BatchSend, MessageType
from tests.waiting import LONGEST_WAIT


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that pass each connection to a handler in its own thread; stop them at the end."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(handler: Handler, *, tls: ssl.SSLContext | None = None) -> Server:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        server = Server(listener.getsockname()[1])

        def serve_one(connection: socket.socket) -> None:
            connection.settimeout(LONGEST_WAIT)
            try:
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                handler(connection, server)
            except OSError:
                pass  # the client hung up, as some tests intend
            finally:
                connection.close()
                server.finished.set()

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                server.connections += 1
                worker = threading.Thread(target=serve_one, args=(connection,))
                threads.append(worker)
                worker.start()

        accepting = threading.Thread(target=accept)
        threads.append(accepting)
        accepting.start()
        return server

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(LONGEST_WAIT)
        assert not thread.is_alive()


@pytest.fixture
def closed_port() -> int:
    """A port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def batch() -> BatchSend:
    """A call with four numbers."""
    return BatchSend(numbers=NUMBERS, messages=("Hello",) * 4, type=MessageType.NOTIFY, task_id="demo-0-1")
