"""Which rows of the plan must not be presented now, though the plan has them: people opted out since it was made.

What keeps people out is looked at before each stretch of sending, and what the plan doesn't know yet becomes a file of
chunk, position and reason. A chunk that is read leaves these positions out; a row that was never presented is accounted
for with the reason.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.left_out import leave_out
from globe_sms.tasks.vocabulary.row_reasons import RowReason

# Returns files for `leave_out`, as things are now; the same paths as long as nothing has changed. It's given the rows
# that the plan sends, with the columns e164, region, status and, for personal texts, message.
LeftOutSource = Callable[[pl.LazyFrame], Sequence[Path]]

_REASON: Final = "left_out"
_ROW_GROUP: Final = 50_000  # so that a few chunks are read without the others


@dataclass(frozen=True, slots=True)
class Excluded:
    """Rows that must not be presented: a file of chunk, position and reason, sorted; None for no rows."""

    file: Path | None = None
    chunks: frozenset[int] = field(default=frozenset())

    def rows(self) -> pl.LazyFrame | None:
        """Return them, with the columns chunk (UInt32), position (UInt16) and left_out (String); None without any."""
        return None if self.file is None else pl.scan_parquet(self.file, glob=False)

    def of_chunks(self, indexes: Iterable[int]) -> dict[int, dict[int, str]]:
        """Return the positions of these chunks that are left out, with their reasons, for chunks that have any."""
        wanted = self.chunks.intersection(indexes)
        rows = self.rows()
        if not wanted or rows is None:
            return {}
        hit = rows.filter(
            pl.col("chunk").is_between(min(wanted), max(wanted)), pl.col("chunk").is_in(list(wanted))
        ).collect(engine="streaming")
        found: dict[int, dict[int, str]] = {}
        for chunk, position, reason in hit.iter_rows():
            found.setdefault(chunk, {})[position] = reason
        return found

    def mark(self, rows: pl.LazyFrame, chunks: range | None = None) -> pl.LazyFrame:
        """Add the column `left_out` to rows of the plan: the reason, or null. `chunks` are those of the rows."""
        excluded = self.rows()
        if excluded is None:
            return rows.with_columns(pl.lit(None, dtype=pl.String).alias(_REASON))
        if chunks is not None:
            excluded = excluded.filter(pl.col("chunk").is_between(chunks.start, chunks.stop, closed="left"))
        return rows.join(excluded, on=["chunk", "position"], how="left", maintain_order="left")


NOTHING_EXCLUDED: Final = Excluded()


class Exclusions:
    """Looks at what keeps people out, and finds the plan's rows that it concerns.

    `current` is what the last look found.
    """

    def __init__(
        self, sources: Sequence[LeftOutSource], folder: Path, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Take the sources, and a local folder for the files of rows. `clock` is Unix time in seconds."""
        self._sources = sources
        self._folder = folder
        self._in_plan: frozenset[Path] = frozenset()
        self._files: tuple[Path, ...] = ()
        self._numbers = count()
        self._clock = clock
        self._looked_at: float | None = None
        self.current = NOTHING_EXCLUDED

    def planned_with(self, files: Iterable[Path]) -> None:
        """Note that this run's plan was made with these files: it leaves those people out itself."""
        self._in_plan |= frozenset(files)

    def look(self, plan: FrozenPlan) -> Excluded:
        """Look again; nothing is joined with the plan if nothing has changed since the last look.

        Raises:
            InputError: a list can't be read. Then nobody may be texted, and the next look begins again.
        """
        rows = sendable_rows(plan)
        files = tuple(file for source in self._sources for file in source(rows) if file not in self._in_plan)
        if plan.has_hashes:
            files = (self._erased(rows), *files)
        if files != self._files:
            self.current = self._join(rows, files) if files else NOTHING_EXCLUDED
            self._files = files
        self._looked_at = self._clock()
        return self.current

    @property
    def seconds_ago(self) -> float | None:
        """How long ago the last look was; None before the first."""
        return None if self._looked_at is None else self._clock() - self._looked_at

    def _erased(self, rows: pl.LazyFrame) -> Path:
        """Return a file of the rows whose numbers are erased: only a hash is left, which can't be texted."""
        file = self._folder / "erased.parquet"
        if not file.exists():
            erased = rows.filter(pl.col("e164").is_null())
            erased.select("chunk", "position", source=pl.lit(RowReason.FORGOTTEN.value)).sink_parquet(
                file, compression="lz4", engine="streaming"
            )
        return file

    def _join(self, rows: pl.LazyFrame, files: tuple[Path, ...]) -> Excluded:
        file = self._folder / f"excluded-{next(self._numbers)}.parquet"
        (
            leave_out(rows, *files)
            .filter(pl.col("status").is_not_null())
            .select("chunk", "position", pl.col("reason").alias(_REASON))
            .sort("chunk", "position")
            .sink_parquet(file, compression="lz4", row_group_size=_ROW_GROUP, engine="streaming")
        )
        chunks = pl.scan_parquet(file, glob=False).select(pl.col("chunk").unique()).collect(engine="streaming")
        if not chunks.height:
            file.unlink()
            return NOTHING_EXCLUDED
        return Excluded(file, frozenset(chunks["chunk"].to_list()))


def sendable_rows(plan: FrozenPlan) -> pl.LazyFrame:
    """Return the rows that the plan sends, with the columns that `leave_out` needs."""
    texts = ["message"] if plan.has_messages else []
    return plan.scan_numbers().select("chunk", "position", "region", "status", "reason", *texts, "e164")


def take_off(
    remaining: RemainingChunks, plan: FrozenPlan, excluded: Excluded, *, segments: int | None
) -> RemainingChunks:
    """Return what is left to present without the excluded rows; a chunk that loses all of its rows isn't left.

    `segments` is how many parts the text has that all numbers get; None where each row has its own.
    """
    hit = excluded.chunks.intersection(remaining.chunks)
    rows = excluded.rows()
    if not hit or rows is None:
        return remaining
    wanted = pl.LazyFrame({"chunk": sorted(hit)}, schema={"chunk": pl.UInt32})
    marked = excluded.mark(
        plan.scan().filter(pl.col("chunk").is_not_null()).join(wanted, on="chunk", how="semi", maintain_order="left")
    )
    parts = {int(chunk): history.left for chunk in hit if (history := remaining.histories.get(chunk)) and history.left}
    if parts:
        places = [(chunk, place) for chunk, left in parts.items() for portion in left for place in portion.positions]
        left = pl.LazyFrame(places, schema={"chunk": pl.UInt32, "position": pl.UInt16}, orient="row")
        marked = pl.concat(
            [
                marked.filter(~pl.col("chunk").is_in(list(parts))),
                marked.join(left, on=["chunk", "position"], how="semi"),
            ]
        )
    is_out = pl.col(_REASON).is_not_null()
    chunks, reasons = pl.collect_all(
        [
            marked.group_by("chunk").agg(
                out=is_out.sum(),
                all=pl.len(),
                parts=pl.col("segments").filter(is_out).sum() if segments is None else is_out.sum() * segments,
            ),
            marked.filter(is_out).group_by(_REASON).len().sort("len", _REASON, descending=[True, False]),
        ],
        engine="streaming",
    )
    gone = frozenset(chunks.filter(pl.col("out") == pl.col("all"))["chunk"].to_list())
    return replace(
        remaining,
        chunks=tuple(chunk for chunk in remaining.chunks if chunk not in gone),
        resent=tuple(chunk for chunk in remaining.resent if chunk not in gone),
        numbers=remaining.numbers - chunks["out"].sum(),
        parts=remaining.parts - chunks["parts"].sum(),
        left_out=dict(reasons.iter_rows()),
    )
