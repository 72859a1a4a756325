"""Why a campaign ends before its end: one signal that every thread of a run looks at before its turn."""

import threading
from dataclasses import dataclass
from enum import StrEnum


class StopCause(StrEnum):
    """What stopped a run; it is the reason of the rows that were not sent."""

    STOPPED = "stopped"
    CANCELLED = "cancelled"
    LEASE_LOST = "lease_lost"
    STORE_DOWN = "store_down"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Stop:
    """A cause, the gateway's code if it was one, and a sentence that says what to do.

    `for_failures`: too many of the numbers presented have failed or are unknown.
    """

    cause: StopCause
    message: str
    code: str | None = None
    for_failures: bool = False


class StoppedError(Exception):
    """Raised in a sending thread that must not go on; it never leaves `tasks`."""


class StopSignal:
    """Set by the first cause; thread-safe."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._stop: Stop | None = None

    def set(self, stop: Stop) -> None:
        """Stop the run; a second cause does not replace the first."""
        with self._lock:
            if self._stop is None:
                self._stop = stop
        self._event.set()

    def say_of_failures(self, stop: Stop) -> None:
        """Stop the run for what a closer look at its failures says; nothing where another cause has stopped it."""
        with self._lock:
            if self._stop is None or self._stop.for_failures:
                self._stop = stop
        self._event.set()

    @property
    def stop(self) -> Stop | None:
        """The cause, or None while the run may go on."""
        return self._stop

    def check(self) -> None:
        """Raise `StoppedError` if the run was stopped."""
        if self._event.is_set():
            raise StoppedError

    def wait(self, seconds: float) -> bool:
        """Wait for the stop, at most so long; True if it came."""
        return self._event.wait(max(0.0, seconds))
