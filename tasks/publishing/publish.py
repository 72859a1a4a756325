"""Writes a campaign's partition of the shared table: `campaign=<id>/date=<day>/part.parquet`, replaced in one write.

The day is the one on which the sending began (UTC), so a resume or a tracking on a later day replaces the same object.
campaign.json keeps which tables a campaign is in, and whether they have its latest results: a run that was killed in
between leaves it to the next run or tracking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import CampaignDocument, Publication
from globe_sms.tasks.campaign.number_hashes import make_hashes
from globe_sms.tasks.campaign.options.results_table import PublishNumbers
from globe_sms.tasks.publishing.published_rows import published_rows
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, about

_OPTION: Final = "--publish"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes the campaigns of a results folder.

    Attributes:
        place: the results folder, whose key the hashes of numbers have.
        s3: gives the access to S3.
        scratch: a local folder with room for the results.
    """

    place: Store
    s3: Callable[[], S3Access]
    scratch: Path

    def tables_of(
        self, document: CampaignDocument, uri: str | None, numbers: PublishNumbers
    ) -> tuple[Publication, ...]:
        """Return the tables of a campaign that is about to write results, with the one that this run names (or None).

        None of them is current then. A campaign that has sent nothing is in no table, and neither is a test.

        Raises:
            InputError: the URI isn't a place for a table.
        """
        if document.sending_since is None or document.is_test:
            return ()
        tables = {each.uri: each for each in document.outdated_tables}
        if uri is not None:
            place = open_store(uri, self.s3, _OPTION).uri  # a directory's absolute path
            date = tables[place].date if place in tables else f"{document.sending_since:%Y-%m-%d}"
            tables[place] = Publication(uri=place, numbers=numbers.value, date=date)
        return tuple(tables.values())

    def publish(self, campaign: Campaign, results: Path) -> None:
        """Write a campaign's results into all tables that it's in, and note that they have them.

        It holds the campaign's lease, so an older version never replaces a newer one.

        Raises:
            StoreError: a table didn't answer, or refused; the others and the results are written.
        """
        document = campaign.document
        for publication in document.published:
            path = self.scratch / "published.parquet"
            numbers = PublishNumbers(publication.numbers)
            hashes = make_hashes(self.place) if numbers is PublishNumbers.HASHED else None
            rows = published_rows(pl.scan_parquet(results, glob=False), numbers, hashes)
            rows.sink_parquet(path, compression="zstd", engine="streaming")
            try:
                open_store(publication.uri, self.s3, _OPTION).put_file(
                    partition_key(document.campaign, publication), path
                )
            except (StoreError, InputError) as error:
                raise StoreError(
                    f"campaign {document.campaign!r} is accounted for in {campaign.store.uri}, but the table at "
                    f"{publication.uri} wasn't updated: {error} Run the same command again to update it."
                ) from None
            path.unlink()
        if any(not each.is_current for each in document.published):
            current = tuple(each.model_copy(update={"is_current": True}) for each in document.published)
            campaign.update(published=current)


@about(_OPTION)
def check_table(uri: str, s3: Callable[[], S3Access]) -> None:
    """Check that a table's place answers, before anything is sent for it.

    Raises:
        InputError: it isn't a place for a table, or doesn't answer.
    """
    try:
        next(iter(open_store(uri, s3, _OPTION).list("campaign=")), None)
    except StoreError as error:
        raise InputError(f"{_OPTION}: {error}") from None


def partition_key(campaign: str, publication: Publication) -> str:
    """Return where a campaign's partition is in a table."""
    return f"campaign={campaign}/date={publication.date}/part.parquet"


def partition_uris(document: CampaignDocument) -> tuple[str, ...]:
    """Return the URI of each of a campaign's partitions."""
    return tuple(f"{each.uri}/{partition_key(document.campaign, each)}" for each in document.published)
