"""Works out what delivery receipts prove about a campaign's unknown rows, and what stays unknown.

A receipt proves that the gateway accepted the number: `tasks.delivery.apply_states` makes its row accepted. A missing
receipt proves nothing, because some get lost. So if some numbers of a chunk have receipts, the chunk was accepted, and
its other rows stay unknown; to text those again, somebody must start another campaign for them.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.ledger import entries_of
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY, RESULTS_SCHEMA
from globe_sms.tasks.campaign.task_ids import chunk_of_task
from globe_sms.tasks.delivery.apply_states import apply_states
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.receipt_bookmarks import Marks
from globe_sms.tasks.delivery.receipt_objects import find_receipts
from globe_sms.tasks.delivery.receipts import CampaignReader
from globe_sms.tasks.delivery.receipts_reading import Reading
from globe_sms.tasks.delivery.receipts_without_task import (
    OPEN_ROWS,
    FindOthers,
    no_others,
    settle_without_task,
)
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.statuses import Delivery, Status

DEFAULT_SETTLE_AFTER: Final = timedelta(hours=72)
_MOST_NAMED: Final = 20
_ONE_PRESENTATION: Final = ("chunk", "request_id", "sent_at")  # a chunk may have been presented in parts
_PAIRED: Final = pl.col("message_id").is_not_null() & pl.col("settled_by").is_null()


@dataclass(frozen=True, slots=True)
class OpenChunk:
    """A chunk, or a part of one that was presented by itself, with unknown rows.

    `heard_of` is how many of its rows have a final state.
    """

    chunk: int
    rows: int
    heard_of: int
    unknown: int
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What the receipts of a campaign prove so far.

    `settled` is how many rows changed from unknown to accepted, over all readings; `paired` how many accepted rows get
    their message id now. The chunks have unknown rows and were sent longer than `settle_after` ago: `half_settled`
    ones were accepted, `silent` ones have no receipt at all. `waiting` counts the unknown rows that were sent later.
    `asked` is whether receipts were looked for; if not, none counts as missing.
    """

    settled: int = 0
    paired: int = 0
    waiting: int = 0
    half_settled: tuple[OpenChunk, ...] = ()
    silent: tuple[OpenChunk, ...] = ()
    settle_after: timedelta = DEFAULT_SETTLE_AFTER
    reading: Reading = field(default_factory=Reading)
    asked: bool = False

    def sentences(self) -> list[str]:
        """Return what people should know and can do, one sentence per line."""
        hours = f"{self.settle_after / timedelta(hours=1):g} h"
        said = self.reading.sentences() if self.asked else []
        if self.settled:
            said.append(
                f"{counted(self.settled, 'row')} changed from unknown to accepted: receipts show that the "
                "gateway took them"
            )
        if self.paired:
            said.append(f"{counted(self.paired, 'accepted row')} got a message id from receipts")
        if not self.asked and (unknown := self.waiting + sum(chunk.unknown for chunk in self.silent)):
            said.append(
                f"{counted(unknown, 'unknown row')}: delivery receipts (--receipts) show which the gateway accepted"
            )
        if self.waiting and self.asked:
            said.append(f"{counted(self.waiting, 'unknown row')} sent less than {hours} ago: receipts may still come")
        if self.half_settled:
            unknown = sum(chunk.unknown for chunk in self.half_settled)
            said.append(
                f"the gateway accepted {counted(len(self.half_settled), 'chunk')}, but {hours} after sending, "
                f"{counted(unknown, 'number')} in them still had no receipt: these rows stay unknown, and resending "
                "unknown rows (--on-unknown resend) leaves such chunks alone. To text these numbers again, send them "
                "another campaign; some may then get the text twice"
            )
            said.extend(_by_chunk(self.half_settled))
        if self.silent and self.asked:
            unknown = sum(chunk.unknown for chunk in self.silent)
            said.append(
                f"no receipts at all for {counted(len(self.silent), 'chunk')}, {hours} after sending: "
                f"{counted(unknown, 'unknown number')}. If receipts came for the rest of the campaign, the gateway "
                "most likely didn't accept these chunks: to send them, run the campaign again and resend unknown rows "
                "(--on-unknown resend)"
            )
            said.extend(_by_chunk(self.silent))
        return said

    def as_json(self) -> dict[str, Any]:
        """Return the counts and the chunks for `--json`."""
        reading = self.reading
        return {
            "settled": self.settled,
            "paired": self.paired,
            "waiting": self.waiting,
            "half_settled": [_chunk_json(chunk) for chunk in self.half_settled],
            "silent": [_chunk_json(chunk) for chunk in self.silent],
            "receipts": {
                "objects": reading.objects,
                "already_read": reading.already_read,
                "read": reading.receipts,
                "of_campaign": reading.of_campaign,
                "domestic": reading.domestic,
                "replies": reading.replies,
                "without_task": reading.without_task,
                "in_doubt": sum(reading.doubts.values()),
                "junk_lines": reading.junk_lines,
                "unreadable_objects": reading.unreadable + reading.unattempted,
            },
        }


def reconcile(
    store: Store,
    archive: DeliveryArchive,
    uris: Sequence[str],
    *,
    campaign: str,
    s3: Callable[[], S3Access],
    scratch: Path,
    settle_after: timedelta = DEFAULT_SETTLE_AFTER,
    find_others: FindOthers = no_others,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Reconciled:
    """Read new receipts into the archive, and return what they prove.

    This doesn't write the results: `tasks.delivery.rewrite_results` does, from the archive. Running it twice, or in two
    processes at once, does no harm: the archive counts each message once.

    Args:
        store: the campaign's folder.
        archive: its archive.
        uris: where the receipts are; with none, only the archive counts.
        campaign: its id.
        s3: gives access to S3; called only if a URI is on S3.
        scratch: a local folder with room for the results.
        settle_after: how long after sending a receipt counts as missing.
        find_others: finds what other campaigns presented, for receipts without a TaskId.
        clock: the current time.

    Raises:
        InputError: a URI of receipts can't be listed.
        StoreError: the store failed; what was read so far is read again next time.
    """
    now = clock()
    results = _results(store, scratch)
    reading = Reading()
    if uris:
        _read(
            store,
            archive,
            uris,
            campaign=campaign,
            results=results,
            reading=reading,
            s3=s3,
            find_others=find_others,
            now=now,
        )
    states = archive.put_together(campaign)
    after = apply_states(results, states, campaign)
    chunks = (
        after.filter(pl.col("chunk").is_not_null())
        .group_by(_ONE_PRESENTATION)
        .agg(
            rows=pl.len(),
            heard_of=(pl.col("delivery").is_not_null() & (pl.col("delivery") != Delivery.PENDING)).sum(),
            unknown=(pl.col("status") == Status.UNKNOWN).sum(),
            settled=pl.col("settled_by").is_not_null().sum(),
            paired=_PAIRED.sum(),
        )
        .sort("chunk", "sent_at")
        .collect(engine="streaming")
    )
    before = results.select(_PAIRED.sum()).collect(engine="streaming").item()
    open_chunks = [
        OpenChunk(row["chunk"], row["rows"], row["heard_of"], row["unknown"], row["sent_at"])
        for row in chunks.filter(pl.col("unknown") > 0).iter_rows(named=True)
    ]
    dated = _dated(open_chunks, store, states, campaign)
    due = [chunk for chunk in dated if chunk.sent_at is None or now - chunk.sent_at >= settle_after]
    return Reconciled(
        settled=int(chunks["settled"].sum()),
        paired=max(0, int(chunks["paired"].sum()) - before),
        waiting=sum(chunk.unknown for chunk in dated) - sum(chunk.unknown for chunk in due),
        half_settled=tuple(chunk for chunk in due if chunk.heard_of),
        silent=tuple(chunk for chunk in due if not chunk.heard_of),
        settle_after=settle_after,
        reading=reading,
        asked=bool(uris),
    )


def _results(store: Store, scratch: Path) -> pl.LazyFrame:
    path = scratch / f"settled-{RESULTS_KEY}"
    if not store.fetch(RESULTS_KEY, path):
        return pl.LazyFrame(schema=RESULTS_SCHEMA)
    return pl.scan_parquet(path, glob=False)


def _read(
    store: Store,
    archive: DeliveryArchive,
    uris: Sequence[str],
    *,
    campaign: str,
    results: pl.LazyFrame,
    reading: Reading,
    s3: Callable[[], S3Access],
    find_others: FindOthers,
    now: datetime,
) -> None:
    places, reading.nothing_at = find_receipts(uris, s3)
    message_ids = results.select(pl.col("message_id").drop_nulls()).collect(engine="streaming")
    known = (
        archive.scan()
        .filter((pl.col("delivery") != Delivery.PENDING) & pl.col("task_id").is_not_null())
        .select("message_id")
        .collect(engine="streaming")
    )
    marks = Marks(store, clock=lambda: now)
    open_rows = (
        results.filter(
            pl.col("status").cast(pl.String) == Status.UNKNOWN,
            pl.col("message_id").is_null(),
            pl.col("chunk").is_not_null(),
        )
        .select(OPEN_ROWS.names())
        .collect(engine="streaming")
    )
    unread = marks.unread(list(places.values()), message_ids.height + open_rows.height)
    reading.already_read = len(places) - len(unread)
    reader = CampaignReader(
        campaign,
        message_ids,
        known,
        seen_at=now,
        keep=archive.append,
        reading=reading,
        open_rows=open_rows,
        settle=lambda candidates: settle_without_task(
            candidates, open_rows, store=store, campaign=campaign, find_others=find_others
        ),
    )
    marks.add(reader.read(unread, s3))


def _dated(chunks: Sequence[OpenChunk], store: Store, states: pl.LazyFrame, campaign: str) -> list[OpenChunk]:
    """Fill in when chunks without a send record were sent, from a delivery receipt or from their claim."""
    undated = {chunk.chunk for chunk in chunks if chunk.sent_at is None}
    if not undated:
        return list(chunks)
    submitted = (
        states.with_columns(chunk=chunk_of_task(campaign))
        .filter(pl.col("chunk").is_in(sorted(undated)))
        .group_by("chunk")
        .agg(pl.coalesce(pl.col("submitted_at").min(), pl.col("seen_at").min()))
        .collect()
    )
    dates: dict[int, datetime] = dict(submitted.iter_rows())
    for chunk in sorted(undated - dates.keys()):
        claims = [each.claim.claimed_at for each in entries_of(store, chunk)]
        if claims:
            dates[chunk] = datetime.fromtimestamp(max(claims), UTC)
    return [replace(chunk, sent_at=chunk.sent_at or dates.get(chunk.chunk)) for chunk in chunks]


def _by_chunk(chunks: Sequence[OpenChunk]) -> list[str]:
    said = [
        f"  chunk {chunk.chunk}: {chunk.heard_of} of {counted(chunk.rows, 'row')} have a receipt, "
        f"{chunk.unknown} unknown"
        for chunk in chunks[:_MOST_NAMED]
    ]
    rest = len(chunks) - len(said)
    return [*said, f"  and {counted(rest, 'more chunk')}"] if rest else said


def _chunk_json(chunk: OpenChunk) -> dict[str, Any]:
    return {**asdict(chunk), "sent_at": None if chunk.sent_at is None else chunk.sent_at.isoformat()}
