"""Runs a server as a child process behind a guard, so that it never outlives its owner."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from threading import Event

from globe_sms.deployments.sandbox import child_guard as guard
from globe_sms.deployments.sandbox.stopped_at_exit import StoppedAtExit

# Below the kernel's range for outgoing connections (32,768 and up), so that no connection can take a port before it's
# used.
_PORTS = range(20_000, 32_000)
GRPC_OFFSET = 10_000  # SeaweedFS listens for gRPC this far above each of its ports
_PORTS_WITH_GRPC = range(_PORTS.start - GRPC_OFFSET, _PORTS.stop - GRPC_OFFSET)
_GUARD_STOP_SECONDS = 10.0
_START_ATTEMPTS = 5
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.05


class Child(StoppedAtExit):
    """One guarded process. `stop` is safe to call twice; not thread-safe."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        output: Path,
        remove: Sequence[Path],
        folder: Path | None = None,
    ) -> None:
        """Start the command in a folder with its output in a file; the paths in `remove` are removed at the stop."""
        leftovers = [argument for path in remove for argument in ("--remove", str(path))]
        self.output = output
        with output.open("ab") as sink:
            self._guard = subprocess.Popen(  # noqa: S603 - this interpreter and our own script
                [sys.executable, "-I", guard.__file__, str(os.getpid()), *leftovers, "--", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                start_new_session=True,
            )
        self.pid = self._read_pid()

    def _read_pid(self) -> int:
        assert self._guard.stdout is not None  # noqa: S101 - for the type checker: a pipe was requested
        line = self._guard.stdout.readline()
        if not line:
            msg = f"the guard of {self.output.stem} didn't start"
            raise OSError(msg)
        return int(line)

    @property
    def alive(self) -> bool:
        """Whether the process exists; a suspended one does."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return self._guard.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process if it still exists."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait_until_gone(self, seconds: float = 10.0) -> None:
        """Wait until the process has ended and been reaped.

        Raises:
            TimeoutError: the process still runs.
        """
        wait_until(lambda: not self.alive, seconds=seconds, what=f"process {self.pid} to end")

    def start_again(self) -> None:
        """Start the same command again after it has ended."""
        assert self._guard.stdin is not None  # noqa: S101 - for the type checker: a pipe was requested
        self.wait_until_gone()
        self._guard.stdin.write(b"start\n")
        self._guard.stdin.flush()
        self.pid = self._read_pid()

    def stop(self) -> None:
        """Stop the process and its guard, and remove its folder; returns once all three are gone."""
        if self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
        try:
            self._guard.wait(_GUARD_STOP_SECONDS)
        finally:
            if self._guard.poll() is None:
                self._guard.kill()
                self._guard.wait()
            if self._guard.stdout is not None:
                self._guard.stdout.close()


class ChildServer(StoppedAtExit):
    """A server in a child process, `_child`, which tests can kill and freeze."""

    _child: Child

    def _start(self, make: Callable[[], Child], is_up: Callable[[], bool], what: str) -> None:
        """Start the server that `make` returns and wait until it's up; try other ports if these are taken.

        Raises:
            TimeoutError: the server didn't start.
        """
        for attempt in range(_START_ATTEMPTS):
            self._child = make()
            try:
                return self._wait(is_up, what)
            except TimeoutError:
                self.stop()
                if attempt == _START_ATTEMPTS - 1:
                    raise
        return None

    def _wait(self, is_up: Callable[[], bool], what: str) -> None:
        wait_until(lambda: not self._child.alive or is_up(), seconds=_START_SECONDS, what=f"{what}'s start")
        if not self._child.alive:
            msg = f"{what} didn't start: {self._child.output.read_text()[-500:]}"
            raise TimeoutError(msg)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._child.pid

    def kill(self) -> None:
        """End it with SIGKILL; its port refuses connections when this returns. Its files stay."""
        self._child.send(signal.SIGKILL)
        self._child.wait_until_gone()

    def suspend(self) -> None:
        """Freeze it: the kernel accepts connections, but nothing answers."""
        self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it after `suspend`."""
        self._child.send(signal.SIGCONT)


def free_ports(count: int, *, with_grpc: bool = False) -> list[int]:
    """Return free loopback ports; with `with_grpc`, the port 10,000 above each is free too.

    Another process may take a port before it's used, so callers retry with others.
    """
    chosen: list[int] = []
    ports = _PORTS_WITH_GRPC if with_grpc else _PORTS
    for port in SystemRandom().sample(ports, len(ports)):
        wanted = (port, port + GRPC_OFFSET) if with_grpc else (port,)
        if all(_is_free(each) for each in wanted):
            chosen.append(port)
        if len(chosen) == count:
            return chosen
    msg = f"no {count} free ports on 127.0.0.1 between {ports.start} and {ports.stop}"
    raise OSError(msg)


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll until the condition is true.

    Raises:
        TimeoutError: the condition isn't true within `seconds`.
    """
    pause = Event()
    for _ in range(int(seconds / _LOOK_SECONDS) + 1):
        if condition():
            return
        pause.wait(_LOOK_SECONDS)
    msg = f"waited {seconds:g} s for {what}"
    raise TimeoutError(msg)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
