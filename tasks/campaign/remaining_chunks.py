"""What a run has left to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from globe_sms.tasks.campaign.chunk_history import History


@dataclass(frozen=True, slots=True)
class RemainingChunks:
    """What is left to present: chunks that were never taken, and unknown ones that are to be sent again.

    Where a part of a chunk is left, its history says which. `parts` is how many message parts the texts to the
    `numbers` have together. The plan's first chunks, `canary` of them, are the canary's; 0 where the campaign has none.
    `left_out` is how many more numbers must not be texted now, by reason, such as opt-outs since the plan was made.
    """

    chunks: tuple[int, ...]
    resent: tuple[int, ...]
    histories: Mapping[int, History]
    numbers: int
    parts: int = 0
    canary: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def resent_of_canary(self) -> "RemainingChunks":
        """What is sent again of the canary; `numbers` and `parts` stay those of all."""
        return replace(self, chunks=tuple(chunk for chunk in self.resent if chunk < self.canary))

    @property
    def open_of_canary(self) -> "RemainingChunks":
        """What was never taken of the canary; `numbers` and `parts` stay those of all."""
        resent = frozenset(self.resent)
        return replace(
            self, chunks=tuple(chunk for chunk in self.chunks if chunk < self.canary and chunk not in resent)
        )

    @property
    def begins_with_canary(self) -> bool:
        """Whether the canary goes out first, and there is somebody after it."""
        return bool(self.chunks) and self.chunks[0] < self.canary <= self.chunks[-1]

    @property
    def has_begun_canary(self) -> bool:
        """Whether some of the canary was claimed by an earlier run."""
        return any(chunk < self.canary for chunk in self.histories)

    @property
    def is_after_canary(self) -> bool:
        """Whether all that is left waits for the judgement of a canary."""
        return bool(self.canary and self.chunks) and self.chunks[0] >= self.canary


NOTHING = RemainingChunks((), (), {}, 0)
