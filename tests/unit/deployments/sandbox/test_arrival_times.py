"""A call counts from when it reached the machine, however late a busy gateway reads it."""

import select
import socket
import sys
import time

import pytest

from globe_sms.deployments.sandbox.gateway.timestamped_socket import TimestampedSocket

_BUSY_SECONDS = 0.03
_TOLERANCE = 0.002  # two clocks are read one after the other


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when bytes arrived")
def test_bytes_that_are_read_late_arrived_when_they_came() -> None:
    """On both clocks."""
    with TimestampedSocket.listening("127.0.0.1", 0) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()) as caller, listener.accept()[0] as reader:
            sent = time.time(), time.monotonic()
            caller.sendall(b"a call")
            select.select([reader], [], [])
            came = time.time(), time.monotonic()
            while time.monotonic() < came[1] + _BUSY_SECONDS:
                pass  # the gateway judges another call
            assert reader.recv(1_000) == b"a call"
            for clock in range(2):
                assert sent[clock] - _TOLERANCE <= reader.arrived[clock] <= came[clock] + _TOLERANCE
