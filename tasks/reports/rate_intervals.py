"""Whether rates differ by more than chance: confidence intervals of a share, and of the difference of two.

Sources: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927 (the score interval);
R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17, 1998
(method 10, which is made of two of Wilson's). Both hold for few trials and for shares near 0 and 1, too.
"""

import math
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95


def wilson_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return between which shares (0 to 1) the true one is, with this confidence; 0 to 1 without trials."""
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    width = 1 + z * z / trials
    # At the ends the interval begins or ends there exactly; rounding must not say otherwise.
    low = 0.0 if not successes else (middle - spread) / width
    high = 1.0 if successes == trials else (middle + spread) / width
    return low, high


def difference_interval(
    one: tuple[int, int], other: tuple[int, int], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return between which values the first share less the second is, with this confidence; each is successes, trials.

    An interval without 0 means that the shares differ by more than chance.
    """
    first, second = (successes / trials if trials else 0.5 for successes, trials in (one, other))
    low_1, high_1 = wilson_interval(*one, confidence)
    low_2, high_2 = wilson_interval(*other, confidence)
    difference = first - second
    return (
        difference - math.hypot(first - low_1, high_2 - second),
        difference + math.hypot(high_1 - first, second - low_2),
    )
