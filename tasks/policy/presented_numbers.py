"""What other campaigns of a results folder presented to some numbers, for receipts that don't name their call."""

from datetime import datetime

import polars as pl

from globe_sms.tasks.delivery.receipts_without_task import OTHERS
from globe_sms.tasks.policy.count_usage import QUARTER
from globe_sms.tasks.policy.place_results import BegunCampaign, PlaceResults
from globe_sms.tasks.vocabulary.statuses import Status


def find_presented(results: PlaceResults, candidates: pl.DataFrame, since: datetime, *, but: str) -> pl.DataFrame:
    """Return (`OTHERS`) what campaigns presented to these numbers since then, or got these message ids for.

    Campaigns are read one after the other, so memory stays level however many there are.

    Args:
        results: Reads the campaigns of the results folder.
        candidates: phone_number and message_id of receipts.
        since: Campaigns that have sent nothing since then aren't read.
        but: The campaign that the receipts may belong to.

    Raises:
        InputError: a campaign can't be read.
        StoreError: the store didn't answer, or refused.
    """
    numbers, ids = candidates["phone_number"].unique().implode(), candidates["message_id"].unique().implode()
    found = [pl.DataFrame(schema=OTHERS)]
    for campaign in results.campaigns({but}):
        if not _sent_since(campaign, since):
            continue
        with results.rows(campaign) as rows:
            found.append(
                rows.filter(
                    pl.col("status").cast(pl.String).is_in([Status.ACCEPTED, Status.UNKNOWN]),
                    pl.col("phone_number").is_in(numbers) | pl.col("message_id").is_in(ids).fill_null(value=False),
                )
                .select("phone_number", "message_id", "sent_at", pl.lit(campaign.name).alias("campaign"))
                .collect(engine="streaming")
            )
    return pl.concat(found)


def _sent_since(campaign: BegunCampaign, since: datetime) -> bool:
    usage = campaign.document.usage
    return usage is None or any(datetime.fromisoformat(each) + QUARTER > since for each in usage.quarters)
