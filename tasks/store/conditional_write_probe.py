"""Checks at the start that a store honors conditional writes: some S3 servers silently ignore them."""

import uuid

from globe_sms.tasks.store.interface import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, StoreRefusedError

MAX_CLOCK_SKEW = 2.0
"""Seconds that this machine's clock may differ from the store's: turns and leases depend on both."""


def probe(store: Store) -> None:
    """Write a temporary key, then try to overwrite it: a second put and a stale swap must both fail.

    Raises:
        StoreRefusedError: the store would let two runs send the same chunk.
        InputError: the store can't be used, or its clock and this machine's differ.
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
        skew = store.clock.skew()
    except StoreError as error:
        raise InputError(str(error)) from error
    if first is None or second is not None or current is None or current.body != b"first":
        raise StoreRefusedError(
            f"{store.uri}: this server ignores If-None-Match on PutObject, so two runs could send the same chunk. "
            "Use one that supports conditional writes (AWS S3, SeaweedFS, MinIO ...)."
        )
    if swapped is None or stale is not None or last is None or last.body != b"third":
        raise StoreRefusedError(
            f"{store.uri}: this server ignores If-Match on PutObject, so runs could exceed the account's call rate. "
            "Use one that supports conditional writes (AWS S3, SeaweedFS, MinIO ...)."
        )
    if abs(skew) > MAX_CLOCK_SKEW:
        raise InputError(
            f"{store.uri}: this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the "
            "store's, so turns and leases aren't safe. Synchronize it (chrony, systemd-timesyncd) and try again."
        )
