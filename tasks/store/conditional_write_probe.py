"""Prove at the start that a store keeps its conditional writes: some S3 servers ignore them without a word."""

import uuid

from globe_sms.tasks.store.interface import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, StoreRefusedError

MAX_CLOCK_SKEW = 2.0
"""Seconds that this machine's clock may differ from the store's: turns and leases are compared by it."""


def probe(store: Store) -> None:
    """Write, and try to overwrite, a key of our own; the second put and a stale swap must both lose.

    Raises:
        StoreRefusedError: the store would let two runs send one chunk.
        InputError: the store cannot be used at all, or its clock and this machine's differ.
    """
    key = f".globe-sms/probe-{uuid.uuid4().hex}"
    try:
        first = store.put_if_absent(key, b"first")
        second = store.put_if_absent(key, b"second")
        current = store.get(key)
        swapped = None if current is None else store.compare_and_swap(key, b"third", current.version)
        stale = None if current is None else store.compare_and_swap(key, b"fourth", current.version)
        last = store.get(key)
        store.delete(key)
        skew = store.clock_skew()
    except StoreError as error:
        raise InputError(str(error)) from error
    if first is None or second is not None or current is None or current.body != b"first":
        raise StoreRefusedError(
            f"{store.uri}: this server ignores If-None-Match on PutObject, so two runs could send one chunk twice. "
            "Use a store that keeps conditional writes (AWS S3, SeaweedFS, MinIO ...)."
        )
    if swapped is None or stale is not None or last is None or last.body != b"third":
        raise StoreRefusedError(
            f"{store.uri}: this server ignores If-Match on PutObject, so the account's call rate could not be kept. "
            "Use a store that keeps conditional writes (AWS S3, SeaweedFS, MinIO ...)."
        )
    if abs(skew) > MAX_CLOCK_SKEW:
        raise InputError(
            f"{store.uri}: this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the "
            "store's; turns and leases would not hold. Synchronise it (chrony, systemd-timesyncd) and try again."
        )
