"""Finds what the ledger says of each row of the plan, by its chunk and its position.

Both are small and dense, so they are places in a table: a hash join takes ten times as long.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from globe_sms.tasks.results.ledger_answers import CHUNK_SCHEMA, POSITION_SCHEMA, Answers

_SAID: Final = tuple(name for name in CHUNK_SCHEMA if name != "chunk")
_OWN: Final = tuple(name for name in POSITION_SCHEMA if name not in {"chunk", "position"})
_FOUND: Final = {name: {**CHUNK_SCHEMA, **POSITION_SCHEMA}[name] for name in (*_SAID, *_OWN)}


def add_answers(rows: pl.LazyFrame, answers: Answers) -> pl.LazyFrame:
    """Add to rows of the plan what was said of their chunk, or of their part of it, and of themselves.

    These are the columns of `Answers`, null where the ledger says nothing.
    """
    looked_up = pl.struct("chunk", "position").map_batches(
        _Table(answers), return_dtype=pl.Struct(_FOUND), is_elementwise=True
    )
    return rows.with_columns(looked_up.alias("answer")).unnest("answer")


class _Table:
    """Looks up batches of chunk and position; thread-safe.

    Where a chunk was presented in parts, what was said of the row's part goes before what was said of the chunk.
    """

    def __init__(self, answers: Answers) -> None:
        chunks, portions, positions = answers.chunks, answers.portions, answers.positions
        self._width = max(_integers(frame["position"].max() for frame in (portions, positions)), default=0) + 1
        self._first = min(_integers(frame["chunk"].min() for frame in (chunks, portions, positions)), default=0)
        by_chunk = _rows_by_number(chunks.select(self._chunk()))
        by_portion = _rows_by_number(portions.select(self._number())) + chunks.height
        by_position = _rows_by_number(positions.select(self._number()))
        said = pl.concat([chunks.select(_SAID), portions.select(_SAID)])
        row = pl.coalesce(_gather(by_portion, "number"), _gather(by_chunk, "chunk"))
        self._rows = [row.alias("said"), _gather(by_position, "number").alias("own")]
        self._columns = [_gather(said[name], "said").alias(name) for name in _SAID]
        self._columns += [_gather(positions[name], "own").alias(name) for name in _OWN]

    def __call__(self, batch: pl.Series) -> pl.Series:
        """Return a struct of what is said of each row."""
        if batch.struct.field("chunk").null_count() == batch.len():  # a million duplicates, perhaps
            nothing = {name: pl.repeat(None, batch.len(), dtype=dtype, eager=True) for name, dtype in _FOUND.items()}
            return pl.DataFrame(nothing).to_struct(batch.name)
        numbered = batch.struct.unnest().select(self._chunk(), self._number())
        return numbered.select(self._rows).select(self._columns).to_struct(batch.name)

    def _chunk(self) -> pl.Expr:
        """Return the chunk, counted from the first that something is said of; null before it."""
        chunk = pl.col("chunk").cast(pl.Int64) - self._first
        return pl.when(chunk >= 0).then(chunk).alias("chunk")

    def _number(self) -> pl.Expr:
        """Return one number for chunk and position; null for positions that nothing is said of."""
        position = pl.col("position").cast(pl.Int64)
        return pl.when(position < self._width).then(self._chunk() * self._width + position).alias("number")


def _rows_by_number(numbers: pl.DataFrame) -> pl.Series:
    """Return the row of each number that a frame's only column has, by number; null for the others."""
    column = numbers.to_series()
    table = pl.repeat(None, max(_integers([column.max()]), default=-1) + 1, dtype=pl.UInt32, eager=True)
    return table.scatter(column, pl.int_range(column.len(), dtype=pl.UInt32, eager=True))


def _integers(values: Iterable[object]) -> Iterator[int]:
    return (value for value in values if isinstance(value, int))


def _gather(values: pl.Series, places: str) -> pl.Expr:
    return pl.lit(values).gather(places, null_on_oob=True)
