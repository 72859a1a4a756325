"""Detects numbers that the batch action doesn't serve by prefix and length, so that a thousand cost little.

Mainland China has the calling code 86. The United States share 1 with Canada and the Caribbean, and are recognized by
area code and exchange, from libphonenumber's metadata.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber

_UNITED_STATES = "US"
_NANP_PREFIX = 7  # the 1, the area code and the exchange: later digits don't matter for the country
_LONGEST_CALLING_CODE = 3


class Destination(StrEnum):
    """The destination of a number, as far as the gateway distinguishes them."""

    SERVED = "served"
    CHINA_MAINLAND = "china_mainland"
    UNITED_STATES = "united_states"
    IMPOSSIBLE = "impossible"


def destination(number: str) -> Destination:
    """Return the destination of a number (digits, country code first); 0.3 microseconds once its prefix is cached."""
    return _by_prefix(*_prefix_and_length(number))


def all_served(numbers: Iterable[str]) -> bool:
    """Whether all of the numbers are served; most calls have few prefixes."""
    return all(_by_prefix(*kind) is Destination.SERVED for kind in set(map(_prefix_and_length, numbers)))


def _prefix_and_length(number: str) -> tuple[str, int]:
    return number[:_NANP_PREFIX] if number[:1] == "1" else number[:_LONGEST_CALLING_CODE], len(number)


@lru_cache(maxsize=1_000_000)
def _by_prefix(prefix: str, length: int) -> Destination:
    calling_code = next(
        (
            int(prefix[:digits])
            for digits in range(1, _LONGEST_CALLING_CODE + 1)
            if int(prefix[:digits]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        ),
        None,
    )
    national = length - len(str(calling_code))
    if calling_code == 86:  # noqa: PLR2004 - China's calling code needs no name
        return Destination.CHINA_MAINLAND
    # Only the length matters here, so any digits do.
    if (
        calling_code is None
        or national < 1
        or not phonenumbers.is_possible_number(PhoneNumber(calling_code, int("2" * national)))
    ):
        return Destination.IMPOSSIBLE
    if calling_code == 1 and _is_united_states(prefix):
        return Destination.UNITED_STATES
    return Destination.SERVED


def _is_united_states(prefix: str) -> bool:
    region = phonenumbers.region_code_for_number(PhoneNumber(1, int(f"{prefix[1:]}5555")))
    if region is None:  # unknown exchange: only the area code tells the country
        region = phonenumbers.region_code_for_number(PhoneNumber(1, int(f"{prefix[1:4]}5555555")))
    return region == _UNITED_STATES
