"""Lists the campaigns of a results folder, for `globe-sms campaigns`: one listing, and one small object for each."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from globe_sms.tasks.campaign.campaigns_of_folder import read_each
from globe_sms.tasks.campaign.lease import Owner
from globe_sms.tasks.inquiry.campaign_state import BrokenDocument, CampaignOverview, read_overview
from globe_sms.tasks.store import Store

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
    found = read_each(store, partial(read_overview, store, now=clock(), here=here()))
    return sorted(found, key=_begun, reverse=True)


def _begun(document: CampaignOverview | BrokenDocument) -> datetime:
    return document.begun_at if isinstance(document, CampaignOverview) else _NEVER
