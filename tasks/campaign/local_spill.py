"""The last resort for send records: a local folder that keeps what the store won't take now.

A lost record turns a sent chunk into an unknown one. So the first time that the store doesn't take a record, it is
written here, and it goes to the store when that is back: the same run tries again for some time, and so does the next
run of the campaign on this machine.
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
    """`$XDG_STATE_HOME/globe-sms/spill`, by default under `~/.local/state` (XDG Base Directory)."""
    return Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "globe-sms" / "spill"


class Spill:
    """One campaign's folder on this machine. Thread-safe: one file a key."""

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
        """Where this campaign's send records are kept."""
        return self._folder

    def put(self, store: Store, key: str, body: bytes) -> bool:
        """Write `body` to the store; while the store doesn't take it, keep a copy here and try again.

        True if it is in the store now, False if it is only here: after two minutes, or when `hurry` says that
        the process is about to end.

        Raises:
            SendRecordLostError: it is in neither place by then.
        """
        deadline = self._monotonic() + self._patience
        kept, why = None, ""
        while True:
            try:
                store.put_if_absent(key, body)
            except StoreError as error:
                try:
                    kept = kept or self._keep(key, body)
                except (
                    StoreError,
                    OSError,
                ) as failure:  # a full disk, no folder: only the store is left
                    why = f"{failure}"
                if self._monotonic() >= deadline or self._hurry():
                    if kept is not None:
                        return False
                    raise SendRecordLostError(
                        f"{error} The send record can't be kept on this machine either ({why}): its numbers "
                        f"stay unknown. Make room for {self._folder}, or set XDG_STATE_HOME to a folder that can be "
                        "written."
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
