"""The last resort for send records: a local folder for records that the store doesn't take.

A lost send record turns a sent chunk into an unknown one. So when the store first fails to take a record, it's written
here, and moved to the store once that is back: the same run retries for a while, then the campaign's next run on this
machine.
"""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.vocabulary.errors import SendRecordLostError, StoreError

_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 1.0


def spill_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Return `$XDG_STATE_HOME/globe-sms/spill`, by default below `~/.local/state` (XDG Base Directory)."""
    return Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "globe-sms" / "spill"


class Spill:
    """A campaign's folder on this machine. Thread-safe: one file per key."""

    def __init__(
        self,
        folder: Path,
        place: str,
        *,
        patience: float = _PATIENCE_SECONDS,
        hurry: Callable[[], bool] = lambda: False,
        wait: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder / hashlib.sha256(place.encode()).hexdigest()[:24]
        self._patience = patience
        self._hurry = hurry
        self._wait = wait
        self._monotonic = monotonic

    @property
    def folder(self) -> Path:
        """The folder for this campaign's send records."""
        return self._folder

    def put(self, store: Store, key: str, body: bytes) -> bool:
        """Write `body` to the store; while the store fails, keep a copy here and retry.

        Returns True once it's in the store. Returns False if it's only here: after two minutes, or when `hurry` says
        that the process is about to end.

        Raises:
            SendRecordLostError: it's in neither place by then.
        """
        deadline = self._monotonic() + self._patience
        kept, why = None, ""
        while True:
            try:
                store.put_if_absent(key, body)
            except StoreError as error:
                try:
                    kept = kept or self._keep(key, body)
                except (StoreError, OSError) as failure:  # a full disk, or no folder: only the store remains
                    why = f"{failure}"
                if self._monotonic() >= deadline or self._hurry():
                    if kept is not None:
                        return False
                    raise SendRecordLostError(
                        f"{error} The send record couldn't be kept on this machine either ({why}), so its numbers "
                        f"stay unknown. Free space for {self._folder}, or set XDG_STATE_HOME to a writable folder."
                    ) from None
                self._wait(_PAUSE_SECONDS)
            else:
                if kept is not None:
                    kept.unlink(missing_ok=True)
                return True

    def empty_into(self, store: Store) -> int:
        """Write every kept send record to the store and remove it here; return how many there were."""
        if not self._folder.is_dir():
            return 0
        kept = LocalStore(self._folder)
        keys = [key for key in kept.list("") if key.startswith("records/")]
        for key in keys:
            stored = kept.get(key)
            if stored is not None:
                store.put_if_absent(key, stored.body)
            kept.delete(key)
        return len(keys)

    def _keep(self, key: str, body: bytes) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self._folder, 0o700)  # noqa: PTH101  # send records hold message ids
        LocalStore(self._folder).put_if_absent(key, body)
        return self._folder / key
