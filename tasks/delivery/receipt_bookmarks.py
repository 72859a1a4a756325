"""Remembers which objects of delivery receipts a campaign has read, so they aren't read again unless they change.

The marks are `delivery/read/<UTC time>-<id>.json` in the campaign's folder, one file per reading. An object is known by
its URI and its ETag (a local file by its size and modification time). A lost mark only costs a second reading.
"""

import json
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from globe_sms.tasks.recipients.uri_expansion import StoredFile
from globe_sms.tasks.store import Store

_FOLDER: Final = "delivery/read/"
_MOST_PARTS: Final = 20


@dataclass(frozen=True, slots=True)
class Mark:
    """An object that was read to its end.

    `message_ids` is how many message ids and unknown rows the results had at that time, if the object has receipts
    without a TaskId; None otherwise. If that number has changed, the object is read again.
    """

    identity: str
    message_ids: int | None


class Marks:
    """The marks of one campaign; `store` is its folder."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock
        self._parts = [*store.list(_FOLDER)]
        self._marks: dict[str, Mark] = {}
        for key in self._parts:
            stored = store.get(key)
            if stored is not None:
                entries: dict[str, list[object]] = json.loads(stored.body)
                self._marks |= {uri: _decoded(entry) for uri, entry in entries.items()}

    def unread(self, places: Collection[StoredFile], message_ids: int) -> list[StoredFile]:
        """Return the objects to read, given how many message ids and unknown rows the results have."""
        return [place for place in places if not self._covers(place, message_ids)]

    def _covers(self, place: StoredFile, message_ids: int) -> bool:
        mark = self._marks.get(place.uri)
        return mark is not None and mark.identity == place.identity and mark.message_ids in {None, message_ids}

    def add(self, marks: Mapping[str, Mark]) -> None:
        """Save the marks of a reading, after its states are in the archive. Merges the files from time to time.

        Raises:
            StoreError: the store didn't accept them.
        """
        if not marks:
            return
        self._marks |= marks
        merges = len(self._parts) >= _MOST_PARTS
        entries = {uri: [mark.identity, mark.message_ids] for uri, mark in (self._marks if merges else marks).items()}
        key = f"{_FOLDER}{self._clock():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex}.json"
        self._store.put_if_absent(key, json.dumps(entries, separators=(",", ":")).encode())
        if merges:
            for part in self._parts:
                self._store.delete(part)
            self._parts = []
        self._parts.append(key)


def _decoded(entry: list[object]) -> Mark:
    identity, message_ids = entry
    return Mark(str(identity), message_ids if isinstance(message_ids, int) else None)
