"""Reconciling: what delivery receipts say about a campaign's unknown rows, and what they leave open.

A receipt proves that the gateway took the number, and `apply_states` makes its row accepted. A missing receipt proves
nothing, since some are lost. So a chunk with receipts for some of its numbers was taken, and its other rows stay
unknown; to text those again, another campaign is sent to them.
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
from globe_sms.tasks.delivery.read_receipts import Marks
from globe_sms.tasks.delivery.receipts import CampaignReader, Reading, find_receipts
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.statuses import Delivery, Status

DEFAULT_SETTLE_AFTER: Final = timedelta(hours=72)
_MOST_NAMED: Final = 20
_PAIRED: Final = pl.col("message_id").is_not_null() & pl.col("settled_by").is_null()


@dataclass(frozen=True, slots=True)
class OpenChunk:
    """A chunk that still has unknown rows: how many rows it has, for how many something came, when it was sent."""

    chunk: int
    rows: int
    heard_of: int
    unknown: int
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What the receipts of a campaign say by now.

    `settled` rows were unknown and are accepted, over every reading; `paired` rows were accepted and get their message
    id now. The chunks are those with unknown rows that were sent longer ago than `settle_after`:
    `half_settled` ones were taken, of `silent` ones nothing was ever heard. `waiting` rows are unknown and younger.
    `asked` is whether receipts were looked for at all: where they were not, none is missing.
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
        """Say it to a person, with what can be done; a line each."""
        hours = f"{self.settle_after / timedelta(hours=1):g} h"
        said = self.reading.sentences() if self.asked else []
        if self.settled:
            said.append(
                f"{self.settled:,} rows that were unknown are accepted: their receipts show that they were taken"
            )
        if self.paired:
            said.append(f"{self.paired:,} accepted rows got their message ids from receipts")
        if not self.asked and (unknown := self.waiting + sum(chunk.unknown for chunk in self.silent)):
            said.append(f"{unknown:,} unknown rows: delivery receipts show which of them were taken; give --receipts")
        if self.waiting and self.asked:
            said.append(f"{self.waiting:,} unknown rows were sent less than {hours} ago: their receipts may still come")
        if self.half_settled:
            unknown = sum(chunk.unknown for chunk in self.half_settled)
            said.append(
                f"{len(self.half_settled):,} chunks were taken, and {hours} after the send {unknown:,} of their "
                "numbers have no receipt: these rows stay unknown, and --on-unknown resend leaves such chunks alone. "
                "To text these numbers again, which may text some twice, send another campaign to them"
            )
            said.extend(_by_chunk(self.half_settled))
        if self.silent and self.asked:
            unknown = sum(chunk.unknown for chunk in self.silent)
            said.append(
                f"{len(self.silent):,} chunks have not a single receipt {hours} after the send: {unknown:,} unknown "
                "numbers. If receipts came for the rest of the campaign, the gateway has most likely not taken them: "
                "send --on-unknown resend presents them once more"
            )
            said.extend(_by_chunk(self.silent))
        return said

    def as_json(self) -> dict[str, Any]:
        """Return the counts and the chunks, for `--json`."""
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
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Reconciled:
    """Read the receipts that were not read before into the archive, and say what they settle.

    The results are not written: `tasks.delivery.rewrite_results` does it from the archive. Doing this twice, or by two
    processes at once, adds nothing wrong: the archive takes each message once.

    Args:
        store: the campaign's folder.
        archive: its archive.
        uris: where receipts are; with none, the archive alone speaks.
        campaign: its id.
        s3: gives the access to S3; called only when a URI is on S3.
        scratch: a local folder with room for the results.
        settle_after: from when on after the send a missing receipt is spoken of.
        clock: what time it is.

    Raises:
        InputError: a place of receipts may not be looked up.
        StoreError: the store failed; what was archived before is read again next time.
    """
    now = clock()
    results = _results(store, scratch)
    reading = Reading()
    if uris:
        _read(store, archive, uris, campaign=campaign, results=results, reading=reading, s3=s3, now=now)
    states = archive.put_together(campaign)
    after = apply_states(results, states, campaign)
    chunks = (
        after.filter(pl.col("chunk").is_not_null())
        .group_by("chunk")
        .agg(
            rows=pl.len(),
            heard_of=(pl.col("delivery").is_not_null() & (pl.col("delivery") != Delivery.PENDING)).sum(),
            unknown=(pl.col("status") == Status.UNKNOWN).sum(),
            sent_at=pl.col("sent_at").max(),
            settled=pl.col("settled_by").is_not_null().sum(),
            paired=_PAIRED.sum(),
        )
        .sort("chunk")
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
    unread = marks.unread(list(places.values()), message_ids.height)
    reading.already_read = len(places) - len(unread)
    reader = CampaignReader(campaign, message_ids, known, seen_at=now, keep=archive.append, reading=reading)
    marks.add(reader.read(unread, s3))


def _dated(chunks: Sequence[OpenChunk], store: Store, states: pl.LazyFrame, campaign: str) -> list[OpenChunk]:
    """Fill in when chunks without a ledger's receipt were sent: by a delivery receipt, or by their claim."""
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
        f"  chunk {chunk.chunk}: {chunk.heard_of} of {chunk.rows} rows have a receipt, {chunk.unknown} are unknown"
        for chunk in chunks[:_MOST_NAMED]
    ]
    rest = len(chunks) - len(said)
    return [*said, f"  and {rest:,} more chunks"] if rest else said


def _chunk_json(chunk: OpenChunk) -> dict[str, Any]:
    return {**asdict(chunk), "sent_at": None if chunk.sent_at is None else chunk.sent_at.isoformat()}
