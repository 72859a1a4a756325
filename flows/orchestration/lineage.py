"""The lineage of a campaign: its lists lead to its results, as assets for servers that show them.

Prefect's client sends assets as events of the task run that writes them. Source: docs.prefect.io, "How to use assets to
track workflow outputs".
"""

from dataclasses import dataclass
from typing import Final

from prefect.assets import Asset
from pydantic import ValidationError

from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.runs.tracking_run import TrackingRun
from globe_sms.tasks.store.s3_access import is_s3
from globe_sms.tasks.vocabulary.masking import mask_typed

_MOST_LISTS: Final = 100


@dataclass(frozen=True, slots=True)
class Lineage:
    """The results that a run writes, and what they are made of; no results if they aren't on S3."""

    results: tuple[Asset, ...] = ()
    lists: tuple[Asset, ...] = ()


def lineage_of(run: object) -> Lineage:
    """Return the lineage of the results of a campaign's run or a tracking."""
    match run:
        case CampaignRun():
            return Lineage(_assets(f"{run.store.uri}/{RESULTS_KEY}"), _assets(*run.config.recipients[:_MOST_LISTS]))
        case TrackingRun():
            return Lineage(_assets(f"{run.folder.uri}/{RESULTS_KEY}"))
        case _:
            return Lineage()


def _assets(*uris: str) -> tuple[Asset, ...]:
    """Return assets for the URIs on S3 that may be the key of one; a URI with a number in it may not."""
    found: list[Asset] = []
    for uri in uris:
        if is_s3(uri) and mask_typed(uri) == uri:
            try:
                found.append(Asset(key=uri))
            except ValidationError:  # a blank, a bracket, more than 512 characters
                continue
    return tuple(found)
