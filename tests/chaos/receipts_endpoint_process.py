"""`globe-sms receipts serve` as a process that tests start, kill and start again."""

import secrets
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from globe_sms.deployments.sandbox.child_process import Child, free_ports
from tests.chaos.command_process import PROGRAMS
from tests.waiting import LONGEST_WAIT, await_event


class Endpoint:
    """The endpoint on a loopback port of its own, up when this returns; a context manager."""

    def __init__(self, to: str, environment: Mapping[str, str], folder: Path) -> None:
        self.secret = secrets.token_urlsafe(24)
        (self._port,) = free_ports(1)
        self._child = Child(
            [str(PROGRAMS / "globe-sms"), "receipts", "serve", "--to", to, "--port", str(self._port)],
            environment={**environment, "GLOBE_SMS_RECEIPTS_SECRET": self.secret},
            output=folder / "endpoint.out",
            remove=[],
        )
        self._wait()

    @property
    def url(self) -> str:
        """Where receipts are pushed to."""
        return f"http://127.0.0.1:{self._port}/receipts/{self.secret}"

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._child.output.read_text(encoding="utf-8", errors="replace")

    def _wait(self) -> None:
        await_event(lambda: not self._child.alive or self.is_up(), "the endpoint of receipts")
        assert self._child.alive, self.output[-1_000:]

    def is_up(self) -> bool:
        """Whether it answers."""
        with suppress(httpx.HTTPError):
            return bool(self.health())
        return False

    def health(self) -> dict[str, Any]:
        """What it says of itself."""
        return httpx.get(f"http://127.0.0.1:{self._port}/health", trust_env=False).raise_for_status().json()

    def kill(self) -> None:
        """End it with SIGKILL; its port refuses connections when this returns."""
        self._child.send(signal.SIGKILL)
        self._child.wait_until_gone(LONGEST_WAIT)

    def terminate(self) -> None:
        """End it with SIGTERM, as orchestrators do, and wait for its end."""
        self._child.send(signal.SIGTERM)
        self._child.wait_until_gone(LONGEST_WAIT)

    def start_again(self) -> None:
        """Start it again after its end, on the same port with the same secret."""
        self._child.start_again()
        self._wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stop()
