"""What the campaigns of a results folder have used of its budgets: from campaign.json, where it is summed up there.

A campaign whose last stretch isn't summed up, because it is under way or was killed, is counted from its plan and its
ledger. Of one that was summed up without the prices of the policy, the results are counted.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument, Usage
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.options.every_campaign import LONGEST_MESSAGE
from globe_sms.tasks.campaign.records_kept_locally import Spill, spill_folder
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.messages import Wording, parts_of
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.policy.count_usage import count_usage
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.row_reasons import RowReason

_READERS: Final = 32
_NOTHING: Final = Usage(quarters={})


class PlaceUsage:
    """Counts the usage of a results folder's campaigns; what it has counted of one from its ledger it keeps.

    Args:
        place: The results folder.
        scratch: A local folder with room for the plan and the results of a campaign.
        prices: Of the policy; None if no budget is about costs.
        since: Earlier texts don't count.
        environ: Names the folder of send records that the store didn't accept.
    """

    def __init__(
        self,
        place: Store,
        scratch: Path,
        prices: Prices | None,
        since: datetime,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._place = place
        self._scratch = scratch
        self._prices = prices
        self._since = since
        self._environ = environ
        self._counted: dict[tuple[str, str], Usage] = {}

    def of_all(self, but: Iterable[str]) -> Mapping[str, Usage]:
        """Return what each campaign but these has used.

        Raises:
            InputError: a campaign can't be read, so nobody knows what is left.
            StoreError: the store didn't answer, or refused.
        """
        left_out = {*but}
        names = [name for name in self._place.folders() if name[:1].isalnum() and name not in left_out]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="budgets") as pool:
            documents = list(pool.map(self._document, names))
        return {
            name: self.of(name, *document)
            for name, document in zip(names, documents, strict=True)
            if document is not None
        }

    def of(self, name: str, document: CampaignDocument, version: str) -> Usage:
        """Return what one campaign has used, given its campaign.json and the version of that.

        Raises:
            InputError, StoreError: as `of_all`.
        """
        usage = document.usage
        if usage is not None and (self._prices is None or usage.currency == self._prices.currency):
            return usage
        if document.sending_since is None or _was_killed_before(document, self._since):
            return _NOTHING
        if (name, version) not in self._counted:
            self._counted[name, version] = self._count(name, document)
        return self._counted[name, version]

    def _document(self, name: str) -> tuple[CampaignDocument, str] | None:
        folder = self._place.within(name)
        stored = folder.get(DOCUMENT_KEY)
        if stored is None:
            return None
        try:
            return CampaignDocument.decode(stored.body, folder.uri), stored.version
        except InputError as error:
            raise InputError(f"what is left of the policy's budgets isn't known: {error}") from None

    def _count(self, name: str, document: CampaignDocument) -> Usage:
        folder = self._place.within(name)
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            path = Path(scratch) / RESULTS_KEY
            if document.usage is None or not folder.fetch(RESULTS_KEY, path):
                path = self._from_ledger(folder, document, Path(scratch))
            return count_usage(pl.scan_parquet(path, glob=False), folder, self._prices)

    def _from_ledger(self, folder: Store, document: CampaignDocument, scratch: Path) -> Path:
        plan = None if document.plan is None else FrozenPlan.load(document.plan.id, folder, scratch)
        if plan is None:
            raise InputError(
                f"what is left of the policy's budgets isn't known: campaign {document.campaign!r} has texted people, "
                f"and its plan in {folder.uri} is gone. Restore the object."
            )
        text = _text_of(document)
        path, _ = account_for(
            plan,
            Ledger(folder, Spill(spill_folder(self._environ, Path.home()), folder.uri)),
            folder,
            scratch,
            campaign=document.campaign,
            not_sent=RowReason.STOPPED,
            segments=None if text is None else parts_of(text),
        )
        return path


def _was_killed_before(document: CampaignDocument, since: datetime) -> bool:
    return document.usage is None and document.lease is not None and document.lease.expires_at < since


def _text_of(document: CampaignDocument) -> str | None:
    """Return the text that all numbers of a campaign get; None if each has its own."""
    settings = document.settings
    return Wording.of(
        settings.get("message") or None,
        settings.get("message_column"),
        downgrade=bool(settings.get("downgrade", False)),
        max_characters=int(settings.get("max_characters", LONGEST_MESSAGE)),
    ).text
