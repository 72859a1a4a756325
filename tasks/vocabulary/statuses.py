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


class Delivery(StrEnum):
    """What a phone network made of an accepted message."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    PENDING = "pending"


SENDABLE: Final = "sendable"  # what the counts of a plan call rows without a status
STATUSES: Final = tuple(status.value for status in Status)
PRESENTED: Final = (Status.ACCEPTED, Status.FAILED, Status.UNKNOWN)  # rows that the gateway was given, or may have been
DELIVERIES: Final = tuple(delivery.value for delivery in Delivery)
FINAL_DELIVERIES: Final = frozenset(Delivery) - {Delivery.PENDING}
