"""What of an object's rows is erased, in plans, results and deliveries: parquet files with a number in each row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import NumberHashes, is_hashed
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA, digits_in
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.planning.frozen_plan import ALL_HASHED, HASHES, with_phone_numbers
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreUnavailableError

_SOME: Final = "some"
_OF_PLANS: Final = ("message", "segments", "position", "first_source", "first_row")
_OF_OTHERS: Final = frozenset((*RESULTS_SCHEMA, *STATE_SCHEMA, *_OF_PLANS))
_ARROW: Final = "ARROW:schema"


def no_s3() -> S3Access:
    """Return no access.

    Raises:
        InputError: always.
    """
    raise InputError("a table on S3 has rows of a campaign, and there's no access to S3 to erase them")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is erased: one number (E.164 with its plus sign), or all of them (None).

    `s3` gives the access to the tables that campaigns share, where these are on S3.
    """

    hashes: NumberHashes
    phone_number: str | None = None
    s3: Callable[[], S3Access] = no_s3

    def concerns(self, names: pl.Schema) -> pl.Expr:
        """Return whether a row is erased, and hasn't been yet."""
        if self.phone_number is None:
            left = [pl.col(name).is_not_null() for name in ("recipient", *_of_lists(names)) if name in names]
            texts = [~is_hashed(name) & pl.col(name).is_not_null() for name in _hashed(names)]
            return pl.any_horizontal(*left, *texts)
        mentions = [self._mentions(name, dtype) for name, dtype in _of_lists(names).items()]
        return pl.any_horizontal(self._is_of(names), *mentions)

    def _is_of(self, names: pl.Schema) -> pl.Expr:
        """Return whether a row is the number's: as a phone number, or as the list wrote it."""
        number = (pl.col("phone_number") == self.phone_number).fill_null(value=False)
        return number | self._mentions("recipient", names["recipient"]) if "recipient" in names else number

    def _mentions(self, name: str, dtype: pl.DataType) -> pl.Expr:
        """Return whether a value has the number's digits, among others of another person, too."""
        digits = digits_in(name, dtype)
        if digits is None:
            return pl.lit(value=False)
        return digits.str.contains((self.phone_number or "+")[1:], literal=True).fill_null(value=False)

    def erased(self, names: pl.Schema) -> Mapping[str, pl.Expr]:
        """Return the columns that change, as they are afterwards.

        A row of the number loses all that its list says of it; another row loses only a value that has the number.
        """
        hashes = self.hashes
        of_row = self.concerns(names) if self.phone_number is None else self._is_of(names)
        number: dict[str, Any] = {"return_dtype": pl.String, "is_elementwise": True}
        found: dict[str, pl.Expr] = {
            "phone_number": pl.col("phone_number").map_batches(hashes.numbers, **number)
            if self.phone_number is None
            else pl.when(pl.col("phone_number") == self.phone_number)
            .then(pl.lit(hashes.number(self.phone_number)))
            .otherwise("phone_number")
        }
        if "recipient" in names:
            found["recipient"] = pl.lit(None, dtype=pl.String)
        if "message" in _hashed(names):
            # A text may name its recipient; what others got stays, so that it's found again.
            found["message"] = pl.col("message").map_batches(hashes.texts, **number)
        changed = {name: pl.when(of_row).then(new).otherwise(pl.col(name)) for name, new in found.items()}
        for name, dtype in _of_lists(names).items():
            gone = of_row if self.phone_number is None else of_row | self._mentions(name, dtype)
            changed[name] = pl.when(~gone).then(pl.col(name))
        return changed


def _of_lists(names: pl.Schema) -> dict[str, pl.DataType]:
    """Return an object's columns that are a list's own, and may say anything about a person; ours don't.

    In results a list's column may have the name of one that only plans or deliveries have, such as `position`.
    """
    ours = RESULTS_SCHEMA if _are_results(names) else _OF_OTHERS
    return {name: dtype for name, dtype in names.items() if name not in ours}


def _hashed(names: pl.Schema) -> list[str]:
    """Return an object's columns of which hashes stay."""
    of_lists = _of_lists(names)
    return [name for name in ("phone_number", "message") if name in names and name not in of_lists]


def _are_results(names: pl.Schema) -> bool:
    return names.keys() >= RESULTS_SCHEMA.keys()


def erase_rows(store: Store, key: str, erasure: Erasure, scratch: Path, *, apply: bool) -> int:
    """Erase what an object has of a number, or of all; return how many rows that concerns. Doing it again is harmless.

    The object is replaced in one write: readers see either the old or the new one. Nothing is written without `apply`.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    before, after = scratch / "before.parquet", scratch / "after.parquet"
    if not store.fetch(key, before):
        raise StoreUnavailableError(f"{store.uri}/{key} is gone, although it was listed. Try again.")
    rows = pl.scan_parquet(before, glob=False)
    names = rows.collect_schema()
    is_plan = "position" in names and not _are_results(names)
    if is_plan:
        rows = with_phone_numbers(rows)
        names = rows.collect_schema()
    concerned = erasure.concerns(names)
    count = int(rows.select(concerned.sum()).collect(engine="streaming").item())
    metadata = {name: value for name, value in pl.read_parquet_metadata(before).items() if name != _ARROW}
    is_noted = metadata.get(HASHES) == ALL_HASHED or (erasure.phone_number is not None and HASHES in metadata)
    if apply and (count or (is_plan and erasure.phone_number is None and not is_noted)):
        if is_plan and not is_noted:
            metadata[HASHES] = ALL_HASHED if erasure.phone_number is None else _SOME
        rows.with_columns(new.alias(name) for name, new in erasure.erased(names).items()).sink_parquet(
            after, compression="zstd", statistics=not is_plan, metadata=metadata, engine="streaming"
        )
        store.put_file(key, after)
    return count
