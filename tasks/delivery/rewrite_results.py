"""Writes new delivery states into results.parquet, and keeps earlier versions."""

import contextlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import SETTLED_BY_RECEIPT
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.campaign.stored_document import settings_of
from globe_sms.tasks.delivery.apply_states import apply_states
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.mismatched_ids import OtherNumbers, other_numbers
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.statuses import DELIVERIES, STATUSES
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

# Writes a campaign's results (a local file) into its tables.
Publish = Callable[[Campaign, Path], None]

EARLIER: Final = "earlier/"
_KEPT_VERSIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The current results; `path` is a local copy, `changed` says whether anything in them is new."""

    path: Path
    changed: bool
    counts: Mapping[str, int]
    deliveries: Mapping[str, int]
    settled: int
    other_numbers: OtherNumbers | None = None


def rewrite_results(
    store: Store,
    campaign: str,
    scratch: Path,
    *,
    patience: float = 0.0,
    stop: StopSignal | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    publish: Publish | None = None,
) -> Rewritten:
    """Apply a campaign's archive to its results.

    It holds the campaign's lease while it writes, so it and a run of the campaign never overwrite each other; a run
    applies the archive itself when it ends. The old version is copied to `earlier/results-<UTC time>.parquet` (the last
    three are kept), then the new one replaces it in one write: readers see either the old or the new version.

    Args:
        store: the results folder, with the campaign's folder in it.
        campaign: its id.
        scratch: a local folder with room for two copies of the results.
        patience: how many seconds to wait for a run of the campaign to end.
        stop: ends the wait.
        clock: its time names the old version.
        publish: writes the new version into the tables that have the old one.

    Raises:
        InputError: the campaign doesn't exist, or has no results yet.
        CampaignBusyError: the campaign is being sent.
        StoreError: the store failed; the old version is still there.
    """
    folder = store.within(campaign)
    before, after = scratch / f"before-{RESULTS_KEY}", scratch / f"after-{RESULTS_KEY}"
    with _held(store, campaign, patience, stop or StopSignal()) as held:
        if not folder.fetch(RESULTS_KEY, before):
            raise InputError(
                f"{folder.uri} has no {RESULTS_KEY}, because the campaign hasn't finished: run it again first."
            )
        archive = DeliveryArchive(folder, scratch)
        results, states = pl.scan_parquet(before, glob=False), archive.put_together(campaign)
        rows = apply_states(results, states, campaign)
        rows.sink_parquet(after, compression="zstd", engine="streaming")
        changed = _known(before) != _known(after)
        others = other_numbers(pl.scan_parquet(after, glob=False), states)
        counts, deliveries = _count(after, "status", STATUSES), _count(after, "delivery", DELIVERIES)
        settled = pl.scan_parquet(after, glob=False).select(pl.col("settled_by").count()).collect().item()
        if changed:
            if held.document.published:
                held.update(published=held.document.outdated_tables)
            folder.put_file_if_absent(f"{EARLIER}results-{clock():%Y%m%dT%H%M%S%f}.parquet", before)
            folder.put_file(RESULTS_KEY, after)
            _forget_oldest(folder)
        known = {**deliveries, SETTLED_BY_RECEIPT: settled}
        if changed or (held.document.deliveries is not None and held.document.deliveries != known):
            summary = held.document.summary
            held.update(
                deliveries=known,
                summary=None if summary is None else summary.model_copy(update={"counts": counts}),
            )
        if publish is not None and not all(each.is_current for each in held.document.published):
            publish(held, after)
    return Rewritten(after, changed, counts, deliveries, settled, others)


@contextlib.contextmanager
def _held(store: Store, campaign: str, patience: float, stop: StopSignal) -> Generator[Campaign]:
    settings = settings_of(store, campaign)
    if settings is None:
        raise InputError(
            f"{store.uri} has no campaign {campaign!r} with a plan. Check --results and the campaign ID (globe-sms "
            "campaigns lists them)."
        )
    with Campaign(store, campaign, stop=stop) as held:
        held.open(settings, patience=patience)
        yield held


def _known(results: Path) -> tuple[Any, ...]:
    """Return figures that differ if the results have anything new, such as a corrected message id."""
    rows = pl.scan_parquet(results, glob=False)
    learned = rows.select(pl.col("message_id", "settled_by").count(), ids=pl.struct("row", "message_id").hash().sum())
    return tuple(learned.collect(engine="streaming").row(0)), _count(results, "delivery", DELIVERIES)


def _count(results: Path, column: str, values: tuple[str, ...]) -> dict[str, int]:
    counted = pl.scan_parquet(results, glob=False).group_by(pl.col(column).cast(pl.String)).len()
    found = dict(counted.collect(engine="streaming").iter_rows())
    return {value: int(found.get(value, 0)) for value in values}


def _forget_oldest(folder: Store) -> None:
    for key in [*folder.list(EARLIER)][:-_KEPT_VERSIONS]:
        folder.delete(key)
