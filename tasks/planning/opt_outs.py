"""The opt-out lists of a campaign: who must not be texted, as the lists are now.

`s3://bucket/receipts#replies` among them stands for the people whose last word to a text was STOP (`tasks.replies`).

A list that can't be read is never taken for an empty one, and a row that isn't a phone number stops the campaign unless
the operator says that such rows may be passed over.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.options.left_out import OnDamaged
from globe_sms.tasks.numbers import NO_OVERRIDES, Overrides, validate
from globe_sms.tasks.planning.left_out import write_numbers
from globe_sms.tasks.recipients import (
    ListSource,
    holds_several,
    in_words_of_table,
    list_files,
    open_table,
    place_of_row,
    refusal,
    split_format,
)
from globe_sms.tasks.replies.stored_replies import StoredReplies, is_replies, place_of, reply_keys
from globe_sms.tasks.store.open_store import open_existing
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, about
from globe_sms.tasks.vocabulary.row_reasons import RowReason, explain_reason
from globe_sms.tasks.vocabulary.statuses import Status

OPTION: Final = "--suppress"
_MOST_NAMED: Final = 5  # lists with damaged rows
_IS_DAMAGED: Final = pl.col("e164").is_null() & (pl.col("reason") != RowReason.EMPTY)


@dataclass(frozen=True, slots=True)
class _Damaged:
    """How many rows of a list are neither blank nor phone numbers, and the first of them.

    `of` is how many rows it has; `is_all`: none of them is a phone number.
    """

    rows: int
    of: int
    first: int | None
    reason: str | None
    is_all: bool


@dataclass(frozen=True, slots=True)
class _ReadList:
    """A list as it was read: its files and their content then, its numbers, and the rows passed over by source."""

    identity: tuple[tuple[str, str], ...]
    file: Path
    damaged: Mapping[str, int]


class OptOutLists:
    """The opt-out lists that a run was given; a list is read again only if it has changed.

    A list may have any format and any usual name of the number column, like a recipient list; what isn't usual is given
    after its URI (`recipients.table_format`). Blank rows are passed over.
    """

    def __init__(
        self,
        places: Sequence[str],
        s3: Callable[[], S3Access],
        folder: Path,
        *,
        default_region: str | None = None,
        overrides: Overrides = NO_OVERRIDES,
        on_damaged: OnDamaged = OnDamaged.REFUSE,
    ) -> None:
        """Take where the lists are; nothing is read yet.

        Args:
            places: Their URIs, optionally with how each is read.
            s3: Gives the access to S3.
            folder: A local folder that stays as long as the files are used.
            default_region: The country of local numbers, in lists that don't name their own.
            overrides: Prefixes that count as mobile: their numbers can be texted, so they can opt out.
            on_damaged: What to do with rows that aren't phone numbers.
        """
        self._places = tuple(dict.fromkeys(places))
        self._s3 = s3
        self._folder = folder
        self._default_region = default_region
        self._overrides = overrides
        self._on_damaged = on_damaged
        self._read: dict[str, _ReadList] = {}
        self._replies: dict[str, StoredReplies] = {}
        self._numbers = count()

    def use(self, places: Sequence[str]) -> None:
        """Use other lists from the next look on; lists in both are read again only if they have changed."""
        self._places = tuple(dict.fromkeys(places))

    @about(OPTION)
    def files(self) -> tuple[Path, ...]:
        """Return a file of numbers for each list, for `leave_out`; the same files as long as no list has changed.

        Raises:
            InputError: a list can't be read, none of its rows is a phone number, or one of them is damaged.
        """
        return tuple(self._read_if_changed(place).file for place in self._places)

    @property
    def read_files(self) -> tuple[Path, ...]:
        """The files as they were last read."""
        return tuple(read.file for read in self._read.values())

    @property
    def passed_over(self) -> Mapping[str, int]:
        """How many rows aren't phone numbers and were passed over, by list; only lists with such rows."""
        found: dict[str, int] = {}
        for read in self._read.values():
            found |= read.damaged
        return found

    def _read_if_changed(self, place: str) -> "_ReadList":
        if is_replies(place):
            if place not in self._replies:
                self._replies[place] = StoredReplies(open_existing(place_of(place), self._s3, OPTION))
            self._read[place] = _ReadList((), self._replies[place].file(self._folder), {})
            return self._read[place]
        uri, _ = split_format(place)
        identity = tuple((file.uri, file.identity) for file in list_files(uri, self._s3))
        before = self._read.get(place)
        if before is None or before.identity != identity:
            self._read[place] = self._read_list(place, identity)
        return self._read[place]

    def _read_list(self, place: str, identity: tuple[tuple[str, str], ...]) -> "_ReadList":
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            rows = Path(folder) / "rows.parquet"
            with open_table(place, self._s3, option=OPTION) as table:
                region = table.format.region_or(self._default_region)
                _judged(validate(table.rows, default_region=region, overrides=self._overrides)).sink_parquet(
                    rows, compression="lz4", engine="streaming"
                )
            read = pl.scan_parquet(rows, glob=False)
            damaged = _damaged_rows(read)
            refused = [
                _refusal_of(source, damaged[source.uri], self._s3)
                for source in table.sources
                if source.uri in damaged and (damaged[source.uri].is_all or self._on_damaged is OnDamaged.REFUSE)
            ]
            if refused:
                raise InputError("\n".join(in_words_of_table(said, OPTION, place) for said in refused[:_MOST_NAMED]))
            file = self._folder / f"opt-outs-{next(self._numbers)}.parquet"
            write_numbers(read, file)
        return _ReadList(identity, file, {source: each.rows for source, each in damaged.items()})


@about(OPTION)
def identities_of(places: Iterable[str], s3: Callable[[], S3Access]) -> list[str]:
    """Return what tells whether lists have changed: the files of each, and what identifies their content."""
    found = (
        (place, file) for place in places if not is_replies(place) for file in list_files(split_format(place)[0], s3)
    )
    lists = [f"{place} {file.uri} {file.identity}" for place, file in found]
    return lists + [f"{place} {_state_of_replies(place, s3)}" for place in places if is_replies(place)]


@about(OPTION)
def check_opt_outs(places: Iterable[str], s3: Callable[[], S3Access]) -> None:
    """Find opt-out lists that can't be read, by the first bytes and the columns of each; a second for a hundred.

    Raises:
        InputError: a list doesn't exist, can't be read, has an unknown format, or has no column of phone numbers.
    """
    for place in places:
        if is_replies(place):
            _state_of_replies(place, s3)
            continue
        with open_table(place, s3, option=OPTION):
            pass


def _state_of_replies(place: str, s3: Callable[[], S3Access]) -> str:
    """Return what changes with each object of replies.

    Raises:
        InputError: the place can't be read, or no endpoint ever wrote to it.
    """
    try:
        keys = reply_keys(open_existing(place_of(place), s3, OPTION))
    except StoreError as error:
        raise InputError(f"{place}: the replies can't be read: {error}") from error
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


def _judged(read: pl.LazyFrame) -> pl.LazyFrame:
    """Return source, row, number and reason. A cell with several numbers is damage: one of them alone would be read."""
    several = pl.col("recipient").map_batches(holds_several, return_dtype=pl.Boolean, is_elementwise=True)
    return read.select(
        "source",
        "row",
        e164=pl.when(~several).then("e164"),
        reason=pl.when(several)
        .then(pl.lit(RowReason.SEVERAL_NUMBERS.value))
        .otherwise(pl.col("reason").cast(pl.String)),
    )


def _damaged_rows(read: pl.LazyFrame) -> dict[str, _Damaged]:
    """Return what is wrong with the rows of each list that has damaged ones, or no phone number at all."""
    first = pl.col("row").filter(_IS_DAMAGED).min()
    lists = (
        read.group_by("source")
        .agg(
            pl.len().alias("of"),
            pl.col("e164").count().alias("numbers"),
            _IS_DAMAGED.sum().alias("rows"),
            first.alias("first"),
            pl.col("reason").filter(_IS_DAMAGED).sort_by(pl.col("row").filter(_IS_DAMAGED)).first().alias("why"),
        )
        .sort("source")
        .collect(engine="streaming")
    )
    return {
        row["source"]: _Damaged(row["rows"], row["of"], row["first"], row["why"], is_all=not row["numbers"])
        for row in lists.iter_rows(named=True)
        if row["rows"] or not row["numbers"]
    }


def _refusal_of(source: ListSource, damaged: _Damaged, s3: Callable[[], S3Access]) -> str:
    """Say which row isn't a phone number, why, and what to do."""
    if damaged.first is None:
        return str(refusal(source.uri, f"all of its {damaged.of:,} rows are blank, so nobody would be left out"))
    where = place_of_row(source, damaged.first, s3)
    why = explain_reason(Status.INVALID, damaged.reason)
    if damaged.is_all:
        what = f"none of its {damaged.of:,} rows is a phone number, so nobody would be left out: {where} is"
        return str(refusal(source.uri, f"{what} {damaged.reason}. {why}"))
    also = f" In all, {damaged.rows:,} of its {damaged.of:,} rows aren't." if damaged.rows > 1 else ""
    return str(
        refusal(
            source.uri,
            f"{where} isn't a phone number ({damaged.reason}).{also} {why} To pass over such rows, although these "
            "people may then be texted, add --suppress-damaged skip",
        )
    )
