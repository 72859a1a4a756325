"""Validates a whole list: one column of recipients in, five columns of verdicts out.

`phonenumbers` itself reads short lists, each distinct text once. From `ROWS_WORTH_A_TABLE` rows on, a table of all
numbers is compiled, or read from the cache, and rows are looked up in it, some millions a second; odd texts still go
to `phonenumbers`. The verdicts are the same.
"""

import threading
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import phonenumbers
import polars as pl

from globe_sms.tasks.numbers.libphonenumber import Verdict, cache_patterns, checked_region, validate_text
from globe_sms.tasks.numbers.lookup_keys import keys_of
from globe_sms.tasks.numbers.lookup_table import Table, catalogue, codes, overridden, plain_verdict
from globe_sms.tasks.numbers.prefix_overrides import NO_OVERRIDES, MobileOverride, Overrides
from globe_sms.tasks.numbers.region_table import cached_table, compiled_table
from globe_sms.tasks.numbers.table_cache import cache_folder
from globe_sms.tasks.vocabulary.row_reasons import (
    INVALID_NUMBER_REASONS,
    LISTED_NUMBER_REASONS,
    UNSUPPORTED_NUMBER_REASONS,
)
from globe_sms.tasks.vocabulary.statuses import STATUSES

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

RECIPIENT: Final = "recipient"
# Columns with few values are enums, one byte a row: as texts, region and reason took as long to write as all others.
VERDICT_COLUMNS: Final[dict[str, pl.DataType]] = {
    "phone_number": pl.String(),  # E.164 with its plus sign
    "region": pl.Enum(sorted(phonenumbers.SUPPORTED_REGIONS)),  # ISO 3166 alpha-2
    "status": pl.Enum(STATUSES),  # null if a text can be sent
    "reason": pl.Enum(
        [reason.value for reason in (*INVALID_NUMBER_REASONS, *LISTED_NUMBER_REASONS, *UNSUPPORTED_NUMBER_REASONS)]
    ),
    "e164": pl.Int64(),  # the digits of `phone_number` as an integer, for deduplication and joins
}
# The columns looked up for each row; `phone_number` is made from them when it's selected.
FOUND_COLUMNS: Final = {name: dtype for name, dtype in VERDICT_COLUMNS.items() if name != "phone_number"}
ROWS_WORTH_A_TABLE: Final = 50_000  # at most as many as `phonenumbers` reads while a table is compiled
_VERDICT: Final = "__verdict"


def validate(frame: Frame, *, default_region: str | None, overrides: Overrides = NO_OVERRIDES) -> Frame:
    """Add `VERDICT_COLUMNS` to a frame with the column `recipient` (String).

    `status` is null if a text can be sent; `phone_number`, `e164` and `region` are set for every valid number (`region`
    only if it belongs to one). Existing columns of these names are replaced. A lazy frame stays lazy and goes through
    the streaming engine in batches. `overrides` always apply.

    Raises:
        InputError: libphonenumber doesn't know the default region.
    """
    return add_verdicts(frame, Validator(checked_region(default_region), overrides))


def add_verdicts(frame: Frame, validator: "Validator") -> Frame:
    """Add `VERDICT_COLUMNS` to a frame with this validator."""
    validated = pl.col(RECIPIENT).map_batches(validator, return_dtype=pl.Struct(FOUND_COLUMNS), is_elementwise=True)
    found = pl.col(_VERDICT).struct
    made = {"phone_number": pl.concat_str(pl.lit("+"), found.field("e164"))}
    return frame.with_columns(validated.alias(_VERDICT)).select(
        pl.exclude(_VERDICT, *VERDICT_COLUMNS),
        *(made.get(name, found.field(name)).alias(name) for name in VERDICT_COLUMNS),
    )


class Validator:
    """Validates batches of recipients, with or without a table, depending on their number. Thread-safe."""

    def __init__(
        self,
        default_region: str | None,
        overrides: Overrides = NO_OVERRIDES,
        *,
        worth_a_table: int = ROWS_WORTH_A_TABLE,
        folder: Path | None = None,
    ) -> None:
        """Use a checked default region; `folder` caches compiled tables (default: the user's cache folder)."""
        self._default_region = default_region
        self._overrides = overrides
        self._override = OverrideCodes(overrides) if overrides.mobile else None
        self._worth_a_table = worth_a_table
        self._folder = folder or cache_folder()
        self._lock = threading.Lock()
        self._rows = 0
        self._table: Table | None = None
        self._has_looked = False
        self._has_compiled = False

    def __call__(self, recipients: pl.Series) -> pl.Series:
        """Return a struct of `FOUND_COLUMNS` for each recipient."""
        table = self._table_for(recipients.len())
        if table is None:
            return validate_by_libphonenumber(recipients, self._default_region, self._overrides)
        return self.look_up_in_table(recipients, table)

    def look_up_in_table(self, recipients: pl.Series, table: Table) -> pl.Series:
        """Look up each recipient, and validate the odd ones with libphonenumber."""
        found, values = table.look_up(keys_of(recipients))
        if self._override is not None:
            found = self._override(found, values)
        odd = (found == codes()[None]).arg_true()
        if not odd.is_empty():
            texts = recipients.gather(odd)
            read = _read_uniques(texts, self._default_region, self._overrides)
            rows = texts.to_frame(RECIPIENT).join(read, on=RECIPIENT, how="left", maintain_order="left")
            found, values = found.scatter(odd, rows["code"]), values.scatter(odd, rows["value"])
        return _structs(found, values)

    def _table_for(self, rows: int) -> Table | None:
        with self._lock:
            self._rows += rows
            if not self._has_looked:
                self._table = cached_table(self._default_region, self._folder)
                self._has_looked = True
            if self._table is None and not self._has_compiled and self._rows >= self._worth_a_table:
                self._table = compiled_table(self._default_region, self._folder)
                self._has_compiled = True
            return self._table


class OverrideCodes:
    """Applies overrides to codes from the table."""

    def __init__(self, overrides: Overrides) -> None:
        """Convert the prefixes to ranges, once."""
        starts, mobile = zip(*overrides.ranges(), strict=True)
        self._starts = pl.Series(starts, dtype=pl.Int64)
        self._overrides = pl.Series(mobile, dtype=pl.UInt32)
        self._codes = pl.Series(
            [codes()[overridden(entry, override)] for override in MobileOverride for entry in catalogue()],
            dtype=pl.UInt16,
        )

    def __call__(self, found: pl.Series, values: pl.Series) -> pl.Series:
        """Return the overridden codes for codes and E.164 digits; codes without digits stay."""
        ranges = self._starts.search_sorted(values, side="right").cast(pl.Int64) - 1
        said = self._overrides.gather(ranges.clip(0))
        return self._codes.gather(said * len(catalogue()) + found)


def validate_by_libphonenumber(
    recipients: pl.Series, default_region: str | None, overrides: Overrides = NO_OVERRIDES
) -> pl.Series:
    """Validate each distinct text with `phonenumbers`; return a struct of `FOUND_COLUMNS` for each row."""
    cache_patterns()
    texts = recipients.unique()
    verdicts = [validate_text(text, default_region, overrides) for text in texts]
    read = _verdict_columns(verdicts).insert_column(0, texts.alias(RECIPIENT))
    rows = recipients.to_frame(RECIPIENT).join(read, on=RECIPIENT, how="left", nulls_equal=True, maintain_order="left")
    return rows.select(pl.struct(*FOUND_COLUMNS)).to_series()


def _read_uniques(recipients: pl.Series, default_region: str | None, overrides: Overrides) -> pl.DataFrame:
    """Validate each distinct text; return its catalogue code and its E.164 digits as an integer."""
    texts = recipients.unique()
    verdicts = [validate_text(text, default_region, overrides) for text in texts]
    return pl.DataFrame(
        {
            RECIPIENT: texts,
            "code": [codes()[replace(verdict, phone_number=None)] for verdict in verdicts],
            "value": [int(verdict.phone_number or 0) for verdict in verdicts],
        },
        schema={RECIPIENT: pl.String(), "code": pl.UInt16(), "value": pl.Int64()},
    )


def _structs(found: pl.Series, values: pl.Series) -> pl.Series:
    return pl.DataFrame({"code": found, "value": values}).select_seq(_found_columns()).to_struct(RECIPIENT)


@cache
def _found_columns() -> list[pl.Expr]:
    """Return the expressions for `FOUND_COLUMNS` from a frame of codes and E.164 digits."""
    entries = _catalogue_columns()
    code, value = pl.col("code"), pl.col("value")
    columns = {name: pl.lit(entries[name]).gather(code) for name in FOUND_COLUMNS if name != "e164"}
    columns["e164"] = pl.when(pl.lit(entries["is_number"]).gather(code)).then(value)
    return [columns[name].alias(name) for name in FOUND_COLUMNS]


@cache
def _catalogue_columns() -> pl.DataFrame:
    entries = [plain_verdict(entry) or Verdict() for entry in catalogue()]
    is_number = pl.Series("is_number", [entry.has_number for entry in entries])
    return _verdict_columns(entries).with_columns(is_number)


def _verdict_columns(verdicts: list[Verdict]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [getattr(verdict, name) for verdict in verdicts] for name in FOUND_COLUMNS}, schema=FOUND_COLUMNS
    )
