"""What is left of a chunk that was presented in parts: a fold over its presentations, in their order.

Everything is left at first. A presentation that the gateway accepted, or refused when it had one number, settles its
positions. One that may have been accepted leaves them unknown. One that was refused because of some of its numbers
leaves two halves, and one that wasn't accepted for another reason leaves them as they were.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from globe_sms.tasks.campaign.settlement import MEANINGS, ChunkState, Settlement


@dataclass(frozen=True, slots=True)
class Portion:
    """Positions of a chunk that are presented together, ascending.

    `unknown`: an earlier presentation of them may have been taken, so they're presented only if the operator says so.
    `split_by` is the presentation that split them off; None for a part of the whole chunk.
    """

    positions: tuple[int, ...]
    unknown: bool = False
    split_by: int | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    """One presentation: what it covered and how it ended.

    `positions` is None for all of the chunk, `settlement` is None without a send record.
    """

    submission: int
    settlement: Settlement | None
    positions: tuple[int, ...] | None = None
    left_out: Mapping[int, str] = field(default_factory=dict[int, str])


def remaining_positions(
    presentations: Iterable[Presented], size: int, taken: Collection[int] = ()
) -> tuple[Portion, ...]:
    """Return what is left of a chunk, in the order in which it is presented.

    Args:
        presentations: those of the chunk, in order.
        size: how many positions the chunk has.
        taken: the presentations that the gateway has certainly accepted, because a receipt says so.
    """
    left: tuple[Portion, ...] = (Portion(tuple(range(size))),)
    for each in presentations:
        left = left_after(each, left, taken=each.submission in taken)
    return left


def left_after(presented: Presented, left: Sequence[Portion], *, taken: bool = False) -> tuple[Portion, ...]:
    """Return what is left after one more presentation.

    The halves of a portion go behind its own other half: the largest portions are presented first, so most of a chunk
    is settled before any of its numbers is presented alone.
    """
    covered = None if presented.positions is None else frozenset(presented.positions)
    found: list[Portion] = []
    before: list[Portion] = []
    behind: list[Portion] = []
    for portion in left:
        hit = tuple(place for place in portion.positions if covered is None or place in covered)
        if hit:
            found.append(replace(portion, positions=hit))
        missed = () if covered is None else tuple(place for place in portion.positions if place not in covered)
        if missed:
            (behind if found else before).append(replace(portion, positions=missed))
    again = () if taken or not found else tuple(_again(presented, found))
    at = 0
    if presented.settlement is Settlement.SPLIT and found:
        at = sum(1 for _ in takewhile(lambda portion: portion.split_by == found[0].split_by, behind))
    return (*before, *behind[:at], *again, *behind[at:])


def halves_of(positions: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Return the first half of the positions, which is the larger one, and the second."""
    middle = (len(positions) + 1) // 2
    return positions[:middle], positions[middle:]


def _again(presented: Presented, found: Sequence[Portion]) -> Iterator[Portion]:
    """Yield the parts of the found portions that are still left."""
    covered = tuple(place for portion in found for place in portion.positions)
    called = tuple(place for place in covered if place not in presented.left_out)
    unknown = any(portion.unknown for portion in found)
    if presented.settlement is Settlement.SPLIT:
        for half in halves_of(called):
            if half:
                yield Portion(tuple(half), unknown=unknown, split_by=presented.submission)
        return
    state = ChunkState.UNKNOWN if presented.settlement is None else MEANINGS[presented.settlement].chunk
    if state is ChunkState.OPEN:
        yield Portion(covered, unknown=unknown, split_by=found[0].split_by)
    if state is ChunkState.UNKNOWN and called:
        yield Portion(called, unknown=True, split_by=found[0].split_by)
