"""Which positions of a campaign's chunks may have been texted lately, by its ledger.

A claim without a send record counts as texted: its run may have been killed after the call. What a record proves was
refused, or never presented, doesn't.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.ledger import keys_of_records, read_entry
from globe_sms.tasks.campaign.ledger_keys import read_key
from globe_sms.tasks.campaign.number_hashes import number_or_hash
from globe_sms.tasks.campaign.results_schema import E164, RESULTS_KEY
from globe_sms.tasks.campaign.send_record import Claim, SendRecord
from globe_sms.tasks.campaign.settlement import MEANINGS
from globe_sms.tasks.repeats.earlier_campaigns import EarlierCampaign
from globe_sms.tasks.vocabulary.statuses import Status

_READERS: Final = 16
_MAY_HAVE_TEXTED: Final = frozenset(
    settlement for settlement, means in MEANINGS.items() if means.status in (Status.ACCEPTED, Status.UNKNOWN)
)


@dataclass(frozen=True, slots=True)
class TextedPositions:
    """The positions of a chunk that may have been texted: all or none, except those that are named."""

    others: bool
    named: Mapping[int, bool]


class ClaimedChunks:
    """The chunks of an earlier campaign that have a claim. Their claims and records are read when they are asked for.

    Raises:
        StoreError: the store didn't answer, or refused.
    """

    def __init__(self, campaign: EarlierCampaign, since: float) -> None:
        self._campaign = campaign
        self._since = since
        self._keys = keys_of_records(campaign.store)

    @property
    def indexes(self) -> Collection[int]:
        """Their numbers."""
        return self._keys.keys()

    def texted(self, chunks: Iterable[int]) -> Mapping[int, TextedPositions]:
        """Read which positions of these chunks may have been texted since then, 16 objects at a time."""
        wanted = list(chunks)
        with ThreadPoolExecutor(_READERS, thread_name_prefix="repeats") as pool:
            return dict(zip(wanted, pool.map(self._texted, wanted), strict=True))

    def texted_by_results(self, folder: Path) -> pl.DataFrame:
        """Return the rows that the campaign's results say were texted since then: e164 and chunk; none without results.

        Results may be older than the ledger: what isn't among these rows may have been texted all the same.
        """
        path = folder / "earlier-results.parquet"
        if not self._campaign.store.fetch(RESULTS_KEY, path):
            return pl.DataFrame(schema={"e164": pl.Int64, "chunk": pl.UInt32})
        since = datetime.fromtimestamp(self._since, UTC)
        try:
            return (
                pl.scan_parquet(path, glob=False)
                .filter(
                    pl.col("status").cast(pl.String).is_in([Status.ACCEPTED, Status.UNKNOWN]),
                    pl.col("sent_at") >= since,
                )
                .select(number_or_hash() if self._campaign.is_erased else E164, "chunk")
                .collect(engine="streaming")
            )
        finally:
            path.unlink()

    def _texted(self, chunk: int) -> TextedPositions:
        """Read the chunk's presentations, except those whose key says that nothing was sent."""
        presented = [
            read_entry(self._campaign.store, chunk, submission, key)
            for submission, key in self._keys[chunk].items()
            if key is None or _may_have_texted(key)
        ]
        lately = [each for each in presented if _when(each) >= self._since]
        named = {position for each in lately for position in _named(each)}
        return TextedPositions(
            any(each.positions is None for each in lately),
            {position: any(_reaches(each, position) for each in lately) for position in named},
        )


def _may_have_texted(record_key: str) -> bool:
    said = read_key(record_key)
    return said is None or said.settlement in _MAY_HAVE_TEXTED


def _when(entry: Claim | SendRecord) -> float:
    """Return when a presentation left; now if nobody knows."""
    at = entry.claimed_at if isinstance(entry, Claim) else entry.sent_at
    return at or math.inf


def _named(entry: Claim | SendRecord) -> Iterator[int]:
    yield from entry.positions or ()
    yield from entry.left_out
    if isinstance(entry, SendRecord):
        yield from entry.failed


def _reaches(entry: Claim | SendRecord, position: int) -> bool:
    """Whether a presentation may have texted this position."""
    is_covered = entry.positions is None or position in entry.positions
    is_refused = isinstance(entry, SendRecord) and position in entry.failed
    return is_covered and position not in entry.left_out and not is_refused
