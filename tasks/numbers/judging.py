"""A whole list judged: one column of recipients in, four columns of verdicts out."""

from typing import Final, TypeVar

import polars as pl

from tasks.numbers.reference import checked_region, judge_text
from tasks.statuses import STATUSES

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

RECIPIENT: Final = "recipient"
VERDICT_COLUMNS: Final[dict[str, pl.DataType]] = {
    "phone_number": pl.String(),
    "region": pl.String(),
    "status": pl.Enum(STATUSES),
    "reason": pl.String(),
}
_VERDICT: Final = "__verdict"


def judge(frame: Frame, *, default_region: str | None) -> Frame:
    """Add `phone_number`, `region`, `status` and `reason` to a frame with the column `recipient` (String).

    `status` is null where a text can be sent; `phone_number` and `region` are set for every valid number. Columns of
    these names are replaced. A lazy frame stays lazy and goes through the streaming engine a batch at a time.

    Raises:
        InputError: libphonenumber knows no such default region.
    """
    region = checked_region(default_region)

    def verdicts(recipients: pl.Series) -> pl.Series:
        return judge_uniques(recipients, region)

    judged = pl.col(RECIPIENT).map_batches(verdicts, return_dtype=pl.Struct(VERDICT_COLUMNS), is_elementwise=True)
    return (
        frame.with_columns(judged.alias(_VERDICT))
        .with_columns(pl.col(_VERDICT).struct.field(name) for name in VERDICT_COLUMNS)
        .drop(_VERDICT)
    )


def judge_uniques(recipients: pl.Series, default_region: str | None) -> pl.Series:
    """Judge each different text once by libphonenumber and return one struct of the verdict columns a row."""
    texts = recipients.unique()
    verdicts = [judge_text(text, default_region) for text in texts]
    table = pl.DataFrame(
        {
            RECIPIENT: texts,
            "phone_number": [verdict.phone_number for verdict in verdicts],
            "region": [verdict.region for verdict in verdicts],
            "status": [verdict.status for verdict in verdicts],
            "reason": [verdict.reason for verdict in verdicts],
        },
        schema={RECIPIENT: pl.String(), **VERDICT_COLUMNS},
    )
    rows = recipients.to_frame(RECIPIENT).join(table, on=RECIPIENT, how="left", nulls_equal=True, maintain_order="left")
    return rows.select(pl.struct(*VERDICT_COLUMNS)).to_series()
