"""Which numbers have had as many texts lately as the policy allows, from all campaigns of a results folder together.

Accepted and unknown texts count, and those of a killed run; codes (OTP), tests and refused texts don't. What a campaign
still has to send counts, too, if it's being sent and began before this one.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import number_or_hash
from globe_sms.tasks.campaign.results_schema import E164
from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.policy.count_usage import QUARTER, presented_at
from globe_sms.tasks.policy.erased_campaigns import with_hashes
from globe_sms.tasks.policy.place_results import BegunCampaign, PlaceResults
from globe_sms.tasks.policy.rules import Frequency
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

_MAY_HAVE_GOT_IT: Final = (Status.ACCEPTED, Status.UNKNOWN)


def texted_too_often(
    numbers: pl.LazyFrame,
    rules: Sequence[Frequency],
    results: PlaceResults,
    file: Path,
    *,
    but: str,
    ahead: Collection[str] = (),
    now: datetime | None = None,
) -> Path | None:
    """Write the numbers that may not get another text to a file for `leave_out`; None if all may.

    Campaigns are read one after the other, so memory stays level however many there are.

    Args:
        numbers: What is about to be sent, with the column e164.
        rules: How many texts a number may get in how many days.
        results: Reads the campaigns of the results folder.
        file: A local file.
        but: The campaign that is about to send.
        ahead: Campaigns that are being sent and began before it.
        now: The current time.

    Raises:
        InputError: a campaign can't be read, so nobody knows who was texted.
        StoreError: the store didn't answer, or refused.
    """
    now = now or datetime.now(UTC)
    ours = numbers.select("e164").drop_nulls().unique().collect(engine="streaming")
    columns = [f"rule-{place}" for place in range(len(rules))]
    starts = [now - timedelta(days=rule.days) for rule in rules]
    counts = pl.DataFrame(schema={"e164": pl.Int64, **dict.fromkeys(columns, pl.UInt32)})
    try:
        campaigns = [each for each in results.campaigns({but}) if _counts(each, min(starts))]
        ours = with_hashes(ours, campaigns, results.place)
        for campaign in campaigns:
            texted = _texted(campaign, results, ours, starts, columns, waits=campaign.name in ahead)
            counts = pl.concat([counts, texted]).group_by("e164").agg(pl.col(columns).sum())
    except InputError as error:
        raise InputError(
            f"how often people were texted lately isn't known, so the policy's frequency stops the campaign: {error}"
        ) from None
    is_full = pl.any_horizontal(pl.col(name) >= rule.texts for name, rule in zip(columns, rules, strict=True))
    found = counts.filter(is_full).select("e164", source=pl.lit(RowReason.FREQUENCY.value)).sort("e164")
    if not found.height:
        return None
    found.write_parquet(file, compression="lz4")
    return file


def _counts(campaign: BegunCampaign, since: datetime) -> bool:
    """Whether a campaign's texts count, and some may have gone out since then."""
    document = campaign.document
    if document.settings.get("type") == MessageType.OTP or document.is_test:
        return False
    return document.usage is None or any(
        datetime.fromisoformat(each) + QUARTER > since for each in document.usage.quarters
    )


def _texted(
    campaign: BegunCampaign,
    results: PlaceResults,
    ours: pl.DataFrame,
    starts: Sequence[datetime],
    columns: Sequence[str],
    *,
    waits: bool,
) -> pl.DataFrame:
    """Return our numbers that a campaign texted; for each rule 1 if it did so within the rule's days, else 0."""
    status = pl.col("status").cast(pl.String)
    is_left = status.is_in([Status.NOT_SENT] if waits else []) & (pl.col("reason") != RowReason.HOLDOUT)
    with results.rows(campaign) as rows:
        at = presented_at(rows, results.place.within(campaign.name))
        return (
            rows.filter(status.is_in(_MAY_HAVE_GOT_IT) | is_left)
            .select(
                number_or_hash() if campaign.document.erased_at is not None else E164,
                **{
                    name: (is_left | (at >= start)).fill_null(value=True).cast(pl.UInt32)
                    for name, start in zip(columns, starts, strict=True)
                },
            )
            .join(ours.lazy(), left_on="e164", right_on="key")
            .select(pl.col("ours").alias("e164"), *columns)
            .collect(engine="streaming")
        )
