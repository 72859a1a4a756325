"""How one submission of a chunk ended, and everything that follows from it: one table, a line each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from globe_sms.tasks.vocabulary.statuses import Status


class Settlement(StrEnum):
    """How a submission ended; it is part of the send record's key."""

    ACCEPTED = "accepted"  # the gateway answered OK, for all or some of the numbers
    REFUSED = "refused"  # it refused the only number, or its text: never again
    UNKNOWN = "unknown"  # it may have taken the chunk
    STOPPED = "stopped"  # it refused for a cause that can be fixed, or throttled for too long: a later run sends it
    SPLIT = "split"  # it refused because of some of the numbers, or their count: halves are presented again
    NOT_SENT = "not_sent"  # nothing was written to the gateway


class ChunkState(StrEnum):
    """What a run may do with a chunk."""

    OPEN = "open"
    UNKNOWN = "unknown"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from a settlement.

    Attributes:
        status: of the chunk's rows; in an accepted chunk, of those that the answer doesn't name as refused. The
            counts of progress and the events of `globe-sms explain` follow from it.
        chunk: what a later run may do with the chunk.
        task_state: the name of the state that a task run of Prefect ends in.
    """

    status: Status
    chunk: ChunkState
    task_state: str


MEANINGS: Final[Mapping[Settlement, Meaning]] = {
    Settlement.ACCEPTED: Meaning(Status.ACCEPTED, ChunkState.SETTLED, "Accepted"),
    Settlement.REFUSED: Meaning(Status.FAILED, ChunkState.SETTLED, "Refused"),
    Settlement.UNKNOWN: Meaning(Status.UNKNOWN, ChunkState.UNKNOWN, "Unknown"),
    Settlement.STOPPED: Meaning(Status.NOT_SENT, ChunkState.OPEN, "Stopped"),
    Settlement.SPLIT: Meaning(Status.NOT_SENT, ChunkState.OPEN, "Split"),
    Settlement.NOT_SENT: Meaning(Status.NOT_SENT, ChunkState.OPEN, "NotSent"),
}

NOTHING_CLAIMED: Final = MEANINGS[Settlement.NOT_SENT]
"""What follows where no claim was written."""
