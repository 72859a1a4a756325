"""How far calls are spaced beyond the limit: a share that follows what the gateway throttled. Pure, without a clock.

A throttled call costs its turn, slack costs its share of every turn. So the slack is three times the share of calls
that were throttled lately: where delays vary, calls are spread until hardly any is throttled; where spreading doesn't
help (a fixed window, a call delayed by a second now and then), little is lost. It's learned from the last 400 calls or
the last minute of them, whichever is more; while an account is new, faster. For a run that is alone, only calls that
cost all of the slack count (`arrival_spacing.py`), so more of it stays. `tests/benchmarks/simulate_margin.py` compares
this with the best constant slack.
"""

import math
from dataclasses import dataclass
from typing import Final

WIDEST_SLACK: Final = 0.25
"""The most slack ever, at one or two calls a second: uniform delays of 0 to 200 ms need 0.16."""

SLACK_PER_THROTTLED_SHARE: Final = 3.0
LARGEST_STEP: Final = 0.035

_CALLS_REMEMBERED: Final = 400.0
_SECONDS_REMEMBERED: Final = 60.0
_FEW_CALLS: Final = 2
_INCIDENT_SECONDS: Final = 1.0
_SHARE_OF_INCIDENT: Final = 0.1  # of a second's calls: what is throttled together has one cause and one remedy


def widest_slack(rate: float) -> float:
    """Return the most slack at a limit of `rate` calls a second.

    The more calls share a second, the less a delayed one matters. A narrow bound also keeps a limit that is set too
    high from hiding behind slack: at 50 calls a second 5 % is never exceeded.
    """
    return WIDEST_SLACK * min(1.0, math.sqrt(_FEW_CALLS / max(1.0, rate)))


@dataclass(frozen=True, slots=True)
class LearnedSlack:
    """What throttling has taught about an account.

    Attributes:
        share: the learned slack: 0.05 spaces calls by 1.05 times the shortest interval.
        calls: how many calls it was learned from; only its size compared with 400 matters.
        incident_at: when the last second with throttled calls began (Unix time).
        incident_calls: how many of its calls have counted.
    """

    share: float = 0.0
    calls: float = 0.0
    incident_at: float = 0.0
    incident_calls: int = 0

    def in_force(self, floor: float, rate: float) -> float:
        """Return the slack that applies: never below `floor`, and otherwise never above `widest_slack`."""
        return max(floor, min(self.share, widest_slack(rate)))

    def after_calls(self, count: int, rate: float) -> "LearnedSlack":
        """Return the slack after turns were given out: it shrinks slowly."""
        kept = (1.0 - self._gain(rate)) ** count
        return LearnedSlack(self.share * kept, self.calls + count, self.incident_at, self.incident_calls)

    def after_throttling(self, throttled: int, now: float, floor: float, rate: float) -> "LearnedSlack":
        """Return the slack after calls were throttled: it grows at once.

        Of the calls that are throttled within one second only a tenth of a second's calls count, but at least two: a
        process that stood still has many throttled together, and more slack wouldn't have helped.
        """
        same = 0.0 <= now - self.incident_at < _INCIDENT_SECONDS
        counted_before = self.incident_calls if same else 0
        most = max(_FEW_CALLS, math.floor(_SHARE_OF_INCIDENT * rate))
        counted = max(0, min(throttled, most - counted_before))
        grown = max(floor, self.share) + counted * SLACK_PER_THROTTLED_SHARE * self._gain(rate)
        return LearnedSlack(
            min(grown, max(floor, widest_slack(rate))) if counted else self.share,
            self.calls,
            self.incident_at if same else now,
            counted_before + counted,
        )

    def _gain(self, rate: float) -> float:
        """Return how much one call counts among those remembered."""
        remembered = max(_CALLS_REMEMBERED, _SECONDS_REMEMBERED * rate)
        return 1.0 / min(remembered, SLACK_PER_THROTTLED_SHARE / LARGEST_STEP + self.calls)
