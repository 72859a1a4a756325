"""Which numbers aren't worth a text: the last ones failed for good, in all campaigns of a results folder.

A failure counts if its code is known to be permanent (`tasks.delivery.receipt_codes`) and nothing was delivered to the
number since; so a number comes back by itself once a text reaches it. Only what `globe-sms track` has written into
results counts.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import number_or_hash
from globe_sms.tasks.campaign.results_schema import E164
from globe_sms.tasks.delivery.receipt_codes import is_permanent_failure
from globe_sms.tasks.policy.count_usage import QUARTER
from globe_sms.tasks.policy.erased_campaigns import with_hashes
from globe_sms.tasks.policy.place_results import BegunCampaign, PlaceResults
from globe_sms.tasks.policy.rules import Undeliverable
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Delivery

ROWS_AT_ONCE: Final = 1_000_000
_AT_ONCE: Final = 8
_ON_ITS_WAY: Final = timedelta(days=4)  # a receipt comes within 3 days
_AT: Final = pl.coalesce("delivered_at", "sent_at").alias("at")
_FAILURES: Final = pl.Schema({"e164": pl.Int64(), "at": pl.Datetime("us", "UTC"), "code": pl.String()})


@dataclass(frozen=True, slots=True)
class UndeliverableNow:
    """Who is undeliverable, looked up once a run: `files` returns the same files for the same rules.

    Args:
        results: Reads the campaigns of the results folder.
        campaign: The campaign that is about to send.
        folder: A local folder that stays as long as the files are used.
    """

    results: PlaceResults
    campaign: str
    folder: Path
    _found: dict[tuple[Undeliverable, ...], tuple[Path, ...]]

    @classmethod
    def of(cls, results: PlaceResults, campaign: str, folder: Path) -> "UndeliverableNow":
        """Return it; nothing is read yet."""
        return cls(results, campaign, folder, {})

    def files(self, rows: pl.LazyFrame, rules: Sequence[Undeliverable]) -> tuple[Path, ...]:
        """Return files for `leave_out`: which of these rows (e164) are undeliverable by one of the rules.

        Raises:
            InputError: results can't be read.
            StoreError: the store didn't answer, or refused.
        """
        key = tuple(rules)
        if key and key not in self._found:
            file = self.folder / f"undeliverable-{len(self._found)}.parquet"
            found = find_undeliverable(rows, rules, self.results, file, but=self.campaign)
            self._found[key] = () if found is None else (found,)
        return self._found.get(key, ())


def find_undeliverable(
    numbers: pl.LazyFrame,
    rules: Sequence[Undeliverable],
    results: PlaceResults,
    file: Path,
    *,
    but: str,
    now: datetime | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
) -> Path | None:
    """Write the numbers that are undeliverable to a file for `leave_out`; None if none is.

    Failures are rare, so they are read first; deliveries are looked up for those few numbers. Neither grows with the
    number of campaigns: of each number only as many failures are kept as a rule asks for.

    Args:
        numbers: What is about to be sent, with the column e164.
        rules: A number that one of them fits is left out.
        results: Reads the campaigns of the results folder.
        file: A local file.
        but: The campaign that is about to send.
        now: The current time.
        rows_at_once: How many failures are in memory before those of other numbers are dropped.

    Raises:
        InputError: results can't be read, so nobody knows who is undeliverable.
        StoreError: the store didn't answer, or refused.
    """
    now = now or datetime.now(UTC)
    starts = [now - timedelta(days=rule.days) for rule in rules]
    most = max(rule.failures for rule in rules)
    try:
        campaigns = [each for each in results.campaigns({but}) if _sent_since(each, min(starts) - _ON_ITS_WAY)]
        failures = _failures(numbers, campaigns, results, since=min(starts), most=most, rows_at_once=rows_at_once)
        if not failures.height:
            return None
        delivered = _delivered(failures, campaigns, results)
    except InputError as error:
        raise InputError(f"which numbers are undeliverable isn't known, so the campaign stops: {error}") from None
    since = failures.join(delivered, on="e164", how="left").filter(
        pl.col("delivered").is_null() | (pl.col("at") > pl.col("delivered"))
    )
    is_left_out = pl.any_horizontal(
        (pl.col("at") >= start).sum() >= rule.failures for rule, start in zip(rules, starts, strict=True)
    )
    found = (
        since.group_by("e164")
        .agg(is_left_out.alias("is_left_out"), code=pl.col("code").sort_by("at").last())
        .filter("is_left_out")
        .select("e164", source=pl.format("{}:{}", pl.lit(RowReason.UNDELIVERABLE.value), "code"))
        .sort("e164")
    )
    if not found.height:
        return None
    found.write_parquet(file, compression="lz4")
    return file


def _sent_since(campaign: BegunCampaign, since: datetime) -> bool:
    usage = campaign.document.usage
    return usage is None or any(datetime.fromisoformat(each) + QUARTER > since for each in usage.quarters)


def _failures(
    numbers: pl.LazyFrame,
    campaigns: Sequence[BegunCampaign],
    results: PlaceResults,
    *,
    since: datetime,
    most: int,
    rows_at_once: int,
) -> pl.DataFrame:
    """Return our numbers' permanent failures since then; only the latest ones are kept on the way."""
    ours: pl.DataFrame | None = None
    kept, waiting = pl.DataFrame(schema=_FAILURES), list[pl.DataFrame]()

    def read(rows: pl.LazyFrame, number: pl.Expr) -> pl.DataFrame:
        return (
            rows.filter(is_permanent_failure(), since <= _AT)
            .select(number, _AT, code="delivery_code")
            .collect(engine="streaming")
        )

    frames = _each(campaigns, results, read)
    while True:
        frame = next(frames, None)
        if frame is not None:
            waiting.append(frame)
        is_full = sum(each.height for each in waiting) >= rows_at_once
        if waiting and (frame is None or is_full):
            found = pl.concat(waiting)
            if found.height:
                if ours is None:
                    ours = numbers.select("e164").drop_nulls().unique().collect(engine="streaming")
                    ours = with_hashes(ours, campaigns, results.place)
                kept = _latest(pl.concat([kept, _of(found, ours)]), most)
            waiting = []
        if frame is None:
            return kept


def _latest(failures: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return the latest failures of each number, at most so many."""
    return failures.sort("at", descending=True).group_by("e164", maintain_order=True).head(most)


def _delivered(failures: pl.DataFrame, campaigns: Sequence[BegunCampaign], results: PlaceResults) -> pl.DataFrame:
    """Return when each of these numbers last got a text (e164, delivered)."""
    wanted = with_hashes(failures.select(pl.col("e164").unique()), campaigns, results.place)

    def read(rows: pl.LazyFrame, number: pl.Expr) -> pl.DataFrame:
        found = (
            rows.filter(pl.col("delivery").cast(pl.String) == Delivery.DELIVERED)
            .select(number, delivered=_AT)
            .join(wanted.lazy().select("key"), left_on="e164", right_on="key", how="semi")
            .collect(engine="streaming")
        )
        return _of(found, wanted)

    last = pl.DataFrame(schema={"e164": pl.Int64, "delivered": pl.Datetime("us", "UTC")})
    for frame in _each(campaigns, results, read):
        if frame.height:
            last = pl.concat([last, frame]).group_by("e164").agg(pl.col("delivered").max())
    return last


def _of(found: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of our numbers, by the number where the row has its hash."""
    return found.join(ours, left_on="e164", right_on="key").with_columns(e164="ours").drop("ours")


def _each(
    campaigns: Sequence[BegunCampaign], results: PlaceResults, read: Callable[[pl.LazyFrame, pl.Expr], pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """Read the results of each campaign, several at a time; a campaign without any has no deliveries."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="undeliverable") as pool:
        for at in range(0, len(campaigns), 2 * _AT_ONCE):
            batch = campaigns[at : at + 2 * _AT_ONCE]
            yield from (found for found in pool.map(partial(_read, results, read), batch) if found is not None)


def _read(
    results: PlaceResults, read: Callable[[pl.LazyFrame, pl.Expr], pl.DataFrame], campaign: BegunCampaign
) -> pl.DataFrame | None:
    rows = results.written_rows(campaign)
    return None if rows is None else read(rows, E164 if campaign.document.erased_at is None else number_or_hash())
