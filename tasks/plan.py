"""The plan: every row with its verdict, and for sendable rows the chunk and the position in it."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import phonenumbers
import polars as pl

from tasks.campaign import PLAN_KEY
from tasks.errors import InputError
from tasks.repeats import rank_rows
from tasks.statuses import STATUSES, Status
from tasks.store import Store

BLOCK_CHUNKS = 2_000
_SETTINGS = "globe-sms-settings"
_PHONENUMBERS = "globe-sms-phonenumbers"
_JUDGED = ("source", "row", "recipient", "e164", "region", "status", "reason")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to `numbers_per_call` E.164 numbers (with plus sign) that go out in one call, in position order.

    `messages` has a text for each of them; None where all of the campaign's numbers get the same one.
    """

    index: int
    phone_numbers: tuple[str, ...]
    messages: tuple[str, ...] | None = field(default=None, repr=False)


def make_plan(
    judged: pl.LazyFrame, numbers_per_call: int, folder: Path, *, carried: Sequence[str] = ()
) -> pl.LazyFrame:
    """Mark duplicates and cut the sendable rows into chunks, in input order.

    `judged` has the columns source, row, recipient, e164, region, status, reason in input order;
    a null status means sendable. Of several rows with one phone number the first wins, and the others say
    which it was: `<source>#<row>`. Adds chunk (u32) and position (u16), null for rows that are not sent.
    `carried` are further columns of `judged` that the plan keeps at its end, for the rows that are sent.

    The judged rows are read once and kept in `folder`, which must stay as long as the plan is read. It runs in the
    streaming engine: neither the list nor its numbers are in memory as a whole.
    """
    rows = folder / "judged.parquet"
    judged.select(*_JUDGED, *carried).sink_parquet(
        rows, compression="lz4" if carried else "uncompressed", statistics=False, engine="streaming"
    )
    repeating = pl.col("first_row").is_not_null()
    return pl.concat([pl.scan_parquet(rows, glob=False), rank_rows(rows, folder)], how="horizontal").select(
        "source",
        "row",
        "recipient",
        pl.format("+{}", "e164").alias("phone_number"),
        "region",
        status=pl.when(repeating).then(pl.lit(Status.DUPLICATE, dtype=pl.Enum(STATUSES))).otherwise(pl.col("status")),
        reason=pl.when(repeating).then(pl.format("{}#{}", "first_source", "first_row")).otherwise(pl.col("reason")),
        chunk=(pl.col("nth") // numbers_per_call).cast(pl.UInt32),
        position=(pl.col("nth") % numbers_per_call).cast(pl.UInt16),
        **{name: pl.when(pl.col("nth").is_not_null()).then(pl.col(name)) for name in carried},
    )


def freeze(
    judged: pl.LazyFrame, numbers_per_call: int, settings: str, scratch: Path, *, carried: Sequence[str] = ()
) -> Path:
    """Make the plan of judged rows in a local file, to be put under `PLAN_KEY` if nothing stands there.

    `settings` is the fingerprint of the settings that it was made with; `FrozenPlan.load` asks for the same.
    On the way `scratch` needs room for the list twice. `carried` is as in `make_plan`.
    """
    path = scratch / f"new-{PLAN_KEY}"
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        metadata = {_SETTINGS: settings, _PHONENUMBERS: phonenumbers.__version__}
        plan = make_plan(judged, numbers_per_call, Path(folder), carried=carried)
        plan.sink_parquet(
            path,
            compression="zstd",
            compression_level=1,
            statistics=False,
            metadata=metadata,
            engine="streaming",
        )
    return path


class FrozenPlan:
    """The plan as it was frozen, in a local copy that chunks are read from as they are needed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def load(cls, settings: str, store: Store, scratch: Path) -> "FrozenPlan | None":
        """Copy the frozen plan from the store; None if nothing was frozen yet.

        Raises:
            InputError: it was made with other settings (a run that had lost its lease froze it late).
        """
        path = scratch / PLAN_KEY
        if not store.fetch(PLAN_KEY, path):
            return None
        if pl.read_parquet_metadata(path).get(_SETTINGS) != settings:
            raise InputError(
                f"{store.uri}/{PLAN_KEY} was made with other settings than campaign.json names; "
                "give another --campaign, or remove this campaign's folder if it has no claims."
            )
        return cls(path)

    @property
    def phonenumbers(self) -> str | None:
        """The version of `phonenumbers` whose metadata the rows were judged by; None in plans of before it was kept."""
        return pl.read_parquet_metadata(self.path).get(_PHONENUMBERS)

    def scan(self) -> pl.LazyFrame:
        """Return the plan's rows in input order."""
        return pl.scan_parquet(self.path, glob=False)

    @cached_property
    def has_messages(self) -> bool:
        """Whether each row has a text of its own, with its parts."""
        return "message" in pl.read_parquet_schema(self.path)

    def chunk_count(self) -> int:
        """How many chunks there are."""
        return self._chunk_count

    def counts(self) -> Mapping[str, int]:
        """Rows by what they are planned as: `sendable`, or the status that they already have."""
        counted = self.scan().group_by(pl.col("status").cast(pl.String).fill_null("sendable")).len().collect()
        return dict(counted.iter_rows())

    def chunks(self, first: int, last: int) -> Iterator[Chunk]:
        """Read the chunks `first` up to and with `last`; it reads the blocks that they stand in, and no more."""
        rows = self._chunk_rows(first, last)
        for place in range(rows.height):
            yield _chunk_of(rows, place)

    def open_chunks(self, indexes: Sequence[int]) -> dict[int, Callable[[], Chunk]]:
        """Read these chunks, which stand in plan order and best near each other; each is made when it is called.

        A thousand Python texts a chunk take their time, in which no other thread runs: the thread that sends a chunk
        makes them, and not one thread those of hundreds at once.
        """
        rows = self._chunk_rows(indexes[0], indexes[-1])
        wanted = set(indexes)
        return {index: partial(_chunk_of, rows, place) for place, index in enumerate(rows["chunk"]) if index in wanted}

    def _chunk_rows(self, first: int, last: int) -> pl.DataFrame:
        return (
            self._block_rows(first // BLOCK_CHUNKS, last // BLOCK_CHUNKS)
            .filter(pl.col("chunk").is_between(first, last))
            .group_by("chunk")
            .agg(pl.col("phone_number", *(["message"] if self.has_messages else [])).sort_by("position"))
            .sort("chunk")
            .collect(engine="streaming")
        )

    def blocks(self) -> Iterator[tuple[pl.LazyFrame, range]]:
        """Cut the rows into blocks of 2,000 chunks, in input order, each with the range of its chunks.

        Chunks are numbered in input order, so a block is a run of rows; those before its first chunk and after its
        last belong to it as well. There is at least one block, also without chunks or rows.
        """
        for number in range(len(self._block_starts)):
            chunks = range(number * BLOCK_CHUNKS, min(self._chunk_count, (number + 1) * BLOCK_CHUNKS))
            yield self._block_rows(number, number), chunks

    def _block_rows(self, first: int, last: int) -> pl.LazyFrame:
        starts = [*self._block_starts, None]
        start, after = self._block_starts[first], starts[last + 1]
        return self.scan().slice(start, None if after is None else after - start)

    @cached_property
    def _chunk_count(self) -> int:
        last = self.scan().select(pl.col("chunk").max()).collect(engine="streaming").item()
        return 0 if last is None else last + 1

    @cached_property
    def _block_starts(self) -> list[int]:
        """The row that each block begins with: the first is row 0."""
        found = (
            self.scan()
            .with_row_index("index")
            .filter(pl.col("chunk") % BLOCK_CHUNKS == 0, pl.col("position") == 0)
            .select("index")
            .collect(engine="streaming")
            .to_series()
            .sort()
            .to_list()
        )
        return [0, *found[1:]]


def _chunk_of(rows: pl.DataFrame, place: int) -> Chunk:
    messages = tuple(rows["message"][place]) if "message" in rows.columns else None
    return Chunk(rows["chunk"][place], tuple(rows["phone_number"][place]), messages)
