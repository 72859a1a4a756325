"""The ledger of a campaign: a claim before each call, a send record after it.

A presentation is one hand-over of a chunk to the gateway, under one claim; the first is number 0. Another one follows
only if the gateway provably didn't take the one before, or if the operator resends unknown chunks. Keys, in the
campaign's folder:

    claims/000012-0            if two runs write it, one gets the presentation
    records/000012-0-accepted  its outcome; without one, the outcome is unknown

The outcome is part of the record's key, so one listing gives the state of every chunk that is presented whole. A
presentation of a part of a chunk has `-part` at the end of its record's key: what is left of such a chunk follows from
its claims and send records, which are read then (`tasks.campaign.remaining_positions`).
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.ledger_keys import CLAIMS, RECORDS, claim_key, read_key
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.send_record import Claim, SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.store import Store, Stored

_READERS: Final = 16


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One presentation of a chunk: its claim, and its send record if there is one."""

    claim: Claim
    record: SendRecord | None


def entries_of(store: Store, chunk: int) -> list[LedgerEntry]:
    """Return all presentations of a chunk, in order; `store` is the campaign's folder.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    claims = [Claim.decode(stored.body) for stored in _under(store, f"{CLAIMS}{chunk:06d}-")]
    send_records = [SendRecord.decode(stored.body) for stored in _under(store, f"{RECORDS}{chunk:06d}-")]
    by_number = {record.submission: record for record in send_records}
    return [
        LedgerEntry(claim, by_number.get(claim.submission))
        for claim in sorted(claims, key=lambda claim: claim.submission)
    ]


def keys_of_records(store: Store) -> Mapping[int, Mapping[int, str | None]]:
    """Return the key of each claim's send record by chunk and submission, None without a record; from two listings.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    found: dict[int, dict[int, str | None]] = {}
    for key in store.list(CLAIMS):
        if each := read_key(key):
            found.setdefault(each.chunk, {})[each.submission] = None
    for key in store.list(RECORDS) if found else ():
        if each := read_key(key):
            found.setdefault(each.chunk, {})[each.submission] = key
    return found


def read_entry(store: Store, chunk: int, submission: int, record_key: str | None) -> Claim | SendRecord:
    """Return a presentation's send record, or its claim if it has no record.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    key = claim_key(chunk, submission) if record_key is None else record_key
    stored = store.get(key)
    return _decoded(key, None if stored is None else stored.body)


def _decoded(key: str, body: bytes | None) -> Claim | SendRecord:
    """Decode a claim or a send record; one that's gone counts as a claim of the whole chunk, which is unknown then."""
    said = read_key(key)
    if said is None:
        raise ValueError(key)
    if body is None:
        return Claim(said.chunk, said.submission, "", "", 0.0, 0.0, "")
    return Claim.decode(body) if said.settlement is None else SendRecord.decode(body)


def _under(store: Store, prefix: str) -> Iterator[Stored]:
    for key in store.list(prefix):
        stored = store.get(key)
        if stored is not None:
            yield stored


class Ledger:
    """The claims and send records of one campaign. Thread-safe: every change is one atomic write to the store.

    A send record that the store doesn't take is kept locally and written later; see `records_kept_locally`.
    """

    def __init__(self, store: Store, spill: Spill) -> None:
        self._store = store
        self._spill = spill

    def recover(self) -> int:
        """Write the send records that an earlier run on this machine couldn't; return how many there were."""
        return self._spill.empty_into(self._store)

    def histories(self) -> dict[int, History]:
        """Return the history of every claimed chunk, from two listings."""
        found: dict[int, dict[int, Settlement | None]] = {}
        parts: dict[int, set[int]] = {}
        for key in chain(self._store.list(CLAIMS), self._store.list(RECORDS)):
            if each := read_key(key):
                found.setdefault(each.chunk, {})[each.submission] = each.settlement
                if each.is_part:
                    parts.setdefault(each.chunk, set()).add(each.submission)
        return {
            chunk: History(
                tuple(by_number.get(number) for number in range(max(by_number) + 1)), frozenset(parts.get(chunk, ()))
            )
            for chunk, by_number in found.items()
        }

    def claim(self, claim: Claim) -> bool:
        """Write the claim; False if another run has this submission.

        Raises:
            StoreError: it's uncertain whether the claim was written, so the chunk must not be sent now.
        """
        return self._store.put_if_absent(claim_key(claim.chunk, claim.submission), claim.encode()) is not None

    def settle(self, record: SendRecord) -> None:
        """Record the outcome of a presentation; returns when the record is in the store or safe in the local spill.

        Raises:
            SendRecordLostError: it's in neither; the presentation stays unknown.
        """
        self._spill.put(self._store, record.key, record.encode())

    def last_presentations(self, histories: Mapping[int, History]) -> Iterator["Claim | SendRecord"]:
        """Read how far each chunk's numbers are: its last send record.

        Chunks that `must_be_read` need all of their presentations, in order: each one's send record, or its claim if it
        has none. One GetObject each, 16 at a time.
        """
        keys = [
            key
            for chunk, history in sorted(histories.items())
            for key in history.keys_of(chunk, 0 if history.must_be_read else history.next - 1)
        ]
        with ThreadPoolExecutor(_READERS) as pool:
            for key, stored in zip(keys, pool.map(self._store.get, keys), strict=True):
                yield _decoded(key, None if stored is None else stored.body)
