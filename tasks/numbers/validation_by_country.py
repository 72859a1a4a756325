"""Validates lists with a column for the country of each number."""

import threading
from typing import Final

import polars as pl

from globe_sms.tasks.numbers.libphonenumber import checked_region
from globe_sms.tasks.numbers.listed_countries import region_of
from globe_sms.tasks.numbers.prefix_overrides import NO_OVERRIDES, Overrides
from globe_sms.tasks.numbers.validation import FOUND_COLUMNS, RECIPIENT, VERDICT_COLUMNS, Validator

_INTERNATIONAL: Final = r"^[^\w+\x{FF0B}]*(?:tel:\s*)?(?:[+\x{FF0B}]|00)"
_NO_COUNTRY: Final = "no country"
_VERDICT: Final = "__verdict"


def validate_by_country(
    rows: pl.LazyFrame, country: str, *, default_region: str | None, overrides: Overrides = NO_OVERRIDES
) -> pl.LazyFrame:
    """Add `VERDICT_COLUMNS` and `no_country` to rows with the columns `recipient` and `country` (String).

    Each number is read with the region that its cell of `country` names, and with the default region where that is
    blank. `no_country` marks national numbers that can't be read, because neither names an existing country.

    Raises:
        InputError: libphonenumber doesn't know the default region.
    """
    validator = _ByCountry(country, checked_region(default_region), overrides)
    dtype = pl.Struct({**FOUND_COLUMNS, _NO_COUNTRY: pl.Boolean()})
    verdict = pl.struct(RECIPIENT, country).map_batches(validator, return_dtype=dtype, is_elementwise=True)
    found = pl.col(_VERDICT).struct
    made = {"phone_number": pl.concat_str(pl.lit("+"), found.field("e164"))}
    return rows.with_columns(verdict.alias(_VERDICT)).select(
        pl.exclude(_VERDICT, *VERDICT_COLUMNS),
        *(made.get(name, found.field(name)).alias(name) for name in VERDICT_COLUMNS),
        no_country=found.field(_NO_COUNTRY),
    )


class _ByCountry:
    """Validates batches, with a validator for each country that comes up. Thread-safe."""

    def __init__(self, country: str, default_region: str | None, overrides: Overrides) -> None:
        self._country = country
        self._default_region = default_region
        self._overrides = overrides
        self._lock = threading.Lock()
        self._validators: dict[str | None, Validator] = {}

    def __call__(self, batch: pl.Series) -> pl.Series:
        recipients, countries = batch.struct.field(RECIPIENT), batch.struct.field(self._country)
        texts = countries.unique()
        named = {text: region_of(text) for text in texts if text is not None and text.strip()}
        regions = countries.replace_strict(list(named), list(named.values()), default=None, return_dtype=pl.String)
        is_blank = countries.str.strip_chars().fill_null("") == ""
        if self._default_region is not None:
            regions = pl.select(pl.when(is_blank).then(pl.lit(self._default_region)).otherwise(regions)).to_series()
        rows = pl.DataFrame({RECIPIENT: recipients, "region": regions}).with_row_index("place")
        parts = [self._validated(part) for part in rows.partition_by("region")]
        verdicts = pl.concat(parts).sort("place") if parts else self._validated(rows)
        is_international = recipients.str.contains(_INTERNATIONAL).fill_null(value=False)
        no_country = regions.is_null() & ~is_international & recipients.is_not_null()
        return verdicts.select(pl.struct(*FOUND_COLUMNS, no_country.alias(_NO_COUNTRY))).to_series()

    def _validated(self, rows: pl.DataFrame) -> pl.DataFrame:
        region: str | None = rows["region"][0] if rows.height else None
        with self._lock:
            validator = self._validators.setdefault(region, Validator(region, self._overrides))
        return pl.DataFrame([rows["place"], *validator(rows[RECIPIENT]).struct.unnest().get_columns()])
