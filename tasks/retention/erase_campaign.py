"""Erases one campaign's numbers and texts, or one number of it, step by step so that a killed erasure can go on.

A campaign that is erased as a whole says so in campaign.json, and loses its text there, before the first object
changes; until its plan has changed, too, nobody compares it with others (`tasks.repeats`). Claims and send records have
no numbers: they know positions, ids, statuses and times, which stay.
"""

import contextlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import LISTS, PLANS, QUERIES, CampaignDocument
from globe_sms.tasks.campaign.config import wording_of
from globe_sms.tasks.campaign.number_hashes import MARK, NumberHashes
from globe_sms.tasks.campaign.results_schema import FAILURES_KEY, RESULTS_KEY
from globe_sms.tasks.campaign.setting_differences import OF_THE_TEXT
from globe_sms.tasks.campaign.stored_document import read_document
from globe_sms.tasks.delivery.archive import state_keys
from globe_sms.tasks.delivery.rewrite_results import EARLIER
from globe_sms.tasks.publishing.publish import Publisher, partition_uris
from globe_sms.tasks.retention.erased_rows import Erasure, erase_rows
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.stop_signal import StopSignal


@dataclass(frozen=True, slots=True)
class ErasedObject:
    """An object and how many of its rows were erased, or would be; it's deleted if `rows` is None."""

    uri: str
    rows: int | None


def erase_campaign(
    place: Store, campaign: str, erasure: Erasure, scratch: Path, *, now: datetime, apply: bool
) -> list[ErasedObject]:
    """Erase a number from a campaign, or all of them; return what that concerns. Without `apply` nothing is changed.

    It holds the campaign's lease, so no run sends it meanwhile.

    Raises:
        CampaignBusyError: it's being sent.
        InputError: its campaign.json can't be read.
        StoreError: the store didn't answer, or refused.
    """
    if not apply:
        document = read_document(place, campaign)
        is_sent = document is not None and document.sending_since is not None
        objects = list(_objects(place.within(campaign), erasure, scratch, apply=False, is_sent=is_sent))
        return objects if document is None else objects + _of_tables(document, objects)
    with _held(place, campaign) as held:
        if erasure.phone_number is not None:
            return _in_tables_too(place, held, erasure, scratch)
        if held.document.sending_since is None:
            return _delete_plan(held, erasure.hashes)
        if held.document.erased_at is None:
            held.update(erased_at=now, settings=_erased_settings(held.document, erasure.hashes), replaced=None)
        found = _in_tables_too(place, held, erasure, scratch)
        held.update(is_erased=True)
    return found


def _in_tables_too(place: Store, held: Campaign, erasure: Erasure, scratch: Path) -> list[ErasedObject]:
    """Erase the campaign's objects, then write its partitions of shared tables from what is left of its results."""
    if held.document.published:
        held.update(published=held.document.outdated_tables)
    is_sent = held.document.sending_since is not None
    objects = list(_objects(held.store, erasure, scratch, apply=True, is_sent=is_sent))
    objects += _of_tables(held.document, objects)
    results = scratch / "erased-results.parquet"
    if held.document.published and held.store.fetch(RESULTS_KEY, results):
        Publisher(place, erasure.s3, scratch).publish(held, results)
    return objects


def _of_tables(document: CampaignDocument, objects: Sequence[ErasedObject]) -> list[ErasedObject]:
    """Return the campaign's partitions of shared tables, if they have rows that its results lose, or have lost."""
    rows = next((each.rows for each in objects if each.uri.endswith(f"/{RESULTS_KEY}")), 0)
    is_behind = not all(each.is_current for each in document.published)
    return [ErasedObject(uri, rows) for uri in partition_uris(document)] if rows or is_behind else []


@contextlib.contextmanager
def _held(place: Store, campaign: str) -> Generator[Campaign]:
    document = read_document(place, campaign)
    with Campaign(place, campaign, stop=StopSignal()) as held:
        held.open({} if document is None else document.settings, patience=0.0)
        yield held


def _objects(store: Store, erasure: Erasure, scratch: Path, *, apply: bool, is_sent: bool) -> Iterator[ErasedObject]:
    """Erase the plan first: a run that begins after a killed erasure reads numbers from it.

    Lists that are kept in the folder aren't read any more once the campaign is being sent, so they are deleted with the
    first number; before that a query is asked again, but a frame must stay.
    """
    everything = erasure.phone_number is None
    keys = [*store.list(PLANS), *state_keys(store)]
    keys += [key for key in store.list(RESULTS_KEY) if key == RESULTS_KEY]
    earlier = list(store.list(EARLIER))
    found = everything
    for key in [*keys, *([] if everything else earlier)]:
        rows = erase_rows(store, key, erasure, scratch, apply=apply)
        if rows:
            found = True
            yield ErasedObject(f"{store.uri}/{key}", rows)
    # Copies: of lists, and of rows of the results, which the next run writes again.
    lists = LISTS if everything or is_sent else QUERIES
    copies = [*store.list(lists), *store.list(FAILURES_KEY)] if found else []
    for key in [*(earlier if everything else ()), *copies]:
        if apply:
            store.delete(key)
        yield ErasedObject(f"{store.uri}/{key}", None)


def _delete_plan(held: Campaign, hashes: NumberHashes) -> list[ErasedObject]:
    """Delete what a campaign has that never sent anything: the next run makes a plan of what the lists are then."""
    places = (PLANS, LISTS, EARLIER, RESULTS_KEY, FAILURES_KEY)
    keys = [key for place in places for key in held.store.list(place)]
    held.update(plan=None, replaced=None, settings=_erased_settings(held.document, hashes))
    for key in keys:
        held.store.delete(key)
    held.update(is_erased=True)
    return [ErasedObject(f"{held.store.uri}/{key}", None) for key in keys]


def _erased_settings(document: CampaignDocument, hashes: NumberHashes) -> dict[str, Any]:
    """Return the settings with a hash in place of the text; whether each got a text of their own is still known."""
    settings = dict(document.settings)
    message, column, *others = OF_THE_TEXT
    several = [settings.pop(name) for name in others if name in settings]
    if several:
        return settings | {message: None, column: MARK}
    if str(settings.get(message) or settings.get(column) or MARK).startswith(MARK):
        return settings
    text = wording_of(settings).text
    if text is None:
        return settings | {message: None, column: MARK}
    return settings | {message: hashes.text(text), column: None}
