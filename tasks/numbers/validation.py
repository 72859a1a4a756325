"""A whole list judged: one column of recipients in, five columns of verdicts out.

Short lists are read by `phonenumbers` itself, each different text once. From `ROWS_WORTH_A_TABLE` on, a table of all
numbers is compiled, or taken from the cache, and rows are looked up in it, some millions a second; odd texts still go
to `phonenumbers`. The verdicts are the same.
"""

import threading
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import phonenumbers
import polars as pl

from globe_sms.tasks.numbers.libphonenumber import Verdict, checked_region, keep_patterns, validate_text
from globe_sms.tasks.numbers.lookup_keys import keys_of
from globe_sms.tasks.numbers.lookup_table import Table, catalogue, codes, overridden, plain_verdict
from globe_sms.tasks.numbers.prefix_overrides import NO_OVERRIDES, Overrides, Says
from globe_sms.tasks.numbers.region_table import compiled_table, kept_table
from globe_sms.tasks.numbers.table_cache import cache_folder
from globe_sms.tasks.vocabulary.row_reasons import INVALID_NUMBER_REASONS, UNSUPPORTED_NUMBER_REASONS
from globe_sms.tasks.vocabulary.statuses import STATUSES

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

RECIPIENT: Final = "recipient"
# What has few values is an enum, one byte a row: as texts, region and reason took as long to write as all the others.
VERDICT_COLUMNS: Final[dict[str, pl.DataType]] = {
    "phone_number": pl.String(),  # E.164 with its plus sign
    "region": pl.Enum(sorted(phonenumbers.SUPPORTED_REGIONS)),  # ISO 3166 alpha-2
    "status": pl.Enum(STATUSES),  # null where a text can be sent
    "reason": pl.Enum([reason.value for reason in (*INVALID_NUMBER_REASONS, *UNSUPPORTED_NUMBER_REASONS)]),
    "e164": pl.Int64(),  # the digits of `phone_number` as one integer: what to dedupe and join on
}
# What is looked up for each row; `phone_number` is written from it where somebody asks for it.
FOUND_COLUMNS: Final = {name: dtype for name, dtype in VERDICT_COLUMNS.items() if name != "phone_number"}
ROWS_WORTH_A_TABLE: Final = 50_000  # what `phonenumbers` reads in the time that a table takes to compile, or less
_VERDICT: Final = "__verdict"


def validate(frame: Frame, *, default_region: str | None, overrides: Overrides = NO_OVERRIDES) -> Frame:
    """Add `VERDICT_COLUMNS` to a frame with the column `recipient` (String).

    `status` is null where a text can be sent; `phone_number`, `e164` and `region` are set for every valid number
    (`region` not for those that belong to no region). Columns of these names are replaced. A lazy frame stays lazy
    and goes through the streaming engine a batch at a time. `overrides` are applied on either way.

    Raises:
        InputError: libphonenumber knows no such default region.
    """
    return add_verdicts(frame, Judge(checked_region(default_region), overrides))


def add_verdicts(frame: Frame, way: "Judge") -> Frame:
    """Add `VERDICT_COLUMNS` to a frame, judged in this way."""
    validated = pl.col(RECIPIENT).map_batches(way, return_dtype=pl.Struct(FOUND_COLUMNS), is_elementwise=True)
    found = pl.col(_VERDICT).struct
    made = {"phone_number": pl.concat_str(pl.lit("+"), found.field("e164"))}
    return frame.with_columns(validated.alias(_VERDICT)).select(
        pl.exclude(_VERDICT, *VERDICT_COLUMNS),
        *(made.get(name, found.field(name)).alias(name) for name in VERDICT_COLUMNS),
    )


class Judge:
    """Judges batches of recipients, by the way that is quicker for their number. Safe to call from many threads."""

    def __init__(
        self,
        default_region: str | None,
        overrides: Overrides = NO_OVERRIDES,
        *,
        worth_a_table: int = ROWS_WORTH_A_TABLE,
        folder: Path | None = None,
    ) -> None:
        """Take a checked default region; `folder` keeps compiled tables (default: the user's cache folder)."""
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
        """Return one struct of `FOUND_COLUMNS` for each recipient."""
        table = self._table_for(recipients.len())
        if table is None:
            return judge_by_reference(recipients, self._default_region, self._overrides)
        return self.by_table(recipients, table)

    def by_table(self, recipients: pl.Series, table: Table) -> pl.Series:
        """Look each recipient up, and have the reference read the odd ones."""
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
                self._table = kept_table(self._default_region, self._folder)
                self._has_looked = True
            if self._table is None and not self._has_compiled and self._rows >= self._worth_a_table:
                self._table = compiled_table(self._default_region, self._folder)
                self._has_compiled = True
            return self._table


class OverrideCodes:
    """Turns the codes that were looked up to what overrides make of them."""

    def __init__(self, overrides: Overrides) -> None:
        """Cut the prefixes into ranges, once."""
        starts, says = zip(*overrides.ranges(), strict=True)
        self._starts = pl.Series(starts, dtype=pl.Int64)
        self._says = pl.Series(says, dtype=pl.UInt32)
        self._codes = pl.Series(
            [codes()[overridden(entry, said)] for said in Says for entry in catalogue()], dtype=pl.UInt16
        )

    def __call__(self, found: pl.Series, values: pl.Series) -> pl.Series:
        """Return the codes for codes and E.164 digits; codes that have no digits stay."""
        ranges = self._starts.search_sorted(values, side="right").cast(pl.Int64) - 1
        said = self._says.gather(ranges.clip(0))
        return self._codes.gather(said * len(catalogue()) + found)


def judge_by_reference(
    recipients: pl.Series, default_region: str | None, overrides: Overrides = NO_OVERRIDES
) -> pl.Series:
    """Judge each different text by `phonenumbers`; return one struct of `FOUND_COLUMNS` for each row."""
    keep_patterns()
    texts = recipients.unique()
    verdicts = [validate_text(text, default_region, overrides) for text in texts]
    read = _verdict_columns(verdicts).insert_column(0, texts.alias(RECIPIENT))
    rows = recipients.to_frame(RECIPIENT).join(read, on=RECIPIENT, how="left", nulls_equal=True, maintain_order="left")
    return rows.select(pl.struct(*FOUND_COLUMNS)).to_series()


def _read_uniques(recipients: pl.Series, default_region: str | None, overrides: Overrides) -> pl.DataFrame:
    """Read each different text; return its code in the catalogue and its E.164 digits as an integer."""
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
    """Return what makes `FOUND_COLUMNS` of a frame of codes and E.164 digits."""
    entries = _catalogue_columns()
    code, value = pl.col("code"), pl.col("value")
    columns = {name: pl.lit(entries[name]).gather(code) for name in FOUND_COLUMNS if name != "e164"}
    columns["e164"] = pl.when(pl.lit(entries["is_number"]).gather(code)).then(value)
    return [columns[name].alias(name) for name in FOUND_COLUMNS]


@cache
def _catalogue_columns() -> pl.DataFrame:
    entries = [plain_verdict(entry) or Verdict() for entry in catalogue()]
    is_number = pl.Series("is_number", [entry.is_of_a_number for entry in entries])
    return _verdict_columns(entries).with_columns(is_number)


def _verdict_columns(verdicts: list[Verdict]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [getattr(verdict, name) for verdict in verdicts] for name in FOUND_COLUMNS}, schema=FOUND_COLUMNS
    )
