"""Which markers of a missing value, such as NULL, the lists have where a text takes a value."""

from dataclasses import dataclass

import polars as pl

from globe_sms.tasks.messages import NULL_MARKER
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.vocabulary.plurals import counted


@dataclass(frozen=True, slots=True)
class NullMarkers:
    """How many rows have each marker, the most frequent first."""

    rows: tuple[tuple[str, int], ...]

    def sentence(self) -> str:
        """Say it in two sentences."""
        shown = ", ".join(f"{marker} ({rows:,})" for marker, rows in self.rows)
        where = counted(sum(rows for _, rows in self.rows), "row")
        counted_as = f"Markers of a missing value count as empty in {where}"
        return f"{counted_as}: {shown}. --keep-null-markers sends them as they are."


def count_null_markers(plan: FrozenPlan) -> NullMarkers | None:
    """Count a plan's rows by their marker; None if no row has one."""
    if not plan.has_messages:
        return None
    marked = plan.scan().filter(pl.col(NULL_MARKER).is_not_null()).group_by(NULL_MARKER).len()
    rows = marked.sort("len", NULL_MARKER, descending=[True, False]).collect(engine="streaming").rows()
    return NullMarkers(tuple((marker, count) for marker, count in rows)) if rows else None
