"""Validates recipients with a compiled table, and returns rows to compare."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from globe_sms.tasks.numbers.prefix_overrides import NO_OVERRIDES, Overrides
from globe_sms.tasks.numbers.validation import VERDICT_COLUMNS, Validator, add_verdicts


def rows_of(
    recipients: Sequence[str | None], default_region: str | None, folder: Path, overrides: Overrides = NO_OVERRIDES
) -> list[tuple[object, ...]]:
    """Validate with the table, even for a few recipients, and return the verdicts as rows."""
    frame = pl.DataFrame({"recipient": recipients}, schema={"recipient": pl.String})
    validator = Validator(default_region, overrides, worth_a_table=0, folder=folder)
    return add_verdicts(frame, validator).select(*VERDICT_COLUMNS).rows()
