"""`globe-sms receipts pull` as a process that tests start, kill and start again."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from globe_sms.deployments.sandbox.child_process import Child
from globe_sms.deployments.sandbox.queue_server import QueueServer
from tests.chaos.command_process import PROGRAMS
from tests.waiting import LONGEST_WAIT


class Consumer:
    """A consumer of a simulated queue; a context manager."""

    def __init__(self, queue: QueueServer, to: str, environment: Mapping[str, str], folder: Path) -> None:
        self._child = Child(
            [str(PROGRAMS / "globe-sms"), "receipts", "pull", "--queue", queue.name, "--to", to],
            environment={
                **environment,
                "GLOBE_SMS_QUEUE_ENDPOINT": queue.endpoint,
                "GLOBE_SMS_QUEUE_TOKEN_ENDPOINT": queue.endpoint,
                "ALIBABA_CLOUD_ACCESS_KEY_ID": "own-key",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "own-secret",
            },
            output=folder / "consumer.out",
            remove=[],
        )

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._child.output.read_text(encoding="utf-8", errors="replace")

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child.alive

    def end(self, number: signal.Signals) -> None:
        """Send it a signal and wait for its end."""
        self._child.send(number)
        self._child.wait_until_gone(LONGEST_WAIT)

    def start_again(self) -> None:
        """Start it again after its end."""
        self._child.start_again()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stop()
