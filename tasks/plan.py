"""The plan: every row with its verdict, and for sendable rows the chunk and the position in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.campaign import PLAN_KEY
from tasks.errors import InputError
from tasks.statuses import STATUSES, Status
from tasks.store import Store

BLOCK_CHUNKS = 2_000
_SETTINGS = "globe-sms-settings"
_SENDABLE = pl.col("status").is_null()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to `numbers_per_call` E.164 numbers (with plus sign) that go out in one call, in position order."""

    index: int
    phone_numbers: tuple[str, ...]


def make_plan(judged: pl.LazyFrame, numbers_per_call: int) -> pl.LazyFrame:
    """Mark duplicates and cut the sendable rows into chunks, in input order.

    `judged` has the columns source, row, recipient, phone_number, region, status, reason in input order;
    a null status means sendable. Of several rows with one phone number the first wins, and the others say
    which it was: `<source>#<row>`. Adds chunk (u32) and position (u16), null for rows that are not sent.
    """
    rows = judged.with_row_index("index")
    firsts = (
        rows.filter(_SENDABLE)
        .unique(subset="phone_number", keep="first", maintain_order=True)
        .select("phone_number", first_index="index", first_source="source", first_row="row")
        .with_row_index("nth")
    )
    is_first = _SENDABLE & (pl.col("index") == pl.col("first_index"))
    is_duplicate = _SENDABLE & (pl.col("index") != pl.col("first_index"))
    first = pl.format("{}#{}", pl.col("first_source"), pl.col("first_row"))
    return rows.join(firsts, on="phone_number", how="left", maintain_order="left").select(
        "source",
        "row",
        "recipient",
        "phone_number",
        "region",
        status=pl.when(is_duplicate)
        .then(pl.lit(Status.DUPLICATE, dtype=pl.Enum(STATUSES)))
        .otherwise(pl.col("status")),
        reason=pl.when(is_duplicate).then(first).otherwise(pl.col("reason")),
        chunk=pl.when(is_first).then(pl.col("nth") // numbers_per_call).cast(pl.UInt32),
        position=pl.when(is_first).then(pl.col("nth") % numbers_per_call).cast(pl.UInt16),
    )


def freeze(plan: pl.LazyFrame, settings: str, scratch: Path) -> Path:
    """Run the plan's query and write it to a local file, to be put under `PLAN_KEY` if nothing stands there.

    `settings` is the fingerprint of the settings that it was made with; `FrozenPlan.load` asks for the same.
    """
    path = scratch / "plan-new.parquet"
    plan.sink_parquet(path, compression="zstd", metadata={_SETTINGS: settings}, engine="streaming")
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

    def scan(self) -> pl.LazyFrame:
        """Return the plan's rows in input order."""
        return pl.scan_parquet(self.path, glob=False)

    def chunk_count(self) -> int:
        """How many chunks there are."""
        last = self.scan().select(pl.col("chunk").max()).collect().item()
        return 0 if last is None else last + 1

    def counts(self) -> Mapping[str, int]:
        """Rows by what they are planned as: `sendable`, or the status that they already have."""
        counted = self.scan().group_by(pl.col("status").cast(pl.String).fill_null("sendable")).len().collect()
        return dict(counted.iter_rows())

    def chunks(self, first: int, last: int) -> Iterator[Chunk]:
        """Read the chunks `first` up to and with `last`."""
        rows = (
            self.scan()
            .filter(pl.col("chunk").is_between(first, last))
            .group_by("chunk")
            .agg(pl.col("phone_number").sort_by("position"))
            .sort("chunk")
            .collect(engine="streaming")
        )
        for index, numbers in rows.iter_rows():
            yield Chunk(index, tuple(numbers))

    def blocks(self) -> Iterator[tuple[pl.LazyFrame, range]]:
        """Cut the rows into blocks of 2,000 chunks, in input order, each with the range of its chunks.

        Chunks are numbered in input order, so a block is a run of rows; those before its first chunk and after its
        last belong to it as well. There is at least one block, also without chunks or rows.
        """
        starts = (
            self.scan()
            .with_row_index("index")
            .filter(pl.col("chunk") % BLOCK_CHUNKS == 0, pl.col("position") == 0)
            .select("index")
            .collect(engine="streaming")
            .to_series()
            .sort()
            .to_list()
        )
        count = self.chunk_count()
        firsts = [0, *starts[1:]]
        for number, (first, after) in enumerate(zip(firsts, [*firsts[1:], None], strict=True)):
            rows = self.scan().slice(first, None if after is None else after - first)
            yield rows, range(number * BLOCK_CHUNKS, min(count, (number + 1) * BLOCK_CHUNKS))
