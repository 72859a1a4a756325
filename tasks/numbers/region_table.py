"""The table of a default region: cached by an earlier run, or compiled and checked against `phonenumbers`."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Final

import phonenumbers
import polars as pl
from phonenumbers import PhoneNumber

from globe_sms.tasks.numbers.libphonenumber import Verdict, cache_patterns, validate_number, validate_text
from globe_sms.tasks.numbers.lookup_table import (
    FAILED_PLUS,
    PLUS,
    SCHEMA,
    STRIPPED,
    Table,
    catalogue,
    region_rows,
    shared_rows,
    verdict_of,
)
from globe_sms.tasks.numbers.metadata_patterns import PatternError
from globe_sms.tasks.numbers.partial_numbers import Unlisted
from globe_sms.tasks.numbers.prefix_overrides import NO_OVERRIDES, Overrides
from globe_sms.tasks.numbers.table_cache import TableCache, installed_edition
from globe_sms.tasks.numbers.table_shortcuts import with_shortcuts

_SHARED: Final = "shared"
_CHECKED_OF_CACHED: Final = 500
_SHORTEST_NATIONAL: Final = 2
_LONGEST_NATIONAL: Final = 17
_ALL_MOBILE: Final = Overrides({str(digit): True for digit in range(1, 10)})
_log = logging.getLogger(__name__)


class TableMismatchError(Exception):
    """A compiled table disagrees with `phonenumbers`, so it must not be used."""


@lru_cache(maxsize=4)
def cached_table(default_region: str | None, folder: Path | None) -> Table | None:
    """Return the table cached by an earlier run, or None. Takes a few milliseconds."""
    cache = TableCache(folder, installed_edition())
    own = cache.read(_name(default_region), SCHEMA)
    table = None if own is None else _with_cached_shared_rows(own, default_region, cache)
    return None if table is None else with_shortcuts(table)


@lru_cache(maxsize=4)
def compiled_table(default_region: str | None, folder: Path | None) -> Table | None:
    """Compile and cache a table; None if that fails, so that `validate_text` must do everything.

    Takes about 5 s, or 0.3 s if the shared rows are cached; 10 s more for a region with many carrier codes.
    """
    cache = TableCache(folder, installed_edition())
    try:
        own = region_rows(default_region)
        table = _with_cached_shared_rows(own, default_region, cache)
        if table is None:
            shared = shared_rows()
            table = Table.of(pl.concat([shared, own]))
            check(table, default_region, shared)
            cache.write(_SHARED, shared)
        check(table, default_region, own)
    except (PatternError, TableMismatchError) as error:
        _log.warning(
            "Validating slowly, about 20,000 numbers a second: the metadata of phonenumbers %s isn't supported (%s).",
            phonenumbers.__version__,
            error,
        )
        return None
    cache.write(_name(default_region), own)
    return with_shortcuts(table)


def _with_cached_shared_rows(own: pl.DataFrame, default_region: str | None, cache: TableCache) -> Table | None:
    """Join a region's own rows with the cached shared ones, if a sample of both is right."""
    shared = cache.read(_SHARED, SCHEMA)
    if shared is None:
        return None
    try:
        table = Table.of(pl.concat([shared, own]))
        check(table, default_region, *(rows.sample(min(_CHECKED_OF_CACHED, rows.height)) for rows in (shared, own)))
    except (TableMismatchError, IndexError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        _log.warning("The cached table of phone numbers is wrong and is compiled again: %s.", error)
        return None
    return table


def check(table: Table, default_region: str | None, *rows: pl.DataFrame) -> None:
    """Compare one number of each row (first, last or one between) with `phonenumbers`, about 30,000 a second.

    Raises:
        TableMismatchError: a number has another verdict.
    """
    cache_patterns()
    starts = pl.concat([part["start"] for part in rows])
    ends = table.ends_of(starts)
    members = [
        (start, end - 1, start + (end - start) * 618 // 1000)[row % 3]
        for row, (start, end) in enumerate(zip(starts.to_list(), ends.to_list(), strict=True))
    ]
    asked = [_as_written(key) for key in members]
    codes, values = table.look_up(pl.Series(asked, dtype=pl.Int64))
    for key, code, value in zip(asked, codes.to_list(), values.to_list(), strict=True):
        is_unlisted = isinstance(catalogue()[code], Unlisted)
        for overrides in (NO_OVERRIDES, _ALL_MOBILE) if is_unlisted else (NO_OVERRIDES,):
            expected = _expected(key, default_region, overrides)
            if expected is not None and code and verdict_of(code, value, overrides) != expected:
                mode, digits = str(key)[0], str(key)[1:]
                raise TableMismatchError(
                    f"{digits[:-4]}.... of {len(digits)} digits has another verdict in mode {mode}"
                )


def _as_written(key: int) -> int:
    """Return the key under which digits are looked up first."""
    digits = str(key)[1:]
    return int(f"{PLUS}{digits}") if key // 10 ** len(digits) == FAILED_PLUS else key


def _expected(key: int, default_region: str | None, overrides: Overrides) -> Verdict | None:
    """Return the verdict of `phonenumbers`; None if it can't be asked for these digits."""
    mode, digits = int(str(key)[0]), str(key)[1:]
    if mode != STRIPPED:
        return validate_text(f"+{digits}" if mode == PLUS else digits, default_region, overrides)
    codes = (int(digits[:length]) for length in (1, 2, 3) if not digits.startswith("0"))
    code = next((code for code in codes if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)
    national = digits[len(str(code)) :]
    if code is None or not _SHORTEST_NATIONAL <= len(national) <= _LONGEST_NATIONAL:
        return None
    zeros = len(national) - len(national[:-1].lstrip("0") + national[-1])
    return validate_number(
        PhoneNumber(
            country_code=code,
            national_number=int(national),
            italian_leading_zero=zeros > 0 or None,
            number_of_leading_zeros=zeros if zeros > 1 else None,
        ),
        overrides,
    )


def _name(default_region: str | None) -> str:
    return default_region or "none"
