"""What a chunk's call says, to whom, and from whom."""

import hashlib
from dataclasses import dataclass

from globe_sms.tasks.gateway import BatchSend, MessageType
from globe_sms.tasks.planning.frozen_plan import Chunk


@dataclass(frozen=True, slots=True)
class CallContent:
    """The content of a call. `message` is the text for every number of a chunk without messages of its own.

    `sender_id` is the sender of chunks whose group has none.
    """

    message: str | None
    type: MessageType
    sender_id: str | None

    def batch(self, chunk: Chunk, task_id: str, validity_period: int | None = None) -> BatchSend:
        """Return the call for a chunk: one message a number, in position order; `validity_period` is in seconds.

        Raises:
            ValueError: the chunk has no text.
        """
        return BatchSend(
            numbers=tuple(number.removeprefix("+") for number in chunk.phone_numbers),
            messages=self._of(chunk),
            type=self.type,
            sender_id=self._sender_of(chunk),
            task_id=task_id,
            validity_period=validity_period,
        )

    def fingerprint(self, chunk: Chunk) -> str:
        """SHA-256 over what the chunk says to whom, so that a claim tells later what it was for."""
        head = (self.type, self._sender_of(chunk) or "", self.message or "")
        parts = (*head, *chunk.phone_numbers, *(chunk.messages or ()), "")
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _sender_of(self, chunk: Chunk) -> str | None:
        return self.sender_id if chunk.group is None else chunk.group.sender_id

    def _of(self, chunk: Chunk) -> tuple[str, ...]:
        if chunk.messages is not None:
            return chunk.messages
        if self.message is None:
            raise ValueError(f"chunk {chunk.index} has no messages, and neither has the campaign one for all")
        return (self.message,) * len(chunk.phone_numbers)
