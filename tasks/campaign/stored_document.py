"""What a results folder says of a campaign, for those who don't hold it."""

from collections.abc import Mapping
from typing import Any

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument
from globe_sms.tasks.store import Store


def settings_of(store: Store, campaign: str) -> Mapping[str, Any] | None:
    """Return the settings of a campaign's plan; None before the first plan.

    Raises:
        InputError: its document can't be read.
    """
    document = read_document(store, campaign)
    return None if document is None or document.plan is None else document.settings


def frozen_settings_of(store: Store, campaign: str) -> Mapping[str, Any] | None:
    """Return the settings that a run of the campaign must keep; None before the first claim.

    Raises:
        InputError: its document can't be read.
    """
    document = read_document(store, campaign)
    return None if document is None or document.sending_since is None else document.settings


def read_document(store: Store, campaign: str) -> CampaignDocument | None:
    """Read a campaign's document in a results folder; None if it doesn't exist.

    Raises:
        InputError: it can't be read.
    """
    folder = store.within(campaign)
    stored = folder.get(DOCUMENT_KEY)
    return None if stored is None else CampaignDocument.decode(stored.body, folder.uri)
