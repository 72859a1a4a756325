"""The verdict of every number of up to 18 digits, as one sorted table of runs; compiled, never sampled.

A number is looked up by its key: its digits after a leading mode, which is 1 (written without a plus sign), 2 (with
one), 3 (with one, but without a country code) or 4 (E.164, nothing to strip). So a key holds the mode, the number of
digits and the digits, including leading zeros. A run of keys shares one code and one difference between the key and
the E.164 digits, or the key for another lookup.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import phonenumbers
import polars as pl

from globe_sms.tasks.numbers.libphonenumber import Verdict, verdict_of_unlisted, verdict_of_valid
from globe_sms.tasks.numbers.metadata_patterns import Digits, PatternError
from globe_sms.tasks.numbers.partial_numbers import (
    DefaultRegion,
    Entry,
    NoRegion,
    Numbering,
    Reading,
    Reread,
    Unlisted,
    read_international,
    read_stripped,
)
from globe_sms.tasks.numbers.pattern_automaton import split_into_prefixes
from globe_sms.tasks.numbers.prefix_overrides import NO_OVERRIDES, MobileOverride, Overrides
from globe_sms.tasks.vocabulary.row_reasons import INVALID_NUMBER_REASONS, RowReason
from globe_sms.tasks.vocabulary.statuses import Status

FEWEST_DIGITS: Final = 3
MOST_DIGITS: Final = 18
PLAIN, PLUS, FAILED_PLUS, STRIPPED = 1, 2, 3, 4
# Keys of texts without digits to look up.
ASK_REFERENCE, EMPTY, NOT_A_NUMBER = 0, 1, 2

_MODE_OF_REREAD: Final = {Reread.INTERNATIONAL: PLUS, Reread.WITHOUT_PLUS: FAILED_PLUS, Reread.STRIPPED: STRIPPED}
_END_OF_INT64: Final = 2**63
_MAX_LOOKUPS: Final = 4  # failed plus, after an international prefix, stripped

Row = tuple[int, int, int]  # first key, difference, code
SCHEMA: Final = {"start": pl.Int64(), "difference": pl.Int64(), "code": pl.UInt16()}


@cache
def catalogue() -> tuple[Entry | None, ...]:
    """Return the meanings of a table's codes; code 0 (None) means "ask libphonenumber"."""
    entries: list[Entry | None] = [None, *Reread]
    entries += [Verdict(status=Status.INVALID, reason=reason) for reason in INVALID_NUMBER_REASONS]
    for code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        entries += [
            verdict_of_valid(code, region, receives_texts=receives) for region in regions for receives in (True, False)
        ]
        entries += [Unlisted(verdict_of_unlisted(code, region)) for region in regions]
    return tuple(dict.fromkeys(entries))


@cache
def codes() -> dict[Entry | None, int]:
    """Return the code of each catalogue entry."""
    return {entry: code for code, entry in enumerate(catalogue())}


def plain_verdict(entry: Entry | None) -> Verdict | None:
    """Return an entry's verdict without overrides and without its number; None if it isn't a verdict."""
    if isinstance(entry, Unlisted):
        return Verdict(status=Status.INVALID, reason=RowReason.NOT_VALID_FOR_REGION)
    return entry if isinstance(entry, Verdict) else None


def overridden(entry: Entry | None, override: MobileOverride) -> Entry | None:
    """Return an entry after the override for its number."""
    match entry, override:
        case Unlisted(if_mobile), MobileOverride.MOBILE:
            return if_mobile
        case Verdict(region=region, reason=RowReason.NOT_MOBILE), MobileOverride.MOBILE:
            return Verdict(region=region)
        case Verdict(region=region, status=None), MobileOverride.NOT_MOBILE:
            return Verdict(region=region, status=Status.INVALID, reason=RowReason.NOT_MOBILE)
        case _:
            return entry


def verdict_of(code: int, value: int, overrides: Overrides = NO_OVERRIDES) -> Verdict:
    """Return the verdict of a code and its E.164 digits.

    Raises:
        TypeError: the code isn't a verdict, but asks for another lookup.
    """
    verdict = plain_verdict(overridden(catalogue()[code], overrides.of(str(value))))
    if verdict is None:
        raise TypeError(f"{catalogue()[code]} isn't a verdict")
    return replace(verdict, phone_number=f"+{value}") if verdict.has_number else verdict


@dataclass(frozen=True, slots=True)
class Table:
    """Runs of keys in ascending order; each ends at the start of the next."""

    starts: pl.Series
    differences: pl.Series
    codes: pl.Series

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "Table":
        """Make a table of rows of `SCHEMA`, in any order, and of rows for texts without digits."""
        no_digits = [
            (ASK_REFERENCE, 0, codes()[None]),
            (EMPTY, 0, codes()[Verdict(status=Status.INVALID, reason=RowReason.EMPTY)]),
            (NOT_A_NUMBER, 0, codes()[Verdict(status=Status.INVALID, reason=RowReason.NOT_A_NUMBER)]),
        ]
        table = pl.concat([pl.DataFrame(no_digits, SCHEMA, orient="row"), rows]).sort("start")
        return cls(*table.get_columns())

    def look_up(self, keys: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return for each key the code and, for codes of valid numbers, the E.164 digits as an integer."""
        found, values = self._once(keys)
        last_way = len(Reread)
        no_code = codes()[Verdict(status=Status.INVALID, reason=RowReason.INVALID_COUNTRY_CODE)]
        for _ in range(_MAX_LOOKUPS - 1):
            rows = found.is_between(1, last_way).arg_true()
            if rows.is_empty():
                break
            found_again, values_again = self._once(values.gather(rows))
            # Digits may lack a country code after a plus sign only once; the second time they have none.
            failed = (found_again == codes()[Reread.WITHOUT_PLUS]).arg_true()
            found = found.scatter(rows, found_again.scatter(failed, no_code))
            values = values.scatter(rows, values_again)
        return found, values

    def run_of(self, keys: pl.Expr) -> pl.Expr:
        """Return the index of each key's run."""
        return pl.lit(self.starts).search_sorted(keys, side="right") - 1

    def ends_of(self, starts: pl.Series) -> pl.Series:
        """Return the first key after each run."""
        nexts = pl.concat([self.starts, pl.Series([_END_OF_INT64 - 1])])
        powers = pl.Series([10**power for power in range(MOST_DIGITS + 1)], dtype=pl.Int64)
        sizes = powers.gather(starts.cast(pl.String).str.len_bytes() - 1)
        next_starts = nexts.gather(self.starts.search_sorted(starts, side="right"))
        ends = pl.DataFrame({"next": next_starts, "last": (starts // sizes + 1) * sizes})
        return ends.select(pl.min_horizontal("next", "last")).to_series()

    def _once(self, keys: pl.Series) -> tuple[pl.Series, pl.Series]:
        runs = keys.to_frame("key").select_seq("key", self.run_of(pl.col("key")).alias("run"))
        found = runs.select_seq(
            pl.lit(self.codes).gather("run").alias("code"),
            (pl.col("key") + pl.lit(self.differences).gather("run")).alias("value"),
        )
        return found["code"], found["value"]


def shared_rows() -> pl.DataFrame:
    """Compile the rows that all default regions share: numbers with a plus sign, and stripped ones. About 3 s.

    Raises:
        PatternError: the installed metadata uses an unknown construct.
    """
    numberings = {code: Numbering(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}
    if any((code + 1) * 10**numbering.longest > _END_OF_INT64 for code, numbering in numberings.items()):
        raise PatternError("some numbers don't fit into 64 bits")
    return pl.concat(
        [
            _rows(PLUS, lambda digits: read_international(digits, numberings)),
            _rows(STRIPPED, lambda digits: read_stripped(digits, numberings)),
        ]
    )


def region_rows(default_region: str | None) -> pl.DataFrame:
    """Compile the rows that depend on the default region. Usually under 1 s; 10 s with many carrier codes.

    Raises:
        PatternError: the installed metadata uses an unknown construct.
    """
    reader = NoRegion() if default_region is None else DefaultRegion(default_region)
    return pl.concat([_rows(PLAIN, reader.read), _rows(FAILED_PLUS, reader.read_after_failed_plus)])


def _rows(mode: int, read: Callable[[Digits], Reading]) -> pl.DataFrame:
    rows: list[Row] = []
    for length in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        for row in _rows_of_length(mode, length, read):
            if not rows or rows[-1][1:] != row[1:] or rows[-1][0] < mode * 10**length:
                rows.append(row)
    return pl.DataFrame(rows, SCHEMA, orient="row")


def _rows_of_length(mode: int, length: int, read: Callable[[Digits], Reading]) -> Iterator[Row]:
    for digits, reading in split_into_prefixes(length, read):
        start = _first_key(mode, digits)
        for first, verdict in reading.runs:
            next_mode = _MODE_OF_REREAD[verdict] if isinstance(verdict, Reread) else 0
            if isinstance(verdict, Verdict) and not verdict.has_number:
                yield start + first, 0, codes()[verdict]
            elif reading.number is None or reading.number.unknown != digits.unknown:
                raise PatternError(f"the reading of {digits} leads to {reading.number}")
            elif next_mode and not FEWEST_DIGITS <= reading.number.length <= MOST_DIGITS:
                yield start + first, 0, codes()[None]
            else:
                yield start + first, _first_key(next_mode, reading.number) - start, codes()[verdict]


def _first_key(mode: int, digits: Digits) -> int:
    return mode * 10**digits.length + int(digits.known or "0") * 10**digits.unknown
