"""The time zones that a number may be in, by its first digits; compiled to a table, without a call per row.

The zones of a number are those of its country, from the time zone database. An area code narrows them where mobile
numbers have one that tells the place (`area_zones`). Satellite phones and other international networks have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
import polars as pl

from globe_sms.tasks.numbers.area_zones import ZONES_BY_AREA, Zones

_DIGITS: Final = 18  # more than any number has, and few enough for 64 bits
_LONGEST_AREA: Final = max(map(len, ZONES_BY_AREA))
_YEAR_DAYS: Final = 370
# libphonenumber's regions that the time zone database counts as parts of others: Saint Helena and Serbia.
_MISSING: Final[Mapping[str, Zones]] = {
    "AC": ("Atlantic/St_Helena",),
    "TA": ("Atlantic/St_Helena",),
    "XK": ("Europe/Belgrade",),
}


@dataclass(frozen=True, slots=True)
class ZoneTable:
    """The zones that numbers may be in, by runs of numbers and by region.

    `kinds` are the different sets of zones; `kinds[0]` is unknown. `starts` are the first numbers of runs, 18 digits
    each; `areas` has each run's index in `kinds`, or None if the region decides. `regions` has each region's index.
    """

    kinds: tuple[Zones, ...]
    starts: pl.Series
    areas: pl.Series
    regions: Mapping[str, int]

    def look_up(self, rows: pl.DataFrame) -> pl.Series:
        """Return the index in `kinds` for each row with the columns region and e164 (Int64)."""
        left_aligned = pl.col("e164").cast(pl.String).str.pad_end(_DIGITS, "0").cast(pl.Int64)
        run = pl.lit(self.starts).search_sorted(left_aligned, side="right") - 1
        region = pl.col("region").replace_strict(self.regions, default=0, return_dtype=pl.UInt32).fill_null(0)
        return rows.select(pl.coalesce(pl.lit(self.areas).gather(run), region).alias("zones")).to_series()


def zones_of(region: str | None, digits: str) -> Zones:
    """Return the zones that a number may be in, by region (ISO 3166 alpha-2) and E.164 digits; empty if unknown."""
    return _zones_of_area(digits) or zones_of_region(region)


def zone_table(now: datetime) -> ZoneTable:
    """Compile the table. Takes about 0.3 s.

    Zones whose clocks agree throughout the year from `now` form one kind that lists all of them, so that a check of
    the hours stays right even if one of them changes later.
    """
    cuts = sorted(
        {0}
        | {int(area.ljust(_DIGITS, "0")) for area in ZONES_BY_AREA}
        | {int(area.ljust(_DIGITS, "0")) + 10 ** (_DIGITS - len(area)) for area in ZONES_BY_AREA}
    )
    found = [_zones_of_area(str(cut).zfill(_DIGITS)) for cut in cuts]
    regions = {region: zones_of_region(region) for region in phonenumbers.SUPPORTED_REGIONS}
    alike: dict[frozenset[object], set[str]] = {frozenset(): set()}
    keys = {zones: _key(zones, now) for zones in {*(zones for zones in found if zones is not None), *regions.values()}}
    for zones in sorted(keys):
        alike.setdefault(keys[zones], set()).update(zones if keys[zones] else ())
    places = {key: place for place, key in enumerate(alike)}
    return ZoneTable(
        kinds=tuple(tuple(sorted(zones)) for zones in alike.values()),
        starts=pl.Series(cuts, dtype=pl.Int64),
        areas=pl.Series([None if zones is None else places[keys[zones]] for zones in found], dtype=pl.UInt32),
        regions={region: places[keys[zones]] for region, zones in regions.items()},
    )


def zones_of_region(region: str | None) -> Zones:
    """Return all zones of a region (ISO 3166 alpha-2), sorted; empty for networks without a country."""
    return () if region is None else _zones_by_region().get(region, ())


def _zones_of_area(digits: str) -> Zones | None:
    """Return the zones of E.164 digits, left-aligned or complete; None if only the region tells them."""
    lengths = range(min(_LONGEST_AREA, len(digits)), 1, -1)
    return next((ZONES_BY_AREA[digits[:length]] for length in lengths if digits[:length] in ZONES_BY_AREA), None)


@cache
def _zones_by_region() -> Mapping[str, Zones]:
    """Return each country's zones, from the time zone database's zone.tab."""
    found: dict[str, list[str]] = {region: list(zones) for region, zones in _MISSING.items()}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            region, _, zone, *_ = line.split("\t")
            found.setdefault(region, []).append(zone)
    return {region: tuple(sorted(zones)) for region, zones in found.items()}


def _key(zones: Zones, now: datetime) -> frozenset[object]:
    """Return the clock offsets of these zones in the year from `now`; empty if one of them is unknown here."""
    clocks = [_clock(zone, now.astimezone(UTC).date().toordinal()) for zone in zones]
    return frozenset() if None in clocks else frozenset(clocks)


@cache
def _clock(zone: str, first_day: int) -> tuple[timedelta | None, ...] | None:
    try:
        found = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None
    noon = datetime.fromordinal(first_day).replace(hour=12, tzinfo=UTC)
    return tuple((noon + timedelta(days=day)).astimezone(found).utcoffset() for day in range(_YEAR_DAYS))
