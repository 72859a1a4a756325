"""Keeps every delivery state ever received for a campaign's messages, beside its ledger.

The files are `delivery/<UTC time>-<id>.parquet` in the campaign's folder; they are written once and never change.
`results.parquet` follows from plan, ledger and this archive, so resuming the campaign loses no state.
"""

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.task_ids import chunk_of_task, submission_of_task
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError
from globe_sms.tasks.vocabulary.statuses import Delivery

_FOLDER: Final = "delivery/"
_SUFFIX: Final = ".parquet"
_FROM_ANY: Final = ("task_id", "carrier")


def state_keys(store: Store) -> list[str]:
    """Return the keys of a campaign's states; beside them are the marks of receipts that were read."""
    return [key for key in store.list(_FOLDER) if key.endswith(_SUFFIX)]


def best_known(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row of `STATE_SCHEMA` per message: final states win over pending ones, then the one seen first.

    TaskId and carrier may come from another state of the same message: answers to queries have no TaskId, receipts no
    carrier.
    """
    known = states.sort(pl.col("delivery") == Delivery.PENDING, "seen_at", maintain_order=True).unique(
        "message_id", keep="first", maintain_order=True
    )
    for name in _FROM_ANY:
        said = pl.col(name).is_not_null()
        # Join only the few messages that need it: grouping all of them takes three times the memory.
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
    """The states of one campaign; `store` is its folder, `scratch` a local folder for copies of the files."""

    def __init__(
        self, store: Store, scratch: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._scratch = scratch
        self._clock = clock

    def append(self, states: pl.DataFrame) -> None:
        """Add states; returns when they are in the store. Without rows, nothing is written.

        Raises:
            StoreError: the store didn't accept them.
        """
        if states.is_empty():
            return
        name = f"{self._clock():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex}{_SUFFIX}"
        path = self._scratch / name
        states.select(list(STATE_SCHEMA)).cast(STATE_SCHEMA).write_parquet(path, compression="zstd")
        self._store.put_file_if_absent(f"{_FOLDER}{name}", path)

    def is_empty(self) -> bool:
        """Whether no state was ever received."""
        return not state_keys(self._store)

    def scan(self) -> pl.LazyFrame:
        """Return the best known state of each message; see `best_known`.

        Raises:
            StoreError: a file couldn't be read. No state is ever left out silently.
        """
        files = [self._copy(key) for key in state_keys(self._store)]
        if not files:
            return pl.LazyFrame(schema=STATE_SCHEMA)
        return best_known(pl.scan_parquet(files, glob=False))

    def put_together(self, campaign: str) -> pl.LazyFrame:
        """Return the same as `scan` from one local file, written now, to be read more than once.

        It also has the column `chunk` (UInt32), taken from the message's TaskId; null without one.

        Raises:
            StoreError: as for `scan`.
        """
        path = self._scratch / f"known-{uuid.uuid4().hex}{_SUFFIX}"
        states = self.scan().with_columns(chunk=chunk_of_task(campaign))
        states.sink_parquet(path, compression="lz4", engine="streaming")
        return pl.scan_parquet(path, glob=False)

    def taken_submissions(self, campaign: str) -> Mapping[int, frozenset[int]]:
        """Return the submissions that the gateway certainly accepted, by chunk: one of their messages has a state."""
        if self.is_empty():
            return {}
        found = (
            self.scan()
            .select(chunk_of_task(campaign).alias("chunk"), submission_of_task(campaign).alias("submission"))
            .drop_nulls()
            .group_by("chunk")
            .agg(pl.col("submission").unique())
            .collect()
        )
        return {chunk: frozenset(submissions) for chunk, submissions in found.iter_rows()}

    def _copy(self, key: str) -> Path:
        path = self._scratch / key.removeprefix(_FOLDER)
        if not path.exists():
            fetched = path.with_suffix(".part")
            if not self._store.fetch(key, fetched):
                raise StoreUnavailableError(
                    f"{self._store.uri}/{key} can't be read, although it was listed. Try again."
                )
            fetched.rename(path)
        return path
