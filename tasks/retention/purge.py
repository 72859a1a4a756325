"""Erases the campaigns of a results folder that ended long ago, and the receipts that were pushed by then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument
from globe_sms.tasks.campaign.campaigns_of_folder import read_each
from globe_sms.tasks.campaign.number_hashes import make_hashes, nothing_written
from globe_sms.tasks.retention.erase_campaign import ErasedObject, erase_campaign
from globe_sms.tasks.retention.erase_receipts import erase_receipts
from globe_sms.tasks.retention.erased_rows import Erasure, no_s3
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import CampaignBusyError
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.statuses import SENDABLE


@dataclass(frozen=True, slots=True)
class PurgedCampaign:
    """A campaign that ended before the time, and what of it is erased; `kept` says why nothing is, None if it is."""

    campaign: str
    ended_at: datetime
    objects: tuple[ErasedObject, ...] = ()
    kept: str | None = None


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge erased, or would erase.

    Attributes:
        applied: whether it was done.
        before: campaigns that ended before then are erased, and receipts that were pushed before then.
        campaigns: those that ended before then.
        receipts: the objects of receipts.
        already: how many campaigns had been erased before.
        lists: the recipient lists of the campaigns, which are the operator's.
    """

    applied: bool
    before: datetime
    campaigns: tuple[PurgedCampaign, ...]
    receipts: tuple[ErasedObject, ...]
    already: int
    lists: tuple[str, ...]

    @property
    def kept(self) -> tuple[PurgedCampaign, ...]:
        """The campaigns that stay as they are, each with the reason."""
        return tuple(each for each in self.campaigns if each.kept is not None)

    def sentences(self) -> list[str]:
        """Return what people should know, one sentence per line."""
        erased = [each for each in self.campaigns if each.kept is None]
        did = "erased" if self.applied else "would erase"
        said = [f"{each.campaign}, ended {each.ended_at:%Y-%m-%d}: {did} {_in_words(each.objects)}" for each in erased]
        said += [f"{each.campaign}, ended {each.ended_at:%Y-%m-%d}: kept, because {each.kept}" for each in self.kept]
        if self.receipts:
            said.append(f"delivery receipts: {did} {_in_words(self.receipts)}")
        if self.already:
            said.append(f"{counted(self.already, 'campaign')} had been erased before")
        if self.lists and erased:
            said.append(
                f"the recipient lists are yours, and aren't touched: delete {', '.join(self.lists)} if nobody needs "
                "them"
            )
        if not said:
            return [f"No campaign ended before {self.before:%Y-%m-%d %H:%M} UTC."]
        if not self.applied:
            said.append("Nothing was changed. To erase this for good, run the command again with --apply.")
        return said

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "applied": self.applied,
            "before": self.before.isoformat(),
            "campaigns": [
                {
                    "campaign": each.campaign,
                    "ended_at": each.ended_at.isoformat(),
                    "kept": each.kept,
                    "objects": [{"uri": found.uri, "rows": found.rows} for found in each.objects],
                }
                for each in self.campaigns
            ],
            "receipts": [{"uri": found.uri, "rows": found.rows} for found in self.receipts],
            "already": self.already,
            "lists": list(self.lists),
        }


def purge(
    place: Store,
    older_than: timedelta,
    scratch: Path,
    *,
    apply: bool,
    unfinished: bool = False,
    receipts: Sequence[Store] = (),
    now: datetime | None = None,
    s3: Callable[[], S3Access] = no_s3,
) -> Purge:
    """Erase the campaigns that ended longer ago than this. Run again, it goes on where it was killed.

    A campaign that is being sent is left alone, and so is one with rows that were never sent, unless `unfinished`: once
    erased, they never are.

    Args:
        place: The results folder.
        older_than: How long ago a campaign must have ended.
        scratch: A local folder with room for the plan or the results of a campaign, twice.
        apply: Whether to do it; otherwise it's only said what would be done.
        unfinished: Whether to erase campaigns that have rows left to send.
        receipts: Where delivery receipts are kept.
        now: The current time.
        s3: Gives the access to tables on S3 that have the campaigns' results.

    Raises:
        InputError: campaign.json of a campaign can't be read.
        StoreError: the store didn't answer, or refused; what was done stays done.
    """
    now = now or datetime.now(UTC)
    before = now - older_than
    erasure = Erasure(make_hashes(place) if apply else nothing_written(), s3=s3)
    found = read_each(place, lambda name: _ended(place, name))
    old = sorted((each for each in found if each[1] < before), key=lambda each: (each[1], each[0].campaign))
    campaigns: list[PurgedCampaign] = []
    lists: set[str] = set()
    already = 0
    for document, ended_at in old:
        if document.is_erased:
            already += 1
            continue
        kept = None if unfinished else _left(document)
        objects: list[ErasedObject] = []
        if kept is None:
            try:
                objects = erase_campaign(place, document.campaign, erasure, scratch, now=now, apply=apply)
            except CampaignBusyError:
                kept = "it is being sent"
            else:
                kept_here = f"{place.within(document.campaign).uri}/"
                lists |= {each.uri for each in document.lists or () if not each.uri.startswith(kept_here)}
        campaigns.append(PurgedCampaign(document.campaign, ended_at, tuple(objects), kept))
    pushed = [each for store in receipts for each in erase_receipts(store, erasure, before=before, apply=apply)]
    return Purge(apply, before, tuple(campaigns), tuple(pushed), already, tuple(sorted(lists)))


def _ended(place: Store, name: str) -> tuple[CampaignDocument, datetime] | None:
    """Return a campaign and when something last happened to its rows."""
    folder = place.within(name)
    stored = folder.get(DOCUMENT_KEY)
    if stored is None:
        return None
    document = CampaignDocument.decode(stored.body, folder.uri)
    if document.summary is not None and document.summary.ended_at is not None:
        return document, document.summary.ended_at
    return document, datetime.fromtimestamp(stored.modified, UTC)


def _left(document: CampaignDocument) -> str | None:
    """Return why a campaign isn't finished; None if it is, or if it never sent anything."""
    if document.sending_since is None or document.erased_at is not None:
        return None
    if document.summary is None or document.usage is None:
        rows = 0 if document.plan is None else document.plan.rows.get(SENDABLE, 0)
        return f"its run was killed before it sent all {counted(rows, 'row')}: run it again (or --unfinished)"
    left = document.left
    have = "hasn't" if left == 1 else "haven't"
    return f"{counted(left, 'row')} {have} been sent: run it again (or --unfinished)" if left else None


def _in_words(objects: Sequence[ErasedObject]) -> str:
    rows = sum(each.rows or 0 for each in objects)
    deleted = sum(each.rows is None for each in objects)
    also = f", and delete {counted(deleted, 'object')}" if deleted else ""
    return f"{counted(rows, 'row')} in {counted(len(objects) - deleted, 'object')}{also}"
