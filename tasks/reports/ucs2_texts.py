"""Which texts of a plan go out in UCS-2, 70 characters per part, and which characters are the cause."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.messages import NOT_GSM, forcing_characters
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.vocabulary.statuses import SENDABLE

_MOST_CHARACTERS: Final = 10


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
        return Ucs2(plan.counts().get(SENDABLE, 0), forcing[:_MOST_CHARACTERS]) if forcing else None
    found = pl.col("message").str.extract_all(NOT_GSM)
    rows = plan.scan().filter(pl.col("message").str.contains(NOT_GSM)).select(found.list.unique().alias("character"))
    count, characters = pl.collect_all(
        [
            rows.select(pl.len()),
            rows.explode("character")
            .group_by("character")
            .len()
            .sort("len", "character", descending=[True, False])
            .head(_MOST_CHARACTERS),
        ],
        engine="streaming",
    )
    return Ucs2(count.item(), tuple(characters["character"])) if count.item() else None
