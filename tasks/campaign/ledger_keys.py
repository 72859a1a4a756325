"""The keys of claims and send records in a campaign's folder, made and read here only."""

import re
from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.campaign.settlement import Settlement

CLAIMS: Final = "claims/"
RECORDS: Final = "records/"
_PART: Final = "-part"
_CLAIM: Final = re.compile(rf"{CLAIMS}(\d+)-(\d+)")
_RECORD: Final = re.compile(rf"{RECORDS}(\d+)-(\d+)-([a-z_]+)({_PART})?")


@dataclass(frozen=True, slots=True)
class LedgerKey:
    """What a key says: which presentation, and of a send record how it ended and whether it covered a part."""

    chunk: int
    submission: int
    settlement: Settlement | None = None
    is_part: bool = False


def claim_key(chunk: int, submission: int) -> str:
    """Return the key of a claim."""
    return f"{CLAIMS}{chunk:06d}-{submission}"


def record_key(chunk: int, submission: int, settlement: Settlement, *, is_part: bool) -> str:
    """Return the key of a send record."""
    return f"{RECORDS}{chunk:06d}-{submission}-{settlement}{_PART if is_part else ''}"


def read_key(key: str) -> LedgerKey | None:
    """Return what the key of a claim or a send record says; None for any other key."""
    if match := _CLAIM.fullmatch(key):
        return LedgerKey(int(match[1]), int(match[2]))
    if match := _RECORD.fullmatch(key):
        return LedgerKey(int(match[1]), int(match[2]), Settlement(match[3]), is_part=match[4] is not None)
    return None
