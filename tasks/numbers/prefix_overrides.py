"""Prefixes whose numbers count as mobile, or not, where the world is ahead of the metadata.

The longest prefix that a number's E.164 digits begin with decides, and it may turn

    mobile       a number that is `not_mobile`, or `not_valid_for_region` and of a possible length: it can be sent to
    not mobile   a number that can be sent to: it is `not_mobile`

Nothing else turns: no other length, no text without a country code, no place that the gateway does not serve. (A
number of +1 that the metadata does not list may be of the United States, unless its area code tells.)
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


class Says(IntEnum):
    """What a table of prefixes says of a number."""

    NOTHING = 0
    NOT_MOBILE = 1
    MOBILE = 2


@dataclass(frozen=True, slots=True)
class Overrides:
    """E.164 prefixes, 1 to 15 digits without a plus sign, each with whether its numbers are mobile; may be empty."""

    mobile: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def digest(self) -> str:
        """SHA-256 of the prefixes and what they say, in whatever order they came."""
        return hashlib.sha256(json.dumps(sorted(self.mobile.items())).encode()).hexdigest()

    def of(self, digits: str) -> Says:
        """Look E.164 digits up."""
        for length in range(min(len(digits), LONGEST_PREFIX), 0, -1):
            is_mobile = self.mobile.get(digits[:length])
            if is_mobile is not None:
                return Says.MOBILE if is_mobile else Says.NOT_MOBILE
        return Says.NOTHING

    def ranges(self) -> list[tuple[int, Says]]:
        """Return the same for E.164 digits as integers: (first integer, what is said from there on), ascending."""
        cuts = {0: Says.NOTHING}
        for prefix in self.mobile:
            first = int(prefix)
            for unknown in range(_MOST_DIGITS - len(prefix) + 1):
                for cut in (first * 10**unknown, (first + 1) * 10**unknown):
                    cuts[cut] = self.of(str(cut))
        return sorted(cuts.items())


NO_OVERRIDES: Final = Overrides()
