"""What a run has left to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.ledger import History


@dataclass(frozen=True, slots=True)
class Todo:
    """What is left to present: chunks that were never taken, and unknown ones that are to be sent again.

    `parts` is how many message parts the texts to the `numbers` have together.
    """

    chunks: tuple[int, ...]
    resent: tuple[int, ...]
    histories: Mapping[int, History]
    numbers: int
    parts: int = 0
