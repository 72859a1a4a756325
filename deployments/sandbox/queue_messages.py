"""The messages of a simulated queue: each is hidden once it's received, and comes again unless it's deleted by then.

Where Alibaba's documents leave room it's strict: a handle expires when its message becomes visible or is received
again, and only one answer at a time holds a message.
Source: https://help.aliyun.com/en/mns/developer-reference/receivemessage and /batchdeletemessage.
"""

import base64
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

MOST_AT_ONCE = 16


@dataclass(slots=True)
class Waiting:
    """A message that isn't deleted; times are Unix time in seconds."""

    body: str
    enqueued_at: float
    message_id: str
    received: int = 0
    first_received_at: float = 0.0
    visible_at: float = 0.0
    handle: str = ""


class QueueMessages:
    """A queue; thread-safe.

    Args:
        visibility: for how many seconds a received message is hidden.
        clock: Unix time in seconds.
    """

    def __init__(self, *, visibility: float = 30.0, clock: Callable[[], float] = time.time) -> None:
        self._visibility = visibility
        self._clock = clock
        self._messages: dict[str, Waiting] = {}
        self._changed = threading.Condition()
        self.received = 0
        """How many times messages were received."""
        self.received_again = 0

    def send(self, body: str) -> None:
        """Add a message whose body is base64, as Alibaba sends receipts."""
        self.send_raw(base64.b64encode(body.encode()).decode())

    def send_raw(self, body: str) -> None:
        """Add a message with this body."""
        message = Waiting(body, self._clock(), uuid.uuid4().hex.upper())
        with self._changed:
            self._messages[message.message_id] = message
            self._changed.notify_all()

    def receive(self, most: int, *, wait_seconds: float = 0.0) -> list[Waiting]:
        """Hide and return up to `most` messages, the oldest first; wait for one if all are hidden or none is there."""
        ends = time.monotonic() + wait_seconds
        with self._changed:
            while not (found := self._visible()[:most]):
                left = ends - time.monotonic()
                if left <= 0:
                    return []
                self._changed.wait(min(left, 0.05))
            return [self._hide(message) for message in found]

    def delete(self, handle: str) -> str | None:
        """Delete the message of a handle; return the error code if that isn't possible."""
        with self._changed:
            found = next((message for message in self._messages.values() if message.handle == handle), None)
            if found is None or found.visible_at <= self._clock():
                return "ReceiptHandleError"
            del self._messages[found.message_id]
            return None

    @property
    def left(self) -> int:
        """How many messages aren't deleted, hidden or not."""
        with self._changed:
            return len(self._messages)

    def _visible(self) -> list[Waiting]:
        now = self._clock()
        return [message for message in self._messages.values() if message.visible_at <= now]

    def _hide(self, message: Waiting) -> Waiting:
        now = self._clock()
        self.received += 1
        self.received_again += message.received > 0
        message.received += 1
        message.first_received_at = message.first_received_at or now
        message.visible_at = now + self._visibility
        message.handle = f"{message.received}-{base64.b64encode(uuid.uuid4().bytes).decode()}"
        return message
