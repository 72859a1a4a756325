"""What `send` returns: how the run ended, shown as a page in a notebook, with the results to read on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.delivery.receipt_codes import is_permanent_failure
from globe_sms.tasks.reports.campaign_outcome import CampaignOutcome
from globe_sms.tasks.reports.campaign_page import report_page
from globe_sms.tasks.reports.page_as_html import as_html
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.store.s3_access import S3Access, is_s3, split_uri
from globe_sms.tasks.vocabulary.statuses import Delivery, Status

_FAILURES: Final = (Status.FAILED, Status.UNKNOWN)
_NOT_DELIVERED: Final = pl.col("delivery").is_in((Delivery.UNDELIVERED, Delivery.EXPIRED)).fill_null(value=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport(CampaignOutcome):
    """A finished or stopped run of a campaign; `s3` gives access to its results where they are on S3."""

    s3: Callable[[], S3Access] = field(repr=False, compare=False)

    def results(self) -> pl.DataFrame:
        """Read the results parquet: one row per input row, with whole phone numbers."""
        if is_s3(self.uri):
            return pl.read_parquet(self.uri, glob=False, **self.s3().polars_options(split_uri(self.uri)[0]))
        return pl.read_parquet(Path(self.uri).expanduser(), glob=False)

    def failures(self) -> pl.DataFrame:
        """Return the rows that were to be texted and weren't, or perhaps weren't: refused, unknown or not delivered."""
        return self.results().filter(pl.col("status").is_in(_FAILURES) | _NOT_DELIVERED)

    def retry_list(self) -> pl.DataFrame:
        """Return who may be texted again by a new campaign, as a list for it: phone, status, reason and code.

        These are rows that the gateway refused, and texts that weren't delivered for a reason that may pass. Rows that
        weren't sent aren't here, since the same campaign goes on with them, and nor are unknown ones: these people may
        have got the text.
        """
        rows = self.results().filter((pl.col("status") == Status.FAILED) | (_NOT_DELIVERED & ~is_permanent_failure()))
        code = pl.coalesce("delivery_code", "response_code")
        return rows.select(pl.col("phone_number").alias("phone"), "status", "reason", code.alias("code"))

    def _repr_markdown_(self) -> str:
        return as_markdown(report_page(self))

    def _repr_html_(self) -> str:
        return as_html(report_page(self))
