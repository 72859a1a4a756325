"""The figures of a report, counted from the results parquet without holding it in memory."""

from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.reports.campaign_report import CountryCount, FailedRow, Figures, ReasonCount
from globe_sms.tasks.vocabulary.masking import mask_numbers_in, mask_recipient
from globe_sms.tasks.vocabulary.statuses import Status

_SUMMED_UP: Final = (Status.DUPLICATE.value, Status.SUPPRESSED.value)
_PRESENTED: Final = (Status.ACCEPTED.value, Status.FAILED.value, Status.UNKNOWN.value, Status.NOT_SENT.value)
_BAD: Final = (Status.FAILED.value, Status.UNKNOWN.value)
_EXAMPLES: Final = 5
_MOST_EXAMPLES: Final = 50


def count_figures(path: Path) -> Figures:
    """Count the results by reason and by country, and read the first rows of each failure, masked."""
    rows = pl.scan_parquet(path, glob=False).with_columns(pl.col("status").cast(pl.String))
    reasons = tuple(
        ReasonCount(*counted)
        for counted in rows.group_by(
            "status", pl.when(~pl.col("status").is_in(_SUMMED_UP)).then(pl.col("reason")).alias("reason")
        )
        .len()
        # In the order of the design's table, as the results' enum has it.
        .sort(
            pl.col("status").cast(pl.Enum([str(status) for status in Status])),
            "len",
            "reason",
            descending=[False, True, False],
            nulls_last=True,
        )
        .collect(engine="streaming")
        .iter_rows()
    )
    failed = [reason for reason in reasons if reason.status in _BAD][: _MOST_EXAMPLES // _EXAMPLES]
    countries, *failures = pl.collect_all(
        [
            rows.filter(pl.col("status").is_in(_PRESENTED))
            .group_by("region")
            .agg(*((pl.col("status") == status).sum().alias(status) for status in _PRESENTED), pl.len())
            .sort("len", "region", descending=[True, False])
            .drop("len"),
            *(
                rows.filter(pl.col("status") == reason.status, pl.col("reason").eq_missing(pl.lit(reason.reason)))
                .select("status", "reason", "source", "row", "recipient", "response_description")
                .head(_EXAMPLES)
                for reason in failed
            ),
        ],
        engine="streaming",
        optimizations=pl.QueryOptFlags(comm_subplan_elim=False),  # it would keep the rows that the queries share
    )
    return Figures(
        reasons=reasons,
        countries=tuple(CountryCount(*counted) for counted in countries.iter_rows()),
        failures=tuple(
            FailedRow(status, reason, source, row, mask_recipient(recipient), mask_numbers_in(description or ""))
            for frame in failures
            for status, reason, source, row, recipient, description in frame.iter_rows()
        ),
    )
