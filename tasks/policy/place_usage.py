"""What the campaigns of a results folder have used of its budgets: from campaign.json, if it's summed up there.

Of a campaign whose last stretch isn't summed up, or was summed up without the prices of the policy, the rows are
counted.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from globe_sms.tasks.campaign.campaign_json import CampaignDocument, Usage
from globe_sms.tasks.policy.count_usage import count_usage
from globe_sms.tasks.policy.place_results import BegunCampaign, PlaceResults
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.vocabulary.errors import InputError


class PlaceUsage:
    """Counts what campaigns have used. It keeps what it has counted until the campaign goes on.

    Args:
        results: Reads the campaigns of the results folder.
        prices: Of the policy; None if no budget is about costs.
    """

    def __init__(self, results: PlaceResults, prices: Prices | None) -> None:
        self._results = results
        self._prices = prices
        self._counted: dict[tuple[str, str], Usage] = {}

    def since(self, start: datetime, but: Iterable[str] = ()) -> Mapping[str, Usage]:
        """Return what each campaign except these has used since then.

        Raises:
            InputError: a campaign can't be read, so nobody knows what is left.
            StoreError: the store didn't answer, or refused.
        """
        try:
            campaigns = self._results.campaigns(but)
            return {each.name: self._of(each) for each in campaigns if not _ended_before(each.document, start)}
        except InputError as error:
            raise InputError(f"what is left of the policy's budgets isn't known, so nothing is sent: {error}") from None

    def _of(self, campaign: BegunCampaign) -> Usage:
        usage = campaign.document.usage
        if usage is not None and (self._prices is None or usage.currency == self._prices.currency):
            return usage
        key = campaign.name, campaign.version
        if key not in self._counted:
            with self._results.rows(campaign) as rows:
                folder = self._results.place.within(campaign.name)
                self._counted[key] = count_usage(rows, folder, self._prices)
        return self._counted[key]


def _ended_before(document: CampaignDocument, start: datetime) -> bool:
    """Whether a campaign has sent nothing since then, by its usage or by when it was killed."""
    if document.usage is not None:
        return all(datetime.fromisoformat(quarter) < start for quarter in document.usage.quarters)
    return document.lease is not None and document.lease.expires_at < start
