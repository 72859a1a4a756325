"""The evidence: every final state of a campaign's messages that was ever learnt, kept beside its ledger.

Under the campaign's folder, `delivery/<UTC time>-<id>.parquet`; written once, never changed. `results.parquet` is a
function of plan, ledger and this archive, so a resume of the campaign loses nothing of it.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.task_ids import chunk_of_task
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError
from globe_sms.tasks.vocabulary.statuses import Delivery

FOLDER: Final = "delivery/"
_SUFFIX: Final = ".parquet"
_FROM_ANY: Final = ("task_id", "carrier")


def best_known(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row of `STATE_SCHEMA` a message: a final state before a pending one, then the one seen first.

    Its TaskId and its carrier may come from another state of the message: answers to queries have no TaskId, and
    receipts no carrier.
    """
    known = states.sort(pl.col("delivery") == Delivery.PENDING, "seen_at", maintain_order=True).unique(
        "message_id", keep="first", maintain_order=True
    )
    for name in _FROM_ANY:
        said = pl.col(name).is_not_null()
        # Only what one state has and another has not, which is little: a grouping takes three times the memory.
        elsewhere = (
            states.filter(said)
            .join(states.filter(~said), on="message_id", how="semi")
            .select("message_id", pl.col(name).alias("elsewhere"))
            .unique("message_id")
        )
        known = (
            known.join(elsewhere, on="message_id", how="left", maintain_order="left")
            .with_columns(pl.coalesce(name, "elsewhere").alias(name))
            .drop("elsewhere")
        )
    return known


class DeliveryArchive:
    """The states of one campaign; `store` is its folder, `scratch` a local one for copies of the parts."""

    def __init__(
        self, store: Store, scratch: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._scratch = scratch
        self._clock = clock

    def append(self, states: pl.DataFrame) -> None:
        """Keep some states; returns when they are in the store. Without rows nothing is written.

        Raises:
            StoreError: the store did not take them.
        """
        if states.is_empty():
            return
        name = f"{self._clock():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex}{_SUFFIX}"
        path = self._scratch / name
        states.select(list(STATE_SCHEMA)).cast(STATE_SCHEMA).write_parquet(path, compression="zstd")
        self._store.put_file_if_absent(f"{FOLDER}{name}", path)

    def is_empty(self) -> bool:
        """Whether nothing was ever learnt."""
        return next(iter(self._parts()), None) is None

    def scan(self) -> pl.LazyFrame:
        """Return what is known of each message, as `best_known` says.

        Raises:
            StoreError: a part could not be read; states are never taken for fewer than there are.
        """
        files = [self._copy(key) for key in self._parts()]
        if not files:
            return pl.LazyFrame(schema=STATE_SCHEMA)
        return best_known(pl.scan_parquet(files, glob=False))

    def put_together(self, campaign: str) -> pl.LazyFrame:
        """Return the same from one local file that is written now, for who reads it more than once.

        It has the column `chunk` (UInt32) besides, which the message's TaskId names; null where it names none.

        Raises:
            StoreError: as `scan`.
        """
        path = self._scratch / f"known-{uuid.uuid4().hex}{_SUFFIX}"
        states = self.scan().with_columns(chunk=chunk_of_task(campaign))
        states.sink_parquet(path, compression="lz4", engine="streaming")
        return pl.scan_parquet(path, glob=False)

    def taken_chunks(self, campaign: str) -> frozenset[int]:
        """Return the chunks that the gateway took for certain: a message of theirs has a state."""
        if self.is_empty():
            return frozenset()
        found = self.scan().select(chunk_of_task(campaign).alias("chunk").unique().drop_nulls()).collect()
        return frozenset(found["chunk"])

    def _parts(self) -> list[str]:
        return [key for key in self._store.list(FOLDER) if key.endswith(_SUFFIX)]

    def _copy(self, key: str) -> Path:
        path = self._scratch / key.removeprefix(FOLDER)
        if not path.exists():
            fetched = path.with_suffix(".part")
            if not self._store.fetch(key, fetched):
                raise StoreUnavailableError(f"{self._store.uri}/{key} was listed and cannot be read; try again.")
            fetched.rename(path)
        return path
