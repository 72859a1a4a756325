"""The table of a default region: kept from an earlier run, or compiled and checked against `phonenumbers`."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Final

import phonenumbers
import polars as pl
from phonenumbers import PhoneNumber

from globe_sms.tasks.numbers.libphonenumber import Verdict, judge_number, keep_patterns, validate_text
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
from globe_sms.tasks.numbers.table_cache import Shelf, installed_edition
from globe_sms.tasks.numbers.table_shortcuts import with_shortcuts

_SHARED: Final = "shared"
_CHECKED_OF_KEPT: Final = 500
_SHORTEST_NATIONAL: Final = 2
_LONGEST_NATIONAL: Final = 17
_ALL_MOBILE: Final = Overrides({str(digit): True for digit in range(1, 10)})
_log = logging.getLogger(__name__)


class DisagreementError(Exception):
    """A compiled table says something else than `phonenumbers`: it must not be used."""


@lru_cache(maxsize=4)
def kept_table(default_region: str | None, folder: Path | None) -> Table | None:
    """Return the table that an earlier run has kept, or None. Some milliseconds."""
    shelf = Shelf(folder, installed_edition())
    own = shelf.read(_name(default_region), SCHEMA)
    table = None if own is None else _kept_table_with(own, default_region, shelf)
    return None if table is None else with_shortcuts(table)


@lru_cache(maxsize=4)
def compiled_table(default_region: str | None, folder: Path | None) -> Table | None:
    """Compile a table and keep it; None where this cannot be done, and `validate_text` must do all.

    Some 5 s, or 0.3 s where what all regions share is kept already; 10 s more for a region with many carrier codes.
    """
    shelf = Shelf(folder, installed_edition())
    try:
        own = region_rows(default_region)
        table = _kept_table_with(own, default_region, shelf)
        if table is None:
            shared = shared_rows()
            table = Table.of(pl.concat([shared, own]))
            check(table, default_region, shared)
            shelf.keep(_SHARED, shared)
        check(table, default_region, own)
    except (PatternError, DisagreementError) as error:
        _log.warning(
            "Numbers are judged the slow way, some 20,000 a second: the metadata of phonenumbers %s is not understood"
            " (%s).",
            phonenumbers.__version__,
            error,
        )
        return None
    shelf.keep(_name(default_region), own)
    return with_shortcuts(table)


def _kept_table_with(own: pl.DataFrame, default_region: str | None, shelf: Shelf) -> Table | None:
    """Join a region's own rows with the kept ones that all regions share, if a sample of both is right."""
    shared = shelf.read(_SHARED, SCHEMA)
    if shared is None:
        return None
    try:
        table = Table.of(pl.concat([shared, own]))
        check(table, default_region, *(rows.sample(min(_CHECKED_OF_KEPT, rows.height)) for rows in (shared, own)))
    except (DisagreementError, IndexError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        _log.warning("The kept table of phone numbers is compiled anew: %s.", error)
        return None
    return table


def check(table: Table, default_region: str | None, *rows: pl.DataFrame) -> None:
    """Compare one number of each row, the first, the last or one between, with `phonenumbers`. Some 30,000 a second.

    Raises:
        DisagreementError: a number is judged otherwise.
    """
    keep_patterns()
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
                way, digits = str(key)[0], str(key)[1:]
                raise DisagreementError(f"{digits[:-4]}.... of {len(digits)} digits is judged otherwise in way {way}")


def _as_written(key: int) -> int:
    """Return the key under which digits are looked up first."""
    digits = str(key)[1:]
    return int(f"{PLUS}{digits}") if key // 10 ** len(digits) == FAILED_PLUS else key


def _expected(key: int, default_region: str | None, overrides: Overrides) -> Verdict | None:
    """Return what `phonenumbers` says, None where nobody can ask for it."""
    way, digits = int(str(key)[0]), str(key)[1:]
    if way != STRIPPED:
        return validate_text(f"+{digits}" if way == PLUS else digits, default_region, overrides)
    codes = (int(digits[:length]) for length in (1, 2, 3) if not digits.startswith("0"))
    code = next((code for code in codes if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)
    national = digits[len(str(code)) :]
    if code is None or not _SHORTEST_NATIONAL <= len(national) <= _LONGEST_NATIONAL:
        return None
    zeros = len(national) - len(national[:-1].lstrip("0") + national[-1])
    return judge_number(
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
