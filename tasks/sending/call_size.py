"""How many numbers a call may have."""

import threading

from globe_sms.tasks.gateway.request import MOST_NUMBERS_IN_A_CALL


class CallSize:
    """The most numbers of a call: what the run was told, and less once the gateway has refused that. Thread-safe."""

    def __init__(self, most: int = MOST_NUMBERS_IN_A_CALL) -> None:
        self._most = most
        self._told = most
        self._lock = threading.Lock()

    @property
    def most(self) -> int:
        """The most numbers of the next call."""
        return self._most

    @property
    def found(self) -> int | None:
        """What the run went on with after the gateway had refused more; None if it never did."""
        return self._most if self._most < self._told else None

    def refuse(self, size: int) -> None:
        """Halve it, because the gateway refused a call with this many numbers."""
        with self._lock:
            self._most = max(1, min(self._most, (size + 1) // 2))
