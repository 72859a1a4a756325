"""The lineage of a campaign: its lists lead to its results, as assets for servers that show them.

Prefect's client sends assets as events of the task run that writes them. Source: docs.prefect.io, "How to use assets to
track workflow outputs".
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from prefect.assets import Asset
from pydantic import ValidationError

from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.numbers import validate_text
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.runs.tracking_run import TrackingRun
from globe_sms.tasks.store.s3_access import is_s3
from globe_sms.tasks.vocabulary.masking import mask_typed

_MOST_LISTS: Final = 100
_DIGITS: Final = re.compile(r"(?<![0-9a-f])(?:00)?([1-9][0-9]{6,14})(?![0-9a-f])", re.IGNORECASE)  # not of a hash


@dataclass(frozen=True, slots=True)
class Lineage:
    """The results that a run writes, and what they are made of; no results if they aren't on S3."""

    results: tuple[Asset, ...] = ()
    lists: tuple[Asset, ...] = ()


def lineage_of(run: object) -> Lineage:
    """Return the lineage of the results of a campaign's run or a tracking."""
    match run:
        case CampaignRun():
            return Lineage(assets_of(f"{run.store.uri}/{RESULTS_KEY}"), assets_of(*run.config.recipients[:_MOST_LISTS]))
        case TrackingRun():
            return Lineage(assets_of(f"{run.folder.uri}/{RESULTS_KEY}"))
        case _:
            return Lineage()


def assets_of(*uris: str) -> tuple[Asset, ...]:
    """Return assets for the URIs on S3 that may be the key of one; a URI with a phone number in it may not."""
    found: list[Asset] = []
    for uri in uris:
        if is_s3(uri) and mask_typed(uri) == uri and not _has_number(uri):
            try:
                found.append(Asset(key=uri))
            except ValidationError:  # a blank, a bracket, more than 512 characters
                continue
    return tuple(found)


def _has_number(uri: str) -> bool:
    """Whether digits of a URI can be a phone number; dates can't."""
    return any(validate_text(f"+{digits}", None).phone_number for digits in _DIGITS.findall(unquote(uri)))
