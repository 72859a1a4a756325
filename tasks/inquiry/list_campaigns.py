"""Lists the campaigns of a results folder, for `globe-sms campaigns`: one listing, and one small object for each."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Final

from globe_sms.tasks.campaign.campaigns_of_folder import campaign_folders
from globe_sms.tasks.campaign.lease import Owner
from globe_sms.tasks.inquiry.campaign_state import BrokenDocument, CampaignOverview, read_document
from globe_sms.tasks.store import Store

_READERS: Final = 32
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def read_campaigns(
    store: Store,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    here: Callable[[], Owner] = Owner.here,
) -> Sequence[CampaignOverview | BrokenDocument]:
    """Return the campaigns of a results folder, the latest first and broken ones last.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    names = campaign_folders(store)
    with ThreadPoolExecutor(_READERS) as pool:
        found = list(pool.map(partial(read_document, store, now=clock(), here=here()), names))
    return sorted((document for document in found if document is not None), key=_begun, reverse=True)


def _begun(document: CampaignOverview | BrokenDocument) -> datetime:
    return document.begun_at if isinstance(document, CampaignOverview) else _NEVER
