"""The objects of a place of receipts: lines of JSON, under the time when they were written."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError

REFUSED: Final = "_refused"
"""The folder of what was pushed or in a queue without being JSON, for inspection."""
IMPATIENT: Final[Mapping[str, object]] = {
    "connect_timeout": 2,
    "read_timeout": 5,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
"""boto3's settings for such a place: pushing clients hang up, and queues show messages again, long before its own."""


def put_lines(store: Store, lines: bytes, now: datetime) -> None:
    """Write lines as an object of their own; returns when they are in the store.

    Raises:
        StoreError: the store didn't take them, though they may be there.
    """
    key = f"{now:%Y/%m/%d/%H}/{now:%Y%m%dT%H%M%S.%f}Z-{uuid.uuid4().hex}.ndjson"
    if store.put_if_absent(key, lines) is None:
        raise StoreUnavailableError(f"{store.uri}: the store says that a new object already exists.")
