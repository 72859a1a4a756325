"""The accepted messages and their fates, the source of query answers and receipts.

Messages are stored by call, because their ids are consecutive within one: about 8 bytes per message, plus its
compressed text. After a restart they're read from the log of arrivals, and their settings from a file beside it.
"""

import itertools
import json
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from globe_sms.deployments.sandbox.gateway.delivery_fates import DeliverySettings, Fate, draw_fate

_MISSING_TEXT = ""


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message and its fate; `text` is empty if a restart lost it."""

    message_id: str
    number: str
    task_id: str
    key_id: str
    text: str
    accepted_at: float
    fate: Fate

    def record(self) -> dict[str, object]:
        """Return the message's line in the log of fates, the tests' evidence."""
        return {
            "message_id": self.message_id,
            "number": self.number,
            "task_id": self.task_id,
            "key_id": self.key_id,
            "accepted_at": self.accepted_at,
            "fate": self.fate.kind.value,
            "code": self.fate.code,
            "visible_at": self.fate.visible_at,
            "ends_at": self.fate.ends_at,
        }


@dataclass(frozen=True, slots=True)
class _Call:
    first_id: int
    numbers: "array[int]"
    texts: bytes
    task_id: str
    key_id: str
    accepted_at: float
    settings: DeliverySettings

    def message(self, place: int, texts: Sequence[str]) -> Message:
        number = str(self.numbers[place])
        return Message(
            str(self.first_id + place),
            number,
            self.task_id,
            self.key_id,
            texts[place] if len(texts) > 1 else texts[0],
            self.accepted_at,
            draw_fate(self.settings, self.task_id, number, self.accepted_at),
        )

    def unpacked(self) -> list[str]:
        return json.loads(zlib.decompress(self.texts)) if self.texts else [_MISSING_TEXT]


class Deliveries:
    """All accepted messages since the start or the last reset. One event loop writes; any thread may iterate.

    The settings at a call's acceptance apply to its messages permanently. With `log_numbers: false` nothing is kept
    (`enabled` is False), because the log that a restart reads then has neither numbers nor ids.
    """

    def __init__(self, log: Path, settings: DeliverySettings, *, enabled: bool = True) -> None:
        """Read the log of arrivals; `settings` are the initial ones."""
        self.enabled = enabled
        self._path = log.with_name(f"{log.name}.deliveries")
        self._settings = settings
        self._calls: list[_Call] = []
        self._first_ids: list[int] = []
        if enabled and log.exists():
            self._restore(log)

    def _restore(self, log: Path) -> None:
        changes = [(0, self._settings)]
        if self._path.exists():
            for line in self._path.read_text().splitlines():
                change = json.loads(line)
                changes.append((change["after"], DeliverySettings.model_validate(change["settings"])))
        with log.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):  # the process was killed while it wrote
                    break
                arrival = Arrival.read(line)
                if arrival.accepted:
                    self._settings = changes[bisect_right([after for after, _ in changes], arrival.sequence - 1) - 1][1]
                    self.add(arrival, dict(zip(arrival.numbers, arrival.messages or (), strict=False)))
        self._settings = changes[-1][1]

    @property
    def settings(self) -> DeliverySettings:
        """The settings for calls accepted from now on."""
        return self._settings

    def change(self, settings: DeliverySettings, *, after: int) -> None:
        """Apply other settings to arrivals after the sequence number `after`."""
        line = {"after": after, "settings": settings.model_dump(mode="json")}
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._settings = settings

    def add(self, arrival: Arrival, texts: dict[str, str]) -> None:
        """Store the messages of an accepted call, whatever its caller was told, in the order of the ids."""
        if not self.enabled or not arrival.accepted:
            return
        ids = [int(message_id) for message_id in arrival.accepted.values()]
        kept = [texts.get(number, _MISSING_TEXT) for number in arrival.accepted]
        if len(set(kept)) == 1:
            del kept[1:]
        call = _Call(
            ids[0],
            array("Q", (int(number) for number in arrival.accepted)),
            zlib.compress(json.dumps(kept).encode(), 1) if kept != [_MISSING_TEXT] else b"",
            arrival.task_id,
            arrival.key_id,
            arrival.wall,
            self._settings,
        )
        self._first_ids.append(call.first_id)
        self._calls.append(call)

    def find(self, message_id: str, key_id: str) -> Message | None:
        """Return an account's message by its id; None if it doesn't exist or belongs to another account."""
        call_index = bisect_right(self._first_ids, int(message_id)) - 1
        if call_index < 0:
            return None
        call = self._calls[call_index]
        place = int(message_id) - call.first_id
        if place >= len(call.numbers) or call.key_id != key_id:
            return None
        return call.message(place, call.unpacked())

    def __len__(self) -> int:
        return sum(len(call.numbers) for call in self._calls)

    def messages(self) -> Iterator[Message]:
        """Yield every message, in the order of ids."""
        return itertools.chain.from_iterable(self.calls())

    def calls(self, start: int = 0) -> Iterator[Iterator[Message]]:
        """Yield the messages call by call, from the call at index `start` on."""
        for call in self._calls[start:]:
            texts = call.unpacked()
            yield (call.message(place, texts) for place in range(len(call.numbers)))

    def reset(self, settings: DeliverySettings) -> None:
        """Forget every message, and continue with these settings."""
        self._path.unlink(missing_ok=True)
        self._settings = settings
        self._calls.clear()
        self._first_ids.clear()
