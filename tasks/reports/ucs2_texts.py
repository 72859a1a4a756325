"""Which texts of a plan go out in UCS-2, 70 characters per part, and which characters are the cause."""

from dataclasses import dataclass

import polars as pl

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.messages import NOT_GSM, forcing_characters
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.reports.frequent_characters import MOST_CHARACTERS, frequent_characters
from globe_sms.tasks.vocabulary.statuses import SENDABLE


@dataclass(frozen=True, slots=True)
class Ucs2:
    """How many of the plan's texts go out in UCS-2, and the characters that cause it, the most frequent first."""

    texts: int
    characters: tuple[str, ...]


def count_ucs2(plan: FrozenPlan, config: CampaignConfig) -> Ucs2 | None:
    """Count the texts that can't be sent in GSM-7; None if all can."""
    text = config.wording.text
    if text is not None:
        forcing = forcing_characters([text])
        return Ucs2(plan.counts().get(SENDABLE, 0), forcing[:MOST_CHARACTERS]) if forcing else None
    found = pl.col("message").str.extract_all(NOT_GSM)
    rows = plan.scan().filter(pl.col("message").str.contains(NOT_GSM)).select(found.list.unique().alias("character"))
    count, characters = frequent_characters(rows)
    return Ucs2(count, characters) if count else None
