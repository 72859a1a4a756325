"""Sockets that know when the kernel got what they read: a busy gateway reads a call later than it arrived."""

import socket
import struct
import sys
import time
from typing import Any

_SO_TIMESTAMPNS = 35  # Linux; Python's socket module has no name for it
_TIMESPEC = struct.Struct("@qq")
_ONE_MOMENT = 0.001  # seconds
_IS_STAMPED = sys.platform == "linux"


def _both_clocks() -> tuple[float, float]:
    """Return wall clock and monotonic seconds of one moment: a busy machine may stop this process between the two."""
    while True:
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        if after - before < _ONE_MOMENT:
            return wall, after


class TimestampedSocket(socket.socket):
    """A TCP socket that accepts others like itself. `arrived` belongs to the last bytes of the last `recv`.

    Elsewhere than on Linux, `arrived` is when they were read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arrived = (0.0, 0.0)

    @classmethod
    def listening(cls, host: str, port: int) -> "TimestampedSocket":
        """Return a socket that is bound to an address of IPv4."""
        listener = cls(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if _IS_STAMPED:
            listener.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)  # accepted sockets inherit it
        listener.bind((host, port))
        return listener

    def accept(self) -> tuple["TimestampedSocket", Any]:
        """Accept a connection."""
        accepted, address = super().accept()
        return TimestampedSocket(fileno=accepted.detach()), address

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Read what is there, and note when it arrived, as wall clock and monotonic seconds."""
        data, notes, _, _ = self.recvmsg(bufsize, socket.CMSG_SPACE(_TIMESPEC.size), flags)
        now, monotonic = _both_clocks()
        wall = now
        for level, kind, content in notes:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack(content)
                wall = min(now, seconds + nanoseconds / 1e9)
        self.arrived = (wall, monotonic - (now - wall))
        return data
