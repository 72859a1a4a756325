"""Puts many small objects of replies together into one, so that every run reads them quickly, years later too.

The new object is written before the old ones are deleted, and a reply that is there twice counts once: killed in
between, or read meanwhile, nobody's STOP is missing. An old object that somebody has changed meanwhile (`globe-sms
forget` erases numbers) makes the new one void.
"""

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from globe_sms.tasks.recipients.file_formats import compression_of
from globe_sms.tasks.replies.stored_replies import REPLIES
from globe_sms.tasks.store import Store, Stored

TOGETHER: Final = f"{REPLIES}/together/"
FEWEST: Final = 100
"""Fewer small objects than this stay as they are."""

_MOST: Final = 2_000
_AT_ONCE: Final = 16
_SETTLED: Final = timedelta(hours=1)  # younger objects may still be written again after a lost answer


def put_replies_together(store: Store, *, now: datetime | None = None) -> int:
    """Put a place's replies together; return how many objects went into others.

    Raises:
        StoreError: the store didn't answer, or refused; nothing is lost.
    """
    before = ((now or datetime.now(UTC)) - _SETTLED).timestamp()
    small = (key for key in store.list(f"{REPLIES}/") if not key.startswith((TOGETHER, f"{REPLIES}/_")))
    gone = 0
    while keys := list(islice(small, _MOST)):
        found = [
            (key, stored)
            for key, stored in _read(store, keys)
            if stored.modified < before and compression_of(stored.body) is None
        ]
        if len(found) >= FEWEST:
            gone += _put_together(store, found)
    return gone


def _put_together(store: Store, found: Sequence[tuple[str, Stored]]) -> int:
    key = f"{TOGETHER}{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z-{uuid.uuid4().hex}.ndjson"
    store.put_if_absent(key, b"".join(stored.body.rstrip() + b"\n" for _, stored in found))
    versions = {old: stored.version for old, stored in found}
    if {old: stored.version for old, stored in _read(store, [*versions])} != versions:
        store.delete(key)
        return 0
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="replies") as pool:
        list(pool.map(store.delete, versions))
    return len(found)


def _read(store: Store, keys: Sequence[str]) -> Iterator[tuple[str, Stored]]:
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="replies") as pool:
        for key, stored in zip(keys, pool.map(store.get, keys), strict=True):
            if stored is not None:
                yield key, stored
