"""A campaign's rows in figures: by status and reason, by country, and the first rows of each failure.

They are counted from results.parquet without holding it in memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.reports.repeated_texts import count_repeats
from globe_sms.tasks.vocabulary.masking import mask_numbers_in, mask_recipient
from globe_sms.tasks.vocabulary.statuses import Status

_SUMMED_UP: Final = (Status.DUPLICATE.value, Status.SUPPRESSED.value)
_PRESENTED: Final = (Status.ACCEPTED.value, Status.FAILED.value, Status.UNKNOWN.value, Status.NOT_SENT.value)
_BAD: Final = (Status.FAILED.value, Status.UNKNOWN.value)
_EXAMPLES: Final = 5
_MOST_EXAMPLES: Final = 50


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows have a status for a reason. Duplicates and opt-outs are one count each, whatever their reasons."""

    status: str
    reason: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class CountryCount:
    """How many sendable rows of a region (ISO 3166 alpha-2) have which status."""

    region: str | None
    accepted: int
    failed: int
    unknown: int
    not_sent: int

    @property
    def rows(self) -> tuple[int, int, int, int]:
        """The counts, in the order of the fields."""
        return self.accepted, self.failed, self.unknown, self.not_sent


@dataclass(frozen=True, slots=True)
class VariantCount:
    """How many rows of a variant have which status."""

    variant: str
    accepted: int
    failed: int
    unknown: int
    not_sent: int


@dataclass(frozen=True, slots=True)
class FailedRow:
    """One of the first rows of a failure; recipient and description are masked, the first row is 0."""

    status: str
    reason: str | None
    source: str
    row: int
    recipient: str
    description: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The results, counted; `repeats` counts rows by the other campaign that they had the text from."""

    reasons: tuple[ReasonCount, ...]
    countries: tuple[CountryCount, ...]
    failures: tuple[FailedRow, ...]
    repeats: Mapping[str, int] = field(default_factory=dict[str, int])
    variants: tuple[VariantCount, ...] = ()


def count_figures(path: Path, *, by_variant: bool = False) -> Figures:
    """Count results.parquet by reason, country and perhaps variant, and read the first rows of each failure, masked."""
    rows = pl.scan_parquet(path, glob=False).with_columns(pl.col("status").cast(pl.String))
    reasons = tuple(
        ReasonCount(*counted)
        for counted in rows.group_by(
            "status", pl.when(~pl.col("status").is_in(_SUMMED_UP)).then(pl.col("reason")).alias("reason")
        )
        .len()
        # In the order of the enum in the results.
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
    presented = rows.filter(pl.col("status").is_in(_PRESENTED))
    by_status = [(pl.col("status") == status).sum().alias(status) for status in _PRESENTED]
    countries, *failures = pl.collect_all(
        [
            presented.group_by("region")
            .agg(*by_status, pl.len())
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
        optimizations=pl.QueryOptFlags(comm_subplan_elim=False),  # it would keep the shared rows in memory
    )
    return Figures(
        reasons=reasons,
        countries=tuple(CountryCount(*counted) for counted in countries.iter_rows()),
        failures=tuple(
            FailedRow(status, reason, source, row, mask_recipient(recipient), mask_numbers_in(description or ""))
            for frame in failures
            for status, reason, source, row, recipient, description in frame.iter_rows()
        ),
        variants=tuple(
            VariantCount(*counted)
            for counted in presented.filter(pl.col("variant").is_not_null())
            .group_by("variant")
            .agg(*by_status)
            .sort("variant")
            .collect(engine="streaming")
            .iter_rows()
        )
        if by_variant
        else (),
        repeats=count_repeats(rows) if any(reason.status == Status.SUPPRESSED for reason in reasons) else {},
    )
