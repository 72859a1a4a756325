"""Names, flags and country codes of regions. Names are CLDR's in English, from Babel."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import phonenumbers

_FIRST_FLAG_LETTER: Final = 0x1F1E6  # REGIONAL INDICATOR SYMBOL LETTER A; two such letters show as a flag
_NOWHERE: Final = "001"  # libphonenumber's region for numbers without a country, such as +882


@dataclass(frozen=True, slots=True)
class Country:
    """A region as shown to people; `code` is the country calling code, None if it has none."""

    region: str
    name: str
    flag: str
    code: int | None


def country(region: str | None) -> Country:
    """Return how to show a region (ISO 3166 alpha-2, as in the results); an unknown one shows as its letters."""
    if region is None or region == _NOWHERE:
        return Country(region or "", "International networks" if region else "No country", "🌐", None)
    flag = "".join(chr(_FIRST_FLAG_LETTER + ord(letter) - ord("A")) for letter in region.upper())
    code = phonenumbers.country_code_for_region(region)
    return Country(region, _names().get(region, region), flag, code or None)


@cache
def _names() -> dict[str, str]:
    from babel import Locale

    return dict(Locale("en").territories)
