"""The frozen plan: every row with its verdict, and for sendable rows the chunk and the position in it."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import phonenumbers
import polars as pl

from globe_sms.tasks.campaign.campaign_json import plan_key
from globe_sms.tasks.campaign.results_schema import E164, names_in_results
from globe_sms.tasks.planning.chunk_layout import WINDOW_CHUNKS, ChunkLayout, SendingGroup
from globe_sms.tasks.recipients import KEPT
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError

_ID = "globe-sms-plan"
_PHONENUMBERS = "globe-sms-phonenumbers"
_LAYOUT = "globe-sms-layout"
HASHES: Final = "globe-sms-hashes"
"""In a plan's metadata, if numbers of it are erased and their hashes are in it: `some` or `all` of them."""
ALL_HASHED: Final = "all"
NOBODY: Final[Mapping[int, Any]] = MappingProxyType({})
BLOCK_ROWS = 1_000_000
"""The most rows that are read at once."""


def kept_in_results(plan: Iterable[str]) -> Mapping[str, str]:
    """Return which of a plan's columns are kept of the lists, with their names in the results."""
    names = names_in_results(name.removeprefix(KEPT) for name in plan if name.startswith(KEPT))
    return {f"{KEPT}{own}": name for own, name in names.items()}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to `numbers_per_call` E.164 numbers (with plus sign) that go out in one call, in position order.

    `messages` has a text for each of them; None where all of the campaign's numbers get the same one. `group` is what
    they have in common; None for the campaign's own sender and no hours. `left_out` are the positions that must not be
    presented now, each with its reason.
    """

    index: int
    phone_numbers: tuple[str, ...]
    messages: tuple[str, ...] | None = field(default=None, repr=False)
    group: SendingGroup | None = None
    left_out: Mapping[int, str] = field(default_factory=dict[int, str])


def write_plan(plan: pl.LazyFrame, layout: ChunkLayout | None, plan_id: str, path: Path) -> None:
    """Write a plan's rows to a local file.

    Args:
        plan: Its rows, in input order.
        layout: How the chunks were laid out; None where they follow the rows.
        plan_id: Its id, unlike any other plan's; `FrozenPlan.load` asks for the same.
        path: The file.
    """
    plan.sink_parquet(
        path,
        compression="zstd",
        compression_level=1,
        statistics=False,
        metadata={
            _ID: plan_id,
            _PHONENUMBERS: phonenumbers.__version__,
            **({} if layout is None else {_LAYOUT: layout.encode()}),
        },
        engine="streaming",
    )


def rows_of_plan(stored: pl.LazyFrame) -> pl.LazyFrame:
    """Return a plan's rows, as they are stored in its object, with texts where that has enums and integers."""
    return _with_texts(with_phone_numbers(stored))


def _with_texts(rows: pl.LazyFrame) -> pl.LazyFrame:
    return with_reasons(rows).with_columns(pl.col("source", "region").cast(pl.String), pl.col("row").cast(pl.UInt64))


def with_phone_numbers(stored: pl.LazyFrame) -> pl.LazyFrame:
    """Return a plan's rows with `phone_number`: the object has it as an integer, `e164`, until numbers are erased.

    Written and read as texts, the numbers took twice the time.
    """
    number = pl.format("+{}", "e164").alias("phone_number")
    return stored.select(number if name == "e164" else pl.col(name) for name in stored.collect_schema())


def with_integers(stored: pl.LazyFrame) -> pl.LazyFrame:
    """Return a plan's rows with `e164`, as they are stored; null where only the hash of a number is left."""
    return stored if "e164" in stored.collect_schema() else stored.with_columns(E164)


def with_reasons(stored: pl.LazyFrame) -> pl.LazyFrame:
    """Return a plan's rows with the reason of each; that of a duplicate names the first row: `<source>#<row>`.

    The object has the first row as a number beside its list: such texts, unlike each other, took as long to write and
    to read as all other columns.
    """
    first = pl.format("{}#{}", "first_source", "first_row")
    reason = pl.when(pl.col("first_row").is_not_null()).then(first).otherwise(pl.col("reason").cast(pl.String))
    return stored.with_columns(reason=reason).drop("first_source", "first_row")


class FrozenPlan:
    """A plan in a local copy that chunks are read from as they are needed; its object in the store never changes.

    Unless numbers are erased: then their hashes take their place, and nothing else changes.
    """

    def __init__(self, path: Path, *, block_rows: int = BLOCK_ROWS) -> None:
        self.path = path
        self._most = block_rows

    @classmethod
    def load(cls, plan_id: str, store: Store, scratch: Path) -> "FrozenPlan | None":
        """Copy a plan from the store; None if it doesn't exist.

        Raises:
            InputError: it's another plan under this one's name.
        """
        key = plan_key(plan_id)
        path = scratch / key.rpartition("/")[2]
        if not store.fetch(key, path):
            return None
        if pl.read_parquet_metadata(path).get(_ID) != plan_id:
            raise InputError(f"{store.uri}/{key} isn't the plan that its name says: restore the original object.")
        return cls(path)

    @property
    def id(self) -> str:
        """Its id, unlike any other plan's."""
        return pl.read_parquet_metadata(self.path)[_ID]

    @property
    def phonenumbers(self) -> str:
        """The version of `phonenumbers` whose metadata the rows were validated by."""
        return pl.read_parquet_metadata(self.path)[_PHONENUMBERS]

    def scan(self) -> pl.LazyFrame:
        """Return the plan's rows in input order."""
        return rows_of_plan(self._stored())

    def _stored(self) -> pl.LazyFrame:
        return pl.scan_parquet(self.path, glob=False)

    def scan_numbers(self, chunks: Sequence[int] | None = None) -> pl.LazyFrame:
        """Return the rows of some chunks (None: of all) with `e164`, the number as an integer."""
        rows = _with_texts(with_integers(self._stored())).filter(pl.col("chunk").is_not_null())
        if chunks is not None:
            wanted = pl.LazyFrame({"chunk": chunks}, schema={"chunk": pl.UInt32})
            rows = rows.join(wanted, on="chunk", how="semi")
        return rows

    @cached_property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Its columns, with their types."""
        return self.scan().collect_schema()

    @cached_property
    def has_messages(self) -> bool:
        """Whether each row has a text of its own, with its parts."""
        return "message" in self.schema

    @cached_property
    def has_hashes(self) -> bool:
        """Whether the numbers of some rows are erased."""
        return HASHES in pl.read_parquet_metadata(self.path)

    @cached_property
    def layout(self) -> ChunkLayout | None:
        """How the chunks were laid out; None where their numbers follow the rows, in one sending group."""
        found = pl.read_parquet_metadata(self.path).get(_LAYOUT)
        return None if found is None else ChunkLayout.decode(found)

    def chunk_count(self) -> int:
        """How many chunks there are."""
        return self._chunk_count

    def canary_chunks(self, canary: int) -> int:
        """How many chunks hold the first `canary` sendable rows: the chunks from 0 on, without other rows."""
        first = self._stored().filter(pl.col("chunk").is_not_null()).head(canary)
        last = first.select(pl.col("chunk").max()).collect(engine="streaming").item()
        return 0 if last is None else last + 1

    def chunk_sizes(self, chunks: Collection[int]) -> Mapping[int, int]:
        """How many numbers each of these chunks has."""
        wanted = pl.LazyFrame({"chunk": sorted(chunks)}, schema={"chunk": pl.UInt32})
        counted = self._stored().join(wanted, on="chunk", how="semi").group_by("chunk").len()
        return dict(counted.collect(engine="streaming").iter_rows())

    def counts(self) -> Mapping[str, int]:
        """The number of rows by status; rows without one are `sendable`."""
        counted = self._stored().group_by(pl.col("status").cast(pl.String).fill_null("sendable")).len().collect()
        return dict(counted.iter_rows())

    def chunks(self, first: int, last: int) -> Iterator[Chunk]:
        """Read the chunks from `first` to `last`, including both; only their blocks are read."""
        rows = self._chunk_rows(range(first, last + 1))
        for place in range(rows.height):
            yield self._chunk_of(rows, place)

    def open_chunks(
        self, indexes: Sequence[int], left_out: Mapping[int, Mapping[int, str]] = NOBODY
    ) -> dict[int, Callable[[], Chunk]]:
        """Read these chunks, preferably close to each other; calling a value makes its chunk.

        `left_out` are the positions of each chunk that must not be presented now, with their reasons.

        A chunk's thousand Python strings take time, and no other thread runs meanwhile. So each sending thread makes
        its own chunk, instead of one thread making hundreds at once.
        """
        rows = self._chunk_rows(indexes)
        wanted = set(indexes)
        return {
            index: partial(self._chunk_of, rows, place, left_out.get(index, NOBODY))
            for place, index in enumerate(rows["chunk"])
            if index in wanted
        }

    def _chunk_rows(self, indexes: Sequence[int]) -> pl.DataFrame:
        first, last = min(indexes), max(indexes)
        rows = self._block_rows(self._block_of(first), self._block_of(last))
        wanted = pl.col("chunk").is_between(first, last)
        if self.layout is not None:  # chunks of other groups are between these
            wanted &= pl.col("chunk").is_in(list(indexes))
        return (
            rows.filter(wanted)
            .group_by("chunk")
            .agg(pl.col("phone_number", *(["message"] if self.has_messages else [])).sort_by("position"))
            .sort("chunk")
            .collect(engine="streaming")
        )

    def _chunk_of(self, rows: pl.DataFrame, place: int, left_out: Mapping[int, str] = NOBODY) -> Chunk:
        index: int = rows["chunk"][place]
        messages = tuple(rows["message"][place]) if "message" in rows.columns else None
        group = None if self.layout is None else self.layout.groups[self.layout.group_of(index)]
        return Chunk(index, tuple(rows["phone_number"][place]), messages, group, left_out)

    def blocks(self) -> Iterator[tuple[pl.LazyFrame, range]]:
        """Yield the rows in blocks of up to a million, in input order, each with the range of the chunks to look up.

        Lists and regions stay enums here, which are written in a fraction of the time of texts.

        Usually a block has the rows of whole chunks, and those that aren't sent between them: up to 2,000 chunks if
        they are numbered in input order, or the chunks of a window if the plan has sending groups. A chunk or window
        with so many rows between that it's longer than a block becomes several blocks with the same range. Even a plan
        without chunks or rows has one block.
        """
        starts = [*(chunk for _, chunk in self._blocks), self._chunk_count]
        ends = [*(row for row, _ in self._blocks[1:]), self._row_count]
        for number, ((start, _), end) in enumerate(zip(self._blocks, ends, strict=True)):
            for row in range(start, max(end, start + 1), self._most):
                rows = self._stored().slice(row, min(self._most, end - row))
                yield with_reasons(with_phone_numbers(rows)), range(starts[number], starts[number + 1])

    def _block_rows(self, first: int, last: int) -> pl.LazyFrame:
        start = self._blocks[first][0]
        after = self._blocks[last + 1][0] if last + 1 < len(self._blocks) else None
        return with_phone_numbers(self._stored()).slice(start, None if after is None else after - start)

    def _block_of(self, chunk: int) -> int:
        return bisect_right(self._blocks, chunk, key=lambda block: block[1]) - 1

    @cached_property
    def _chunk_count(self) -> int:
        if self.layout is not None:
            return self.layout.chunk_count
        last = self._stored().select(pl.col("chunk").max()).collect(engine="streaming").item()
        return 0 if last is None else last + 1

    @cached_property
    def _row_count(self) -> int:
        return self._stored().select(pl.len()).collect(engine="streaming").item()

    @cached_property
    def _blocks(self) -> tuple[tuple[int, int], ...]:
        """The row and the first chunk that each block begins with, without the cuts inside a chunk or a window.

        The first begins with row 0 and chunk 0. Rows after the last chunk are a block of their own if they are many.
        """
        if self.layout is not None:
            return self.layout.windows
        sent = self._stored().with_row_index("index").filter(pl.col("chunk").is_not_null())
        firsts, last = pl.collect_all(
            [sent.filter(pl.col("position") == 0).select("index"), sent.select(pl.col("index").max())],
            engine="streaming",
        )
        rows = firsts.to_series().sort().to_list()
        ends = [*rows[1:], (last.item() or 0) + 1]
        found = [(0, 0)]
        for chunk in range(1, len(rows)):
            start, first = found[-1]
            if chunk - first >= WINDOW_CHUNKS or ends[chunk] - start > self._most:
                found.append((rows[chunk], chunk))
        if rows and self._row_count - found[-1][0] > self._most:
            found.append((ends[-1], len(rows)))
        return tuple(found)
