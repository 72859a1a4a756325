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

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from globe_sms.tasks.campaign.message_ids import MessageIds
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.remaining_positions import Portion, Presented
from globe_sms.tasks.campaign.settlement import MEANINGS, ChunkState, Settlement
from globe_sms.tasks.store import Store, Stored

_CLAIM = re.compile(r"claims/(\d+)-(\d+)")
_PART = "-part"
_RECORD = re.compile(rf"records/(\d+)-(\d+)-([a-z_]+)({_PART})?")
_IDS = ',"message_ids":'  # last in a record, so that they can be read apart; within JSON texts, quotes are escaped
_READERS = 16
_SETTLED = frozenset(each for each, means in MEANINGS.items() if means.chunk is ChunkState.SETTLED)
_DOUBTFUL = frozenset({None, *(each for each, means in MEANINGS.items() if means.chunk is ChunkState.UNKNOWN)})


def _claim_key(chunk: int, submission: int) -> str:
    return f"claims/{chunk:06d}-{submission}"


def _record_key(chunk: int, submission: int, settlement: Settlement, *, is_part: bool) -> str:
    return f"records/{chunk:06d}-{submission}-{settlement}{_PART if is_part else ''}"


@dataclass(frozen=True, slots=True)
class Claim:
    """The durable record, written before a call, that a chunk or a part of it is about to be sent.

    `positions` are those that the presentation covers; None for all of the chunk's. `left_out` are those among them
    that the call leaves out for good, each with its reason: their numbers opted out, for example.
    """

    chunk: int
    submission: int
    run: str
    host: str
    claimed_at: float
    turn: float
    fingerprint: str
    positions: tuple[int, ...] | None = None
    left_out: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def presented(self) -> Presented:
        """What it covers; without a send record nobody knows how it ended."""
        return Presented(self.submission, None, self.positions, self.left_out)

    def encode(self) -> bytes:
        """Return the claim as JSON."""
        return orjson.dumps(asdict(self), option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def decode(cls, body: bytes) -> "Claim":
        """Read what `encode` wrote."""
        data: dict[str, Any] = orjson.loads(body)
        return cls(**{**data, **_coverage_of(data)})


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
    """The durable record of the gateway's answer; numbers are stored as positions in the chunk.

    `positions` and `left_out` are those of its claim.
    """

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
    positions: tuple[int, ...] | None = None
    left_out: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def key(self) -> str:
        """The key that the record is stored under."""
        return _record_key(self.chunk, self.submission, self.settlement, is_part=self.positions is not None)

    @property
    def presented(self) -> Presented:
        """What it covered and how it ended."""
        return Presented(self.submission, self.settlement, self.positions, self.left_out)

    def encode(self) -> bytes:
        """Return the record as JSON."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["attempts"] = [asdict(attempt) for attempt in self.attempts]
        del data["message_ids"]
        start = orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS)[:-1]
        return start + f"{_IDS}{MessageIds.of(self.message_ids).stored}}}".encode()

    @classmethod
    def decode(cls, body: bytes) -> "SendRecord":
        """Read what `encode` wrote."""
        text, _, ids = body.decode().rstrip().rpartition(_IDS)
        data: dict[str, Any] = orjson.loads(f"{text}}}")
        if not (ids.startswith("[") and ids.endswith("]}")):
            raise ValueError("a send record isn't complete JSON")
        data["settlement"] = Settlement(data["settlement"])
        data["message_ids"] = MessageIds(ids[:-1])
        for name in ("failed", "unclear", "unpaired_ids"):
            data[name] = tuple(data[name])
        data["attempts"] = tuple(Attempt(**attempt) for attempt in data["attempts"])
        return cls(**{**data, **_coverage_of(data)})


def _coverage_of(data: Mapping[str, Any]) -> dict[str, Any]:
    positions, left_out = data.get("positions"), data.get("left_out", {})
    return {
        "positions": None if positions is None else tuple(positions),
        "left_out": {int(position): reason for position, reason in left_out.items()},
    }


@dataclass(frozen=True, slots=True)
class History:
    """The outcomes of a chunk's presentations so far, in order (None: no send record).

    `parts` are the numbers of those that covered a part of the chunk. `left` is what a run has found to be left of the
    chunk, from its claims and send records; None for all of it.
    """

    settlements: tuple[Settlement | None, ...] = ()
    parts: frozenset[int] = frozenset()
    left: tuple[Portion, ...] | None = None

    @property
    def must_be_read(self) -> bool:
        """Whether what is left follows from claims and send records only.

        A part was presented, or may have been; or a resend may have left out numbers that stay unknown.
        """
        in_parts = bool(self.parts) or None in self.settlements or Settlement.SPLIT in self.settlements
        return in_parts or self.doubtful

    @property
    def state(self) -> ChunkState:
        """What a run may do with a chunk that was always presented whole.

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

    def keys_of(self, chunk: int, first: int) -> Iterator[str]:
        """Yield the keys of the chunk's presentations from `first` on: of the send record, or of the claim alone."""
        for number in range(first, self.next):
            settlement = self.settlements[number]
            if settlement is None:
                yield _claim_key(chunk, number)
            else:
                yield _record_key(chunk, number, settlement, is_part=number in self.parts)

    def after(self, settlement: Settlement, left: tuple[Portion, ...]) -> "History":
        """Return the history with one more presentation, after which these portions are left to present."""
        return replace(self, settlements=(*self.settlements, settlement), left=left)


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


def settlement_in(record_key: str) -> Settlement:
    """Return how a presentation ended, by the key of its send record."""
    found = _RECORD.fullmatch(record_key)
    if found is None:
        raise ValueError(record_key)
    return Settlement(found[3])


def read_entry(store: Store, chunk: int, submission: int, record_key: str | None) -> Claim | SendRecord:
    """Return a presentation's send record, or its claim if it has no record.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    key = _claim_key(chunk, submission) if record_key is None else record_key
    stored = store.get(key)
    return _decoded(key, None if stored is None else stored.body)


def _decoded(key: str, body: bytes | None) -> Claim | SendRecord:
    """Decode a claim or a send record; one that's gone counts as a claim of the whole chunk, which is unknown then."""
    if body is None:
        chunk, submission = key.partition("/")[2].split("-")[:2]
        return Claim(int(chunk), int(submission), "", "", 0.0, 0.0, "")
    return Claim.decode(body) if key.startswith("claims/") else SendRecord.decode(body)


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
        for key in self._store.list("claims/"):
            if match := _CLAIM.fullmatch(key):
                found.setdefault(int(match[1]), {}).setdefault(int(match[2]), None)
        for key in self._store.list("records/"):
            if match := _RECORD.fullmatch(key):
                found.setdefault(int(match[1]), {})[int(match[2])] = Settlement(match[3])
                if match[4]:
                    parts.setdefault(int(match[1]), set()).add(int(match[2]))
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
        return self._store.put_if_absent(_claim_key(claim.chunk, claim.submission), claim.encode()) is not None

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
