"""How far calls are spaced beyond the limit: a share that follows what the gateway throttled. Pure, without a clock.

A throttled call costs its turn, slack costs its share of every turn that it makes longer. So the slack is three times
the share of calls that were throttled lately: where delays vary, calls are spread until hardly any is throttled. It's
learned from the last 400 calls or the last minute of them, whichever is more; while an account is new, faster.

Where slack saves less than a third of what it costs (a fixed window, calls that are late by a second now and then), the
account goes back to the floor for a while: calls and throttled calls are counted at the floor and above it, and
compared. A run that is alone waits only for calls that may be late (`arrival_spacing.py`), so what slack costs it is
the time by which its calls lag behind their turns.
`tests/benchmarks/simulate_margin.py` compares this with the best constant slack.
"""

import math
from dataclasses import dataclass, replace
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

_CALLS_JUDGED: Final = 100.0
_NEAR_FLOOR: Final = 1.2
_DOUBTFUL_CALLS: Final = 10.0  # without a throttled one, at the floor: so that few calls there prove little
_LEAST_GAIN: Final = 0.3  # of what slack costs
_LEAST_GAIN_AT_REST: Final = 0.8  # so that chance alone doesn't end a rest
_CALLS_AT_REST: Final = 800.0


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
        share: the learned slack: 0.05 spaces calls by 1.05 times the shortest interval. Kept while the account rests.
        calls: how many calls it was learned from; only its size compared with 400 matters.
        incident_at: when the last second with throttled calls began (Unix time).
        incident_calls: how many of its calls have counted.
        floor_calls: calls made at the floor; older ones count less.
        floor_throttled: how many of them were throttled.
        wide_calls: calls made above the floor, since the slack was last compared with it.
        wide_throttled: how many of them were throttled.
        wide_slack: the sum of what slack cost these calls, in shares of the shortest interval.
        rest: for how many more calls the account stays at the floor.
    """

    share: float = 0.0
    calls: float = 0.0
    incident_at: float = 0.0
    incident_calls: int = 0
    floor_calls: float = 0.0
    floor_throttled: float = 0.0
    wide_calls: float = 0.0
    wide_throttled: float = 0.0
    wide_slack: float = 0.0
    rest: float = 0.0

    def in_force(self, floor: float, rate: float) -> float:
        """Return the slack that applies: never below `floor`, and otherwise never above `widest_slack`."""
        return floor if self.rest > 0.0 else max(floor, min(self.share, widest_slack(rate)))

    def after_calls(
        self,
        count: int,
        floor: float,
        rate: float,
        *,
        waited: int | None = None,
        cost: float = math.inf,
        slowed: bool = False,
    ) -> "LearnedSlack":
        """Return the slack after turns were given out: it shrinks slowly.

        Args:
            count: how many turns.
            floor: the least slack.
            rate: calls a second.
            waited: how many calls lately cost all of the slack; None if it spaces all of them.
            cost: the most that slack can have cost these turns, in shortest intervals.
            slowed: they are further apart for the moment than slack says, and so tell nothing about it.
        """
        costly = 0 if self.rest > 0.0 else count if waited is None else waited
        kept = (1.0 - self._gain(rate)) ** costly
        learned = replace(self, share=self.share * kept, calls=self.calls + costly)
        return _compared(learned if slowed else _counted(learned, count, cost, floor, rate), count)

    def after_throttling(self, throttled: int, now: float, floor: float, rate: float) -> "LearnedSlack":
        """Return the slack after calls were throttled: it grows at once, unless slack has proved useless lately.

        Of the calls that are throttled within one second only a tenth of a second's calls count, but at least two: a
        process that stood still has many throttled together, and more slack wouldn't have helped.
        """
        same = 0.0 <= now - self.incident_at < _INCIDENT_SECONDS
        counted_before = self.incident_calls if same else 0
        most = max(_FEW_CALLS, math.floor(_SHARE_OF_INCIDENT * rate))
        counted = max(0, min(throttled, most - counted_before))
        grown = max(floor, self.share) + counted * SLACK_PER_THROTTLED_SHARE * self._gain(rate)
        at_floor = self.is_at_floor(floor, rate)
        return replace(
            self,
            share=min(grown, max(floor, widest_slack(rate))) if counted and self.rest <= 0.0 else self.share,
            incident_at=self.incident_at if same else now,
            incident_calls=counted_before + counted,
            floor_throttled=self.floor_throttled + counted * at_floor,
            wide_throttled=self.wide_throttled + counted * (not at_floor),
        )

    def is_at_floor(self, floor: float, rate: float) -> bool:
        """Whether the slack is hardly more than the floor."""
        return self.in_force(floor, rate) <= _NEAR_FLOOR * floor

    @property
    def is_useless(self) -> bool:
        """Whether slack has saved too little of what it cost, as far as enough calls tell."""
        if self.wide_calls < _CALLS_JUDGED:
            return False
        saved = self.floor_throttled / (self.floor_calls + _DOUBTFUL_CALLS) - self.wide_throttled / self.wide_calls
        least = _LEAST_GAIN if self.rest <= 0.0 else _LEAST_GAIN_AT_REST
        return saved < least * self.wide_slack / self.wide_calls

    def _gain(self, rate: float) -> float:
        """Return how much one call counts among those remembered."""
        remembered = max(_CALLS_REMEMBERED, _SECONDS_REMEMBERED * rate)
        return 1.0 / min(remembered, SLACK_PER_THROTTLED_SHARE / LARGEST_STEP + self.calls)


def _counted(learned: LearnedSlack, count: int, highest_cost: float, floor: float, rate: float) -> LearnedSlack:
    """Count calls where they belong, at the floor or above it; what was seen at the floor fades."""
    kept = (1.0 - 1.0 / max(_CALLS_REMEMBERED, _SECONDS_REMEMBERED * rate)) ** count
    at_floor = learned.is_at_floor(floor, rate)
    cost = 0.0 if at_floor else min(highest_cost, count * (learned.in_force(floor, rate) - floor))
    return replace(
        learned,
        floor_calls=learned.floor_calls * kept + count * at_floor,
        floor_throttled=learned.floor_throttled * kept,
        wide_calls=learned.wide_calls + count * (not at_floor),
        wide_slack=learned.wide_slack + cost,
    )


def _compared(learned: LearnedSlack, count: int) -> LearnedSlack:
    """Go back to the floor if slack is useless; leave it when it isn't, or when it's time to try again."""
    if learned.rest <= 0.0:
        return replace(learned, rest=_CALLS_AT_REST) if learned.is_useless else learned
    if not learned.is_useless:
        return replace(learned, rest=0.0)
    if learned.rest <= count:
        return replace(learned, share=0.0, rest=0.0, wide_calls=0.0, wide_throttled=0.0, wide_slack=0.0)
    return replace(learned, rest=learned.rest - count)
