"""The small interface that the ledger and the pacing stand on, whatever keeps the bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """An object's bytes and the version that a compare-and-swap of it must name."""

    body: bytes
    version: str


class Store(Protocol):
    """Named byte strings with two atomic writes: put if absent, and compare and swap.

    Keys are relative paths with forward slashes. All methods may be called from several threads.
    Each raises `StoreUnavailableError` when the place does not answer and `StoreError` when it refuses.
    A body that is written with one of the two atomic writes must be unlike any other body of that key
    (carry the writer's id or a time): a write whose reply was lost is recognised by it.
    """

    @property
    def uri(self) -> str:
        """Where this is, as the user wrote it, without a slash at the end."""
        ...

    def get(self, key: str) -> Stored | None:
        """Return what stands under `key`, or None."""
        ...

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        """Write `body` if nothing stands under `key`; return its version, or None if another came first."""
        ...

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
        """Replace `key` if it still has `version`; return the new version, or None if it has changed."""
        ...

    def put_file_if_absent(self, key: str, path: Path) -> bool:
        """Write a local file under `key` if nothing stands there; True if this call wrote it."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Write a local file under `key`, replacing at once what stood there; readers see old or new."""
        ...

    def fetch(self, key: str, path: Path) -> bool:
        """Copy what stands under `key` to a local file; False if nothing does."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`, sorted."""
        ...

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders that stand directly here, sorted, without a look at what is in them."""
        ...

    def delete(self, key: str) -> None:
        """Remove `key`; nothing happens if it is not there."""
        ...

    def clock_skew(self) -> float:
        """Return this machine's clock minus the store's, in seconds; 0.0 where they are one clock.

        A skew below the resolution of the store's clock (one second for S3's Date header) reads as 0.0.
        """
        ...

    def within(self, prefix: str) -> "Store":
        """Return the same place, seen from the folder `prefix`."""
        ...
