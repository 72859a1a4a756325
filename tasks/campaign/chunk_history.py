"""How a chunk's presentations ended so far, and what a run may do with the chunk."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from globe_sms.tasks.campaign.ledger_keys import claim_key, record_key
from globe_sms.tasks.campaign.remaining_positions import Portion
from globe_sms.tasks.campaign.settlement import MEANINGS, ChunkState, Settlement

_SETTLED: Final = frozenset(each for each, means in MEANINGS.items() if means.chunk is ChunkState.SETTLED)
_DOUBTFUL: Final = frozenset({None, *(each for each, means in MEANINGS.items() if means.chunk is ChunkState.UNKNOWN)})


@dataclass(frozen=True, slots=True)
class History:
    """The outcomes of a chunk's presentations so far, in order (None: no send record).

    `parts` are the numbers of those that covered a part of the chunk. `left` is what a run has found to be left of the
    chunk, from its claims and send records; None for all of it.
    """

    settlements: tuple[Settlement | None, ...] = ()
    parts: frozenset[int] = frozenset()
    left: tuple[Portion, ...] | None = None

    @property
    def must_be_read(self) -> bool:
        """Whether what is left follows from claims and send records only.

        A part was presented, or may have been; or a resend may have left out numbers that stay unknown.
        """
        in_parts = bool(self.parts) or None in self.settlements or Settlement.SPLIT in self.settlements
        return in_parts or self.doubtful

    @property
    def state(self) -> ChunkState:
        """What a run may do with a chunk that was always presented whole.

        A resend that the gateway didn't take leaves the chunk unknown.
        """
        if any(settlement in _SETTLED for settlement in self.settlements):
            return ChunkState.SETTLED
        if any(settlement in _DOUBTFUL for settlement in self.settlements):
            return ChunkState.UNKNOWN
        return ChunkState.OPEN

    @property
    def doubtful(self) -> bool:
        """Whether an earlier presentation may have been taken: numbers that the last one refused stay unknown."""
        return any(settlement in _DOUBTFUL for settlement in self.settlements[:-1])

    @property
    def next(self) -> int:
        """The number of the next submission."""
        return len(self.settlements)

    def keys_of(self, chunk: int, first: int) -> Iterator[str]:
        """Yield the keys of the chunk's presentations from `first` on: of the send record, or of the claim alone."""
        for number in range(first, self.next):
            settlement = self.settlements[number]
            if settlement is None:
                yield claim_key(chunk, number)
            else:
                yield record_key(chunk, number, settlement, is_part=number in self.parts)

    def after(self, settlement: Settlement, left: tuple[Portion, ...]) -> "History":
        """Return the history with one more presentation, after which these portions are left to present."""
        return replace(self, settlements=(*self.settlements, settlement), left=left)
