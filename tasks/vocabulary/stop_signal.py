"""The signal that stops a run early: every sending thread checks it before its turn."""

import threading
from dataclasses import dataclass
from enum import StrEnum


class StopCause(StrEnum):
    """What stopped a run; also the reason of its `not_sent` rows."""

    STOPPED = "stopped"
    CANCELLED = "cancelled"
    LEASE_LOST = "lease_lost"
    STORE_DOWN = "store_down"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stops.

    Attributes:
        cause: what stopped it.
        message: a sentence that says what to do.
        code: the gateway's code, if one stopped it.
        for_failures: too many of the presented numbers failed or are unknown.
    """

    cause: StopCause
    message: str
    code: str | None = None
    for_failures: bool = False


class StoppedError(Exception):
    """Raised in a sending thread of a stopped run; never leaves `tasks`."""


class StopSignal:
    """A flag that the first cause sets; thread-safe."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._stop: Stop | None = None

    def set(self, stop: Stop) -> None:
        """Stop the run; a later cause doesn't replace the first."""
        with self._lock:
            if self._stop is None:
                self._stop = stop
        self._event.set()

    def stop_for_failures(self, stop: Stop) -> None:
        """Stop the run with what a closer look at its failures found, unless another cause has stopped it."""
        with self._lock:
            if self._stop is None or self._stop.for_failures:
                self._stop = stop
        self._event.set()

    @property
    def stop(self) -> Stop | None:
        """Why the run stops; None while it may continue."""
        return self._stop

    def check(self) -> None:
        """Raise `StoppedError` if the run has been stopped."""
        if self._event.is_set():
            raise StoppedError

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` for a stop; True if it came."""
        return self._event.wait(max(0.0, seconds))
