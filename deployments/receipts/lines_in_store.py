"""The objects of a place of receipts: lines of JSON, under the time when they were written."""

import uuid
from datetime import datetime

from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError


def put_lines(store: Store, lines: bytes, now: datetime) -> None:
    """Write lines as an object of their own; returns when they are in the store.

    Raises:
        StoreError: the store didn't take them, though they may be there.
    """
    key = f"{now:%Y/%m/%d/%H}/{now:%Y%m%dT%H%M%S.%f}Z-{uuid.uuid4().hex}.ndjson"
    if store.put_if_absent(key, lines) is None:
        raise StoreUnavailableError(f"{store.uri}: the store says that a new object already exists.")
