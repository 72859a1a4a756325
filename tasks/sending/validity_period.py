"""The ValidityPeriod of a call: Alibaba must not hand a text to a carrier after the recipients' hours or `--until`."""

import math
from typing import Final

from globe_sms.tasks.gateway import LONGEST_VALIDITY, SHORTEST_VALIDITY

_ARRIVAL_SECONDS: Final = 1.0  # Alibaba counts from its own receipt of the call


class TooLateError(Exception):
    """So little time is left that the API has no ValidityPeriod for it."""


def validity_period(closes: float, at: float, longest: int | None) -> int | None:
    """Return the seconds for a call that leaves at `at`, if its texts may be handed on until `closes`; both Unix times.

    None if nothing limits them: `closes` is infinite and no `longest` was given.

    Raises:
        TooLateError: less than the API's shortest period is left.
    """
    if math.isinf(closes):
        return longest
    left = math.floor(closes - at - _ARRIVAL_SECONDS)
    if left < SHORTEST_VALIDITY:
        raise TooLateError
    return min(left, LONGEST_VALIDITY if longest is None else longest)
