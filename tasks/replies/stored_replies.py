"""The replies that `globe-sms receipts` keeps in a place, and who has opted out by them.

Of all that one number wrote, the last STOP or START counts, by the replies' own times; at the same second, STOP. So a
reply that is pushed or read twice changes nothing, and neither does the order in which they come. Where a time can't
be read, a STOP holds for good, and a START counts for nothing.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import MARK
from globe_sms.tasks.delivery.json_scan import Junk, Scan
from globe_sms.tasks.delivery.receipt_shapes import Kind, kind_of, unwrapped
from globe_sms.tasks.recipients.file_content import decompress_stream
from globe_sms.tasks.recipients.file_formats import compression_of
from globe_sms.tasks.replies.opt_out_words import Meaning
from globe_sms.tasks.replies.read_reply import NOT_UNDERSTOOD, Reply, read_reply
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreError

REPLIES: Final = "replies"
"""The folder in a place of receipts."""
STARTED: Final = "_started"
"""The folder in which whatever writes there says when it started: it shows that the place is one."""
AS_A_LIST: Final = f"#{REPLIES}"
"""What follows a place of receipts that stands among opt-out lists."""

_AT_ONCE: Final = 16
_MOST_LISTINGS: Final = 5
_OPTED: Final = {"e164": pl.Int64, "at": pl.Datetime("us", "UTC"), "out": pl.Boolean}


def is_replies(place: str) -> bool:
    """Whether an entry among opt-out lists is a place of receipts, whose replies are meant."""
    return place.endswith(AS_A_LIST)


def place_of(entry: str) -> str:
    """Return the place of an entry that `is_replies`."""
    return entry.removesuffix(AS_A_LIST).rstrip("/")


@dataclass(frozen=True, slots=True)
class ReplyCounts:
    """How many replies there are: STOP, START, others, and those that couldn't be read, or their number or time."""

    stop: int = 0
    start: int = 0
    other: int = 0
    not_understood: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.stop + self.start + self.other + self.not_understood


class StoredReplies:
    """Reads replies object by object; each is read once.

    Args:
        store: The place that `globe-sms receipts` writes to.
        now: Gives the current time.
        note: Is given each reply.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        note: Callable[[Reply], object] = lambda _: None,
    ) -> None:
        self._store = store
        self._now = now
        self._note = note
        self._read: frozenset[str] = frozenset()
        self._opted = pl.DataFrame(schema=_OPTED)
        self._looks = 0
        self._file: Path | None = None
        self.counts = ReplyCounts()

    def look(self) -> bool:
        """Read what is new; return whether somebody's STOP or START is.

        Raises:
            InputError: no endpoint ever wrote to the place.
            StoreError: it can't be read.
        """
        replies = self._read_new()
        self._count(replies)
        said = [
            (reply.e164, reply.at, reply.meaning is Meaning.STOP)
            for reply in replies
            if reply.e164 is not None and reply.meaning is not Meaning.OTHER and _counts(reply)
        ]
        if said:
            self._opted = _last_words(pl.concat([self._opted, pl.DataFrame(said, schema=_OPTED, orient="row")]))
        return bool(said)

    @property
    def opted_out(self) -> pl.Series:
        """The numbers that have opted out, as integers."""
        return self._opted.filter("out")["e164"]

    def file(self, folder: Path) -> Path:
        """Return a file for `leave_out` with the numbers that have opted out; the same one while that hasn't changed.

        Raises:
            InputError: the place can't be read, or no endpoint ever wrote to it.
        """
        try:
            changed = self.look()
        except StoreError as error:
            raise InputError(f"{self._store.uri}/{REPLIES}: the replies can't be read: {error}") from error
        if changed or self._file is None:
            self._looks += 1
            digest = hashlib.sha256(self._store.uri.encode()).hexdigest()[:12]
            self._file = folder / f"replies-{digest}-{self._looks}.parquet"
            source = pl.lit(f"{self._store.uri}/{REPLIES}").alias("source")
            self.opted_out.to_frame().select("e164", source).write_parquet(self._file, compression="lz4")
        return self._file

    def _read_new(self) -> list[Reply]:
        """Read the objects that weren't read before.

        Objects may be put together meanwhile (`put_together`): what is gone then lies in a new one.
        """
        replies: list[Reply] = []
        for _ in range(_MOST_LISTINGS):
            new = [key for key in reply_keys(self._store) if key not in self._read]
            found = self._all(new)
            read = {key: of_object for key, of_object in zip(new, found, strict=True) if of_object is not None}
            self._read |= frozenset(read)
            replies += [reply for of_object in read.values() for reply in of_object]
            if len(read) == len(new):
                return replies
        raise InputError(
            f"{self._store.uri}/{REPLIES}: objects disappear while they are read, so somebody's STOP may be missing: "
            "run the same command again."
        )

    def _all(self, keys: Sequence[str]) -> list[list[Reply] | None]:
        if not keys:
            return []
        with ThreadPoolExecutor(min(_AT_ONCE, len(keys)), thread_name_prefix="replies") as pool:
            return list(pool.map(self._of_object, keys))

    def _of_object(self, key: str) -> list[Reply] | None:
        stored = self._store.get(key)
        if stored is None:
            return None
        uri, now = f"{self._store.uri}/{key}", self._now()
        pieces = decompress_stream(uri, io.BytesIO(stored.body), compression_of(stored.body))
        return [reply for found in Scan(pieces) for reply in _replies_in(found, now)]

    def _count(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            self._note(reply)
        understood = [reply.meaning for reply in replies if reply.is_understood]
        self.counts = ReplyCounts(
            stop=self.counts.stop + understood.count(Meaning.STOP),
            start=self.counts.start + understood.count(Meaning.START),
            other=self.counts.other + understood.count(Meaning.OTHER),
            not_understood=self.counts.not_understood + len(replies) - len(understood),
        )


def reply_keys(store: Store) -> list[str]:
    """Return the keys of a place's replies; they tell whether there are new ones, because each object stays as it is.

    Raises:
        InputError: no endpoint ever wrote to the place.
        StoreError: it can't be read.
    """
    keys = [key for key in store.list(f"{REPLIES}/") if not key.startswith(f"{REPLIES}/_")]
    if not keys and next(iter(store.list(f"{STARTED}/")), None) is None:
        raise InputError(
            f"{store.uri}: globe-sms receipts serve or pull never wrote there, so nobody's STOP would be known. Name "
            "the place that --to names."
        )
    return keys


def _replies_in(found: dict[str, Any] | Junk, now: datetime) -> list[Reply]:
    """Return the replies of an object or a line; what is neither a reply nor erased is one that isn't understood."""
    if isinstance(found, Junk):
        return [NOT_UNDERSTOOD]
    objects = [fields for fields in unwrapped(found) if not str(fields.get("phone_number")).startswith(MARK)]
    return [read_reply(fields, now=now) if kind_of(fields) is Kind.REPLY else NOT_UNDERSTOOD for fields in objects]


def _counts(reply: Reply) -> bool:
    return reply.at is not None or reply.meaning is Meaning.STOP


def _last_words(said: pl.DataFrame) -> pl.DataFrame:
    """Return the last word of each number: a STOP without a time is later than all, and one wins at the same time."""
    return said.sort("at", "out", nulls_last=True).unique("e164", keep="last", maintain_order=True)
