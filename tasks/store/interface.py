"""The storage interface that ledger and pacing build on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from globe_sms.tasks.store.store_clock import StoreClock


@dataclass(frozen=True, slots=True)
class Stored:
    """An object's bytes, the version that a compare-and-swap must name, and when it was written (Unix time)."""

    body: bytes
    version: str
    modified: float


class Store(Protocol):
    """Named byte strings with two atomic writes: put-if-absent and compare-and-swap. Thread-safe.

    Keys are relative paths with forward slashes. Each method raises `StoreUnavailableError` when the place doesn't
    answer, and `StoreError` when it refuses. A body passed to one of the two atomic writes must differ from any other
    body of that key (include the writer's id or a time): a write whose reply was lost is recognized by it.
    """

    @property
    def uri(self) -> str:
        """The store's place as the user wrote it, without a trailing slash."""
        ...

    def get(self, key: str) -> Stored | None:
        """Return the object under `key`, or None."""
        ...

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        """Write `body` unless `key` exists; return its version, or None if another writer came first."""
        ...

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
        """Replace `key` if it still has `version`; return the new version, or None if it has changed."""
        ...

    def put_file_if_absent(self, key: str, path: Path) -> bool:
        """Write a local file under `key` unless it exists; True if this call wrote it."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Write a local file under `key`, replacing any object atomically: readers see the old one or the new one."""
        ...

    def fetch(self, key: str, path: Path) -> bool:
        """Copy the object under `key` to a local file; False if there is none."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that start with `prefix`, sorted."""
        ...

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders directly here, sorted, without listing their contents."""
        ...

    def delete(self, key: str) -> None:
        """Delete `key` if it exists."""
        ...

    @property
    def clock(self) -> StoreClock:
        """The store's clock, as its answers so far tell it; this machine's for a local directory."""
        ...

    def within(self, prefix: str) -> "Store":
        """Return the folder `prefix` of this store as a store."""
        ...
