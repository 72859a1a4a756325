"""Prefixes whose numbers count as mobile, or not, where the metadata is out of date.

The longest prefix of a number's E.164 digits decides:

    mobile       a `not_mobile` number, or a `not_valid_for_region` one of possible length, becomes sendable
    not mobile   a sendable number becomes `not_mobile`

Nothing else changes: no other lengths, no texts without a country code, no countries that the gateway doesn't serve.
(A +1 number that the metadata doesn't list counts as the United States, unless its area code says otherwise.)
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Final

LONGEST_PREFIX: Final = 15
_MOST_DIGITS: Final = 18


class MobileOverride(IntEnum):
    """What the prefixes say about a number."""

    NONE = 0
    NOT_MOBILE = 1
    MOBILE = 2


@dataclass(frozen=True, slots=True)
class Overrides:
    """E.164 prefixes (1 to 15 digits, no plus sign), each with whether its numbers are mobile; may be empty."""

    mobile: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def digest(self) -> str:
        """SHA-256 of the prefixes and their values, independent of their order."""
        return hashlib.sha256(json.dumps(sorted(self.mobile.items())).encode()).hexdigest()

    def of(self, digits: str) -> MobileOverride:
        """Return the override for E.164 digits."""
        for length in range(min(len(digits), LONGEST_PREFIX), 0, -1):
            is_mobile = self.mobile.get(digits[:length])
            if is_mobile is not None:
                return MobileOverride.MOBILE if is_mobile else MobileOverride.NOT_MOBILE
        return MobileOverride.NONE

    def ranges(self) -> list[tuple[int, MobileOverride]]:
        """Return the same for E.164 digits as integers: (first integer, what is said from there on), ascending."""
        cuts = {0: MobileOverride.NONE}
        for prefix in self.mobile:
            first = int(prefix)
            for unknown in range(_MOST_DIGITS - len(prefix) + 1):
                for cut in (first * 10**unknown, (first + 1) * 10**unknown):
                    cuts[cut] = self.of(str(cut))
        return sorted(cuts.items())


NO_OVERRIDES: Final = Overrides()
