"""What `send` returns: how the run ended, shown as a page in a notebook, with the results to read on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from globe_sms.tasks.reports.campaign_outcome import CampaignOutcome
from globe_sms.tasks.reports.campaign_page import report_page
from globe_sms.tasks.reports.page_as_html import as_html
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.store.s3_access import S3Access, is_s3, split_uri


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport(CampaignOutcome):
    """A finished or stopped run of a campaign; `s3` gives access to its results where they are on S3."""

    s3: Callable[[], S3Access] = field(repr=False, compare=False)

    def results(self) -> pl.DataFrame:
        """Read the results parquet: one row per input row, with whole phone numbers."""
        if is_s3(self.uri):
            return pl.read_parquet(self.uri, glob=False, **self.s3().polars_options(split_uri(self.uri)[0]))
        return pl.read_parquet(Path(self.uri).expanduser(), glob=False)

    def _repr_markdown_(self) -> str:
        return as_markdown(report_page(self))

    def _repr_html_(self) -> str:
        return as_html(report_page(self))
