"""Reads a cell of a country column: two or three letters, a country's name, or its calling code."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

import phonenumbers

_CODE: Final = re.compile(r"(?:\+|00)?\s*([1-9][0-9]{0,2})(?:\.0)?", re.ASCII)
_LANGUAGES: Final = ("en", "de", "fr", "es", "pt", "it", "nl", "id", "ms", "vi", "th", "zh", "zh_Hant", "ja", "ko")
_UNKNOWN: Final = "ZZ"
_NOWHERE: Final = "001"
_ALSO: Final = {
    "uk": "GB",
    "greatbritain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northernireland": "GB",
    "usa": "US",
    "unitedstatesofamerica": "US",
    "america": "US",
    "uae": "AE",
    "emirates": "AE",
    "korea": "KR",
    "republicofkorea": "KR",
    "russianfederation": "RU",
    "prchina": "CN",
    "mainlandchina": "CN",
    "hongkong": "HK",
    "macau": "MO",
    "macao": "MO",
    "taiwanroc": "TW",
    "czechrepublic": "CZ",
    "turkey": "TR",
    "turkiye": "TR",
    "ivorycoast": "CI",
    "bruneidarussalam": "BN",
    "laopdr": "LA",
    "burma": "MM",
    "holland": "NL",
    "vietnam": "VN",
    "syria": "SY",
    "tanzania": "TZ",
    "moldova": "MD",
    "bolivia": "BO",
    "venezuela": "VE",
}


@lru_cache(maxsize=4096)
def region_of(text: str) -> str | None:
    """Return the region (ISO 3166 alpha-2) that a cell names; None if it is blank or names none.

    If several regions share a calling code, it's the main one, from which libphonenumber finds the others.
    """
    shown = text.strip()
    found = _CODE.fullmatch(shown)
    if found is not None:
        region = phonenumbers.region_code_for_country_code(int(found[1]))
        return None if region in {_UNKNOWN, _NOWHERE} else region
    letters = shown.upper()
    if letters in phonenumbers.SUPPORTED_REGIONS:
        return letters
    name = _plain(shown)
    return _by_name().get(name) if name else None


def _plain(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in spread if char.isalnum())


@cache
def _by_name() -> dict[str, str]:
    """Return the regions by their names and their three letters (CLDR); a name of two countries is left out."""
    from babel import Locale
    from babel.core import get_global

    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for language in _LANGUAGES:
        for region, name in Locale.parse(language).territories.items():
            plain = _plain(name)
            if region in phonenumbers.SUPPORTED_REGIONS and found.setdefault(plain, region) != region:
                doubtful.add(plain)
    for alias, regions in get_global("territory_aliases").items():
        if len(alias) == len("SGP") and alias.isalpha() and regions[0] in phonenumbers.SUPPORTED_REGIONS:
            found.setdefault(alias.casefold(), regions[0])
    return {name: region for name, region in found.items() if name not in doubtful} | _ALSO
