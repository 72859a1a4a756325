"""Which campaigns of a results folder may have sent the same text lately: by campaign.json alone, one read each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument, plan_key
from globe_sms.tasks.campaign.campaigns_of_folder import read_each
from globe_sms.tasks.campaign.config import wording_of
from globe_sms.tasks.campaign.stored_document import read_document
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError

_QUARTER_SECONDS: Final = 900.0
_LEASE_SECONDS: Final = 60.0  # a run that sends writes campaign.json more often than that


@dataclass(frozen=True, slots=True)
class EarlierCampaign:
    """A campaign whose texts could be those of another one.

    Attributes:
        id: its id.
        texts: what its texts have in common.
        store: its folder.
        plan_key: where its plan is.
        is_erased: whether its numbers and texts are hashes.
    """

    id: str
    texts: TextPattern
    store: Store
    plan_key: str
    is_erased: bool = False


def find_earlier(place: Store, texts: TextPattern, since: float, but: str) -> Sequence[EarlierCampaign]:
    """Return the campaigns that may have sent one of these texts since then, the latest first.

    Erased ones among them are compared text by text: their settings tell only a hash.

    A run that sends renews its lease in campaign.json, so a campaign whose document is older has sent nothing since.

    Args:
        place: The results folder.
        texts: What is about to be sent.
        since: Unix time in seconds.
        but: The campaign that is about to send.

    Raises:
        InputError: the campaign.json of one that may have sent can't be read.
        StoreError: the store didn't answer, or refused.
    """
    found = read_each(place, lambda name: _read(place, name, texts, since), but={but})
    return [campaign for _, campaign in sorted(found, key=_modified)]


def planned_campaign(place: Store, campaign: str) -> EarlierCampaign | None:
    """Return a campaign with its current plan, whether it has sent or not; None without a plan.

    Raises:
        InputError: its campaign.json can't be read.
        StoreError: the store didn't answer, or refused.
    """
    document = read_document(place, campaign)
    return None if document is None else _earlier(place, document)


def _earlier(place: Store, document: CampaignDocument) -> EarlierCampaign | None:
    if document.plan is None:
        return None
    folder = place.within(document.campaign)
    texts = TextPattern.of(wording_of(document.settings))
    erased = document.erased_at is not None
    return EarlierCampaign(document.campaign, texts, folder, plan_key(document.plan.id), erased)


def _ended_before(document: CampaignDocument, since: float) -> bool:
    """Whether a campaign sent nothing since then, by what it used; erasing it has written its document again."""
    usage = document.usage
    return usage is not None and all(
        datetime.fromisoformat(quarter).timestamp() + _QUARTER_SECONDS < since for quarter in usage.quarters
    )


def _modified(found: tuple[float, EarlierCampaign]) -> tuple[float, str]:
    return -found[0], found[1].id


def _read(place: Store, name: str, texts: TextPattern, since: float) -> tuple[float, EarlierCampaign] | None:
    stored = place.within(name).get(DOCUMENT_KEY)
    if stored is None or stored.modified < since - _LEASE_SECONDS:
        return None
    try:
        document = CampaignDocument.decode(stored.body, f"{place.uri}/{name}")
        if document.sending_since is None or document.is_test:
            return None  # before its first claim, sending_since is set, and plan and settings are frozen
        earlier = _earlier(place, document)
    except InputError as error:
        raise InputError(
            f"whether people already have this text is unknown, because campaign {name!r} can't be read: {error} "
            "--repeat-after 0 sends without looking at other campaigns."
        ) from None
    if earlier is not None and earlier.is_erased and _ended_before(document, since):
        return None
    is_possible = earlier is not None and (earlier.is_erased or texts.may_equal(earlier.texts))
    return (stored.modified, earlier) if earlier is not None and is_possible else None
