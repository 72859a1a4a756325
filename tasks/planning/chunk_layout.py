"""Which chunk each row goes out in.

Numbers share a call only if they have the same sender and the same hours: a sending group. Without groups, chunks
follow the rows. With groups, the sendable rows are taken in windows of some 500,000, in input order, and each window is
laid out in chunks group by group. So memory stays level, chunk numbers stay dense, every chunk is in one window, and
the results can be written window by window. Nothing is carried over from one window to the next: the last chunk of each
group may be short, which costs at most one more call for each group and window (with 20 groups, 1 % of the calls).
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import polars as pl

WINDOW_CHUNKS = 2_000
_FEWEST_WINDOW_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class SendingGroup:
    """What all numbers of a chunk have in common. `zones` are time zones (IANA) that must all be in their hours.

    `zones` is None where the campaign has no hours, and empty for numbers whose zone nobody knows.
    """

    sender_id: str | None = None
    zones: tuple[str, ...] | None = None


# Returns the place in a tuple of groups for each row of a frame with the columns region (String) and e164 (Int64).
Sorter = Callable[[pl.DataFrame], pl.Series]


@dataclass(frozen=True, slots=True)
class SendingGroups:
    """All groups that a campaign may have, and which of them a row belongs to.

    `window` is how many sendable rows are laid out at once, a multiple of the numbers of a call; None: `window_rows`.
    """

    groups: tuple[SendingGroup, ...]
    sort: Sorter
    window: int | None = None


@dataclass(frozen=True, slots=True)
class ChunkRange:
    """Consecutive chunks of one group: all but the last are full."""

    first_chunk: int
    numbers: int
    group: int


@dataclass(frozen=True)
class ChunkLayout:
    """Where a plan's windows begin, and which group each chunk belongs to.

    `windows` has the first row and the first chunk of each; the first window begins with row 0 and chunk 0.
    """

    groups: tuple[SendingGroup, ...]
    numbers_per_call: int
    windows: tuple[tuple[int, int], ...]
    ranges: tuple[ChunkRange, ...]

    @cached_property
    def chunk_count(self) -> int:
        """How many chunks there are."""
        last = self.ranges[-1] if self.ranges else None
        return 0 if last is None else last.first_chunk + -(-last.numbers // self.numbers_per_call)

    @cached_property
    def _first_chunks(self) -> list[int]:
        return [each_range.first_chunk for each_range in self.ranges]

    def _range_of(self, chunk: int) -> int:
        return bisect_right(self._first_chunks, chunk) - 1

    def group_of(self, chunk: int) -> int:
        """Return the place of a chunk's group in `groups`."""
        return self.ranges[self._range_of(chunk)].group

    def size_of(self, chunk: int) -> int:
        """Return how many numbers a chunk has."""
        each_range = self.ranges[self._range_of(chunk)]
        return min(self.numbers_per_call, each_range.numbers - (chunk - each_range.first_chunk) * self.numbers_per_call)

    def encode(self) -> str:
        """Return it as JSON; groups without chunks are left out."""
        used = sorted({each_range.group for each_range in self.ranges})
        return json.dumps(
            {
                "groups": [[self.groups[group].sender_id, self.groups[group].zones] for group in used],
                "numbers_per_call": self.numbers_per_call,
                "windows": self.windows,
                "ranges": [
                    [each_range.first_chunk, each_range.numbers, used.index(each_range.group)]
                    for each_range in self.ranges
                ],
            },
            separators=(",", ":"),
        )

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what `encode` wrote."""
        found: dict[str, Any] = json.loads(text)
        return cls(
            tuple(SendingGroup(sender, None if zones is None else tuple(zones)) for sender, zones in found["groups"]),
            found["numbers_per_call"],
            tuple((row, chunk) for row, chunk in found["windows"]),
            tuple(ChunkRange(*each_range) for each_range in found["ranges"]),
        )


def window_rows(numbers_per_call: int) -> int:
    """Return how many sendable rows a window has: whole calls, so that one group is laid out as without windows."""
    return numbers_per_call * max(WINDOW_CHUNKS, -(-_FEWEST_WINDOW_ROWS // numbers_per_call))


def chunks_in_input_order(numbers_per_call: int, canary: int) -> tuple[pl.Expr, pl.Expr]:
    """Return a row's chunk and position by its `nth`, where all sendable rows may share calls.

    The first `canary` rows have chunks of their own, and the last may be short: a canary of ten is exactly ten people.
    """
    nth = pl.col("nth").cast(pl.Int64)
    if not canary:
        return nth // numbers_per_call, nth % numbers_per_call
    after = nth - canary
    chunk = pl.when(after < 0).then(nth // numbers_per_call)
    position = pl.when(after < 0).then(nth % numbers_per_call)
    return (
        chunk.otherwise(-(-canary // numbers_per_call) + after // numbers_per_call),
        position.otherwise(after % numbers_per_call),
    )


def lay_out_chunks(
    rows: Path, ranks: pl.LazyFrame, groups: SendingGroups, numbers_per_call: int, folder: Path, *, canary: int = 0
) -> tuple[pl.LazyFrame, ChunkLayout]:
    """Return a frame beside `rows`, row for row, with `chunk` (UInt32) and `position` (UInt16), and the layout.

    Within a window the groups follow each other in the order of their first rows.

    Args:
        rows: A parquet file with the columns region and e164.
        ranks: A frame beside it with `nth`, of `duplicates.rank_rows`; null for rows that are not sent.
        groups: The groups, and which of them a row belongs to.
        numbers_per_call: The most numbers of a chunk.
        folder: Where the frame's files are written; they must stay as long as it is read.
        canary: So many of the first sendable rows are a window of their own, so that no chunk mixes them with others.
    """
    window = groups.window or window_rows(numbers_per_call)
    windows: list[tuple[int, int]] = []
    ranges: list[ChunkRange] = []
    files: list[Path] = []
    chunks = 0
    for start, length in _windows(ranks, window, canary):
        facts = pl.scan_parquet(rows, glob=False).select(pl.col("region").cast(pl.String), "e164").slice(start, length)
        sent = (
            pl.concat([facts, ranks.select("nth").slice(start, length)], how="horizontal")
            .with_row_index("place")
            .filter(pl.col("nth").is_not_null())
            .collect(engine="streaming")
        )
        placed, found = _lay_out_window(sent, length, groups.sort, numbers_per_call, chunks)
        files.append(folder / f"chunks-{start:012}.parquet")
        placed.write_parquet(files[-1], compression="uncompressed", statistics=False)
        windows.append((start, chunks))
        ranges += found
        chunks += sum(-(-each_range.numbers // numbers_per_call) for each_range in found)
    return pl.scan_parquet(files, glob=False), ChunkLayout(
        groups.groups, numbers_per_call, tuple(windows), tuple(ranges)
    )


def _windows(ranks: pl.LazyFrame, window: int, canary: int) -> Iterator[tuple[int, int]]:
    """Yield the first row and the rows of each window; there is at least one, also without rows."""
    count = ranks.select(pl.len()).collect(engine="streaming").item()
    found = (
        ranks.select("nth")
        .with_row_index("index")
        .filter((pl.col("nth") == 0) | ((pl.col("nth") >= canary) & ((pl.col("nth") - canary) % window == 0)))
        .select("index")
        .collect(engine="streaming")
        .to_series()
        .sort()
        .to_list()
    )
    starts = [0, *found[1:]]
    for start, after in zip(starts, [*starts[1:], count], strict=True):
        yield start, after - start


def _lay_out_window(
    sent: pl.DataFrame, length: int, sort: Sorter, numbers_per_call: int, first_chunk: int
) -> tuple[pl.DataFrame, list[ChunkRange]]:
    """Lay out the rows of one window that are sent, each at its `place` in it.

    Returns the columns `chunk` and `position` of the window's `length` rows, and the ranges of chunks in their order.
    """
    group = sort(sent).cast(pl.UInt32).alias("group")
    counted = group.to_frame().group_by("group", maintain_order=True).len("numbers")
    bases: dict[int, int] = {}
    ranges: list[ChunkRange] = []
    for which, numbers in counted.iter_rows():
        bases[which] = first_chunk
        ranges.append(ChunkRange(first_chunk, numbers, which))
        first_chunk += -(-numbers // numbers_per_call)
    place = pl.int_range(pl.len()).over("group")
    base = pl.col("group").replace_strict(bases, return_dtype=pl.UInt32)
    placed = group.to_frame().select(
        chunk=(base + place // numbers_per_call).cast(pl.UInt32), position=(place % numbers_per_call).cast(pl.UInt16)
    )
    empty = pl.DataFrame({column.name: pl.repeat(None, length, dtype=column.dtype, eager=True) for column in placed})
    return empty.with_columns(empty[column.name].scatter(sent["place"], column) for column in placed), ranges
