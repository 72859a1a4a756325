"""What a ledger holds of one presentation: the claim before its call, and the send record after it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import orjson

from globe_sms.tasks.campaign.ledger_keys import record_key
from globe_sms.tasks.campaign.message_ids import MessageIds
from globe_sms.tasks.campaign.remaining_positions import Presented
from globe_sms.tasks.campaign.settlement import Settlement

# Last in a record, so that they can be read apart; within JSON texts, quotes are escaped.
_IDS: Final = ',"message_ids":'


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
        return record_key(self.chunk, self.submission, self.settlement, is_part=self.positions is not None)

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
