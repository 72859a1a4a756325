"""What one submission presents of a chunk: all of it, or some positions, and without the numbers that are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from globe_sms.tasks.planning.frozen_plan import Chunk


@dataclass(frozen=True, slots=True)
class Presentation:
    """The numbers of one call, and where they are in their chunk.

    Attributes:
        chunk: with only the numbers that are called, and their texts.
        places: the position of each of them in the whole chunk.
        covered: the positions that the claim covers, including those that are left out; None for all of the chunk's.
        left_out: the covered positions that aren't called, each with its reason.
    """

    chunk: Chunk
    places: Sequence[int]
    covered: tuple[int, ...] | None
    left_out: Mapping[int, str]

    @classmethod
    def of(cls, chunk: Chunk, positions: tuple[int, ...] | None = None) -> "Presentation":
        """Present these positions of a chunk (None: all), without those that it leaves out."""
        size = len(chunk.phone_numbers)
        covered = None if positions is None or len(positions) == size else positions
        if covered is None and not chunk.left_out:
            return cls(chunk, range(size), None, {})
        within = range(size) if covered is None else covered
        left_out = {place: chunk.left_out[place] for place in within if place in chunk.left_out}
        places = tuple(place for place in within if place not in left_out)
        called = replace(
            chunk,
            phone_numbers=tuple(chunk.phone_numbers[place] for place in places),
            messages=None if chunk.messages is None else tuple(chunk.messages[place] for place in places),
            left_out={},
        )
        return cls(called, places, covered, left_out)

    @property
    def size(self) -> int:
        """How many numbers are called."""
        return len(self.places)
