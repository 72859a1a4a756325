"""The statuses a row can have. The codes are written to results.parquet and never change."""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """What happened to a row (the design's table "Status of a row")."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"


SENDABLE: Final = "sendable"  # what the counts of a plan call rows without a status
STATUSES: Final = tuple(status.value for status in Status)
