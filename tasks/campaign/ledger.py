"""The ledger of a campaign: a claim before each call, a send record after it.

A presentation is one hand-over of a chunk to the gateway, under one claim; the first is number 0. Another one follows
only if the gateway provably didn't take the one before, or if the operator resends unknown chunks. Keys, in the
campaign's folder:

    claims/000012-0            if two runs write it, one gets the presentation
    records/000012-0-accepted  its outcome; without one, the outcome is unknown

The outcome is part of the record's key, so one listing gives the state of every chunk.
"""

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.settlement import MEANINGS, ChunkState, Settlement
from globe_sms.tasks.store import Store, Stored

_CLAIM = re.compile(r"claims/(\d+)-(\d+)")
_RECORD = re.compile(r"records/(\d+)-(\d+)-([a-z_]+)")
_READERS = 16
_SETTLED = frozenset(each for each, means in MEANINGS.items() if means.chunk is ChunkState.SETTLED)
_DOUBTFUL = frozenset({None, *(each for each, means in MEANINGS.items() if means.chunk is ChunkState.UNKNOWN)})


@dataclass(frozen=True, slots=True)
class Claim:
    """The durable record, written before a call, that a chunk is about to be sent."""

    chunk: int
    submission: int
    run: str
    host: str
    claimed_at: float
    turn: float
    fingerprint: str

    @classmethod
    def decode(cls, body: bytes) -> "Claim":
        """Read what `Ledger.claim` wrote."""
        return cls(**json.loads(body))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call under a claim (`at`: Unix time in seconds)."""

    task_id: str
    at: float
    verdict: str
    code: str | None
    request_id: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class SendRecord:
    """The durable record of the gateway's answer; numbers are stored as positions in the chunk."""

    chunk: int
    submission: int
    run: str
    settlement: Settlement
    reason: str | None
    code: str | None
    description: str | None
    request_id: str | None
    sent_at: float | None
    fingerprint: str
    failed: tuple[int, ...] = ()
    unclear: tuple[int, ...] = ()
    message_ids: Mapping[int, str] = field(default_factory=dict[int, str])
    unpaired_ids: tuple[str, ...] = ()
    ids_unmatched: bool = False
    attempts: tuple[Attempt, ...] = ()

    @property
    def key(self) -> str:
        """The key that the record is stored under."""
        return f"records/{self.chunk:06d}-{self.submission}-{self.settlement}"

    def encode(self) -> bytes:
        """Return the record as JSON."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["attempts"] = [asdict(attempt) for attempt in self.attempts]
        return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def decode(cls, body: bytes) -> "SendRecord":
        """Read what `encode` wrote."""
        data: dict[str, Any] = json.loads(body)
        data["settlement"] = Settlement(data["settlement"])
        data["message_ids"] = {int(position): value for position, value in data["message_ids"].items()}
        for name in ("failed", "unclear", "unpaired_ids"):
            data[name] = tuple(data[name])
        data["attempts"] = tuple(Attempt(**attempt) for attempt in data["attempts"])
        return cls(**data)


@dataclass(frozen=True, slots=True)
class History:
    """The outcomes of a chunk's presentations so far, in order (None: no send record)."""

    settlements: tuple[Settlement | None, ...] = ()

    @property
    def state(self) -> ChunkState:
        """What a run may do with the chunk.

        A resend that the gateway didn't take leaves the chunk unknown.
        """
        if any(settlement in _SETTLED for settlement in self.settlements):
            return ChunkState.SETTLED
        if any(settlement in _DOUBTFUL for settlement in self.settlements):
            return ChunkState.UNKNOWN
        return ChunkState.OPEN

    @property
    def doubtful(self) -> bool:
        """Whether an earlier presentation may have been taken: numbers that the last one refused stay unknown."""
        return any(settlement in _DOUBTFUL for settlement in self.settlements[:-1])

    @property
    def next(self) -> int:
        """The number of the next submission."""
        return len(self.settlements)


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
    claims = [Claim.decode(stored.body) for stored in _under(store, f"claims/{chunk:06d}-")]
    send_records = [SendRecord.decode(stored.body) for stored in _under(store, f"records/{chunk:06d}-")]
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
    for key in store.list("claims/"):
        if match := _CLAIM.fullmatch(key):
            found.setdefault(int(match[1]), {})[int(match[2])] = None
    for key in store.list("records/") if found else ():
        if match := _RECORD.fullmatch(key):
            found.setdefault(int(match[1]), {})[int(match[2])] = key
    return found


def read_entry(store: Store, chunk: int, submission: int, record_key: str | None) -> Claim | SendRecord | None:
    """Return a presentation's send record, or without a key of one its claim; None if it isn't there."""
    stored = store.get(f"claims/{chunk:06d}-{submission}" if record_key is None else record_key)
    if stored is None:
        return None
    return Claim.decode(stored.body) if record_key is None else SendRecord.decode(stored.body)


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
        for key in self._store.list("claims/"):
            if match := _CLAIM.fullmatch(key):
                found.setdefault(int(match[1]), {}).setdefault(int(match[2]), None)
        for key in self._store.list("records/"):
            if match := _RECORD.fullmatch(key):
                found.setdefault(int(match[1]), {})[int(match[2])] = Settlement(match[3])
        return {
            chunk: History(tuple(by_number.get(number) for number in range(max(by_number) + 1)))
            for chunk, by_number in found.items()
        }

    def claim(self, claim: Claim) -> bool:
        """Write the claim; False if another run has this submission.

        Raises:
            StoreError: it's uncertain whether the claim was written, so the chunk must not be sent now.
        """
        body = json.dumps(asdict(claim), separators=(",", ":")).encode()
        return self._store.put_if_absent(f"claims/{claim.chunk:06d}-{claim.submission}", body) is not None

    def settle(self, record: SendRecord) -> None:
        """Record the outcome of a presentation; returns when the record is in the store or safe in the local spill.

        Raises:
            SendRecordLostError: it's in neither; the presentation stays unknown.
        """
        self._spill.put(self._store, record.key, record.encode())

    def send_records(self, histories: Mapping[int, History]) -> Iterator[SendRecord]:
        """Read the last send record of every chunk that has one (one GetObject each, 16 at a time)."""
        keys = [
            f"records/{chunk:06d}-{history.next - 1}-{history.settlements[-1]}"
            for chunk, history in sorted(histories.items())
            if history.settlements[-1] is not None
        ]
        with ThreadPoolExecutor(_READERS) as pool:
            yield from (
                SendRecord.decode(stored.body) for stored in pool.map(self._store.get, keys) if stored is not None
            )
