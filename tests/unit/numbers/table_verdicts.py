"""Recipients judged by a compiled table, as rows to compare."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from globe_sms.tasks.numbers.prefix_overrides import NO_OVERRIDES, Overrides
from globe_sms.tasks.numbers.validation import VERDICT_COLUMNS, Judge, add_verdicts


def rows_of(
    recipients: Sequence[str | None], default_region: str | None, folder: Path, overrides: Overrides = NO_OVERRIDES
) -> list[tuple[object, ...]]:
    """Judge by the table, however few they are, and give the verdicts as rows."""
    frame = pl.DataFrame({"recipient": recipients}, schema={"recipient": pl.String})
    way = Judge(default_region, overrides, worth_a_table=0, folder=folder)
    return add_verdicts(frame, way).select(*VERDICT_COLUMNS).rows()
