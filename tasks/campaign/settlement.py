"""How one submission of a chunk ended, and everything that follows from it: one table, a line each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from globe_sms.tasks.vocabulary.statuses import Status


class Settlement(StrEnum):
    """How a submission ended; it is part of the send record's key."""

    ACCEPTED = "accepted"  # the gateway answered OK, for all or some of the numbers
    REFUSED = "refused"  # it refused the chunk for the chunk's sake: never again as it is
    UNKNOWN = "unknown"  # it may have taken the chunk
    ACCOUNT = "account"  # it refused for the account's sake (stopped, throttled): a later run sends the chunk
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


# A refusal for the account's sake leaves the chunk open, and its rows are `failed` until a later run sends them: so the
# results have always counted them. `not_sent` would be truer, but it changes the counts, the failure limit and the
# exit code of a stopped campaign; that belongs to the change that also narrows refusals down to their rows.
MEANINGS: Final[Mapping[Settlement, Meaning]] = {
    Settlement.ACCEPTED: Meaning(Status.ACCEPTED, ChunkState.SETTLED, "Accepted"),
    Settlement.REFUSED: Meaning(Status.FAILED, ChunkState.SETTLED, "Refused"),
    Settlement.UNKNOWN: Meaning(Status.UNKNOWN, ChunkState.UNKNOWN, "Unknown"),
    Settlement.ACCOUNT: Meaning(Status.FAILED, ChunkState.OPEN, "Refused"),
    Settlement.NOT_SENT: Meaning(Status.NOT_SENT, ChunkState.OPEN, "NotSent"),
}

NOTHING_CLAIMED: Final = MEANINGS[Settlement.NOT_SENT]
"""What follows where no claim was written."""
