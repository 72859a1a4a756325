"""The rows of a results folder's campaigns as they are now, whether or not a run has written them.

A campaign whose last stretch is summed up has them in its results. One that is under way, or was killed, is accounted
for from its plan and its ledger.
"""

import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument
from globe_sms.tasks.campaign.campaigns_of_folder import read_each
from globe_sms.tasks.campaign.config import wording_of
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill, spill_folder
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.row_reasons import RowReason


@dataclass(frozen=True, slots=True)
class BegunCampaign:
    """A campaign of the results folder; `version` is that of its campaign.json."""

    name: str
    document: CampaignDocument
    version: str


class PlaceResults:
    """Reads the campaigns of a results folder.

    Args:
        place: The results folder.
        s3: Gives the access to S3.
        scratch: A local folder with room for the plan and the results of a campaign.
        environ: Names the folder of send records that the store didn't accept.
    """

    def __init__(
        self, place: Store, s3: Callable[[], S3Access], scratch: Path, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.place = place
        self._s3 = s3
        self._scratch = scratch
        self._environ = environ

    def campaigns(self, but: Iterable[str] = ()) -> tuple[BegunCampaign, ...]:
        """Return the campaigns that have begun to send, except these.

        Raises:
            InputError: campaign.json of one can't be read.
            StoreError: the store didn't answer, or refused.
        """
        return tuple(read_each(self.place, self._read, but={*but}))

    @contextmanager
    def rows(self, campaign: BegunCampaign) -> Generator[pl.LazyFrame]:
        """Yield a campaign's rows (`RESULTS_SCHEMA`); collect them inside.

        Raises:
            InputError: its plan is gone.
            StoreError: the store didn't answer, or refused.
        """
        folder = self.place.within(campaign.name)
        if campaign.document.usage is not None and next(iter(folder.list(RESULTS_KEY)), None) is not None:
            yield self._scan(campaign.name)
            return
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            yield pl.scan_parquet(self._account(folder, campaign.document, Path(scratch)), glob=False)

    def written_rows(self, campaign: BegunCampaign) -> pl.LazyFrame | None:
        """Return the rows as the last run or tracking wrote them, with what was delivered; None before that.

        Raises:
            StoreError: the store didn't answer, or refused.
        """
        folder = self.place.within(campaign.name)
        return None if next(iter(folder.list(RESULTS_KEY)), None) is None else self._scan(campaign.name)

    def _read(self, name: str) -> BegunCampaign | None:
        folder = self.place.within(name)
        stored = folder.get(DOCUMENT_KEY)
        if stored is None:
            return None
        document = CampaignDocument.decode(stored.body, folder.uri)
        return None if document.sending_since is None else BegunCampaign(name, document, stored.version)

    def _scan(self, name: str) -> pl.LazyFrame:
        """Read no more of the results than the columns that are asked for."""
        uri = f"{self.place.uri}/{name}/{RESULTS_KEY}"
        if uri.startswith("s3://"):
            options: dict[str, Any] = self._s3().polars_options()
            return pl.scan_parquet(uri, glob=False, **options)
        return pl.scan_parquet(Path(uri).expanduser(), glob=False)

    def _account(self, folder: Store, document: CampaignDocument, scratch: Path) -> Path:
        plan = None if document.plan is None else FrozenPlan.load(document.plan.id, folder, scratch)
        if plan is None:
            raise InputError(
                f"campaign {document.campaign!r} has texted people, but its plan in {folder.uri} is gone: restore the "
                "object."
            )
        path, _ = account_for(
            plan,
            Ledger(folder, Spill(spill_folder(self._environ, Path.home()), folder.uri)),
            folder,
            scratch,
            campaign=document.campaign,
            not_sent=RowReason.STOPPED,
            segments=wording_of(document.settings).parts,
        )
        return path
