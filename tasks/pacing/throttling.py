"""What the gateway throttled: in the last seconds, to slow down at once, and in the last hour, to tell the operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SECONDS_COMPARED: Final = 2.0
_CALLS_COMPARED: Final = 10.0
_FEWEST_THROTTLED: Final = 3.0
_SHARE_TOO_MUCH: Final = 0.1
_LARGEST_FACTOR: Final = 2.0
_MOST_EXCESS: Final = 63.0
_LEAST_EXCESS: Final = 0.005
_RECOVERY_SECONDS: Final = 4.0
_PAUSE_SECONDS: Final = 1.0
_FARTHEST_CLOCK: Final = 60.0  # a time later than that was written by a wrong clock, and must not slow calls for days
_HOUR_MINUTES: Final = 60


@dataclass(frozen=True, slots=True)
class Slowness:
    """How far all runs are slowed down for the moment, because much of what they called was throttled.

    A throttled call in between only moves the slack. When more than a tenth of the last two seconds' calls (or of the
    last ten) are throttled, the interval grows as much as it takes for the rest to fit, at most twofold a second, and
    the excess halves every four seconds.

    Attributes:
        excess: what was added to the interval at `at`: 0.6 is 60 % longer.
        at: when (Unix time).
        calls: turns given out lately; older ones count less.
        throttled: calls throttled lately; older ones count less.
        counted_at: when these two were last brought up to date.
    """

    excess: float = 0.0
    at: float = 0.0
    calls: float = 0.0
    throttled: float = 0.0
    counted_at: float = 0.0

    def factor(self, now: float) -> float:
        """Return the factor by which throttling lengthens the interval now; 1 if it doesn't."""
        if self.at > now + _FARTHEST_CLOCK:
            return 1.0
        excess = self.excess * 0.5 ** (max(0.0, now - self.at) / _RECOVERY_SECONDS)
        return 1.0 + (excess if excess > _LEAST_EXCESS else 0.0)

    def after(self, calls: int, throttled: int, now: float, rate: float) -> "Slowness":
        """Return the slowness after turns were given out or calls were throttled."""
        span = max(_SECONDS_COMPARED, _CALLS_COMPARED / rate)
        kept = 0.5 ** (max(0.0, now - self.counted_at) / span)
        made, hit = self.calls * kept + calls, self.throttled * kept + throttled
        share = hit / max(made, hit, 1.0)
        paused = 0.0 <= now - self.at < _PAUSE_SECONDS
        if not throttled or paused or hit < _FEWEST_THROTTLED or share <= _SHARE_TOO_MUCH:
            return Slowness(self.excess, self.at, made, hit, now)
        factor = self.factor(now) * min(_LARGEST_FACTOR, 1.0 / (1.0 - min(share, 0.9)))
        return Slowness(min(_MOST_EXCESS, factor - 1.0), now, 0.0, 0.0, now)


@dataclass(frozen=True, slots=True)
class Throttled:
    """Turns given out, how many of their calls were throttled, and the seconds that the turns took up."""

    calls: int = 0
    throttled: int = 0
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """Throttled calls of all calls."""
        return min(1.0, self.throttled / self.calls) if self.calls else 0.0

    @property
    def admitted_rate(self) -> float | None:
        """Calls a second that the gateway let in while turns were given out; None if there were none."""
        return max(0, self.calls - self.throttled) / self.seconds if self.seconds > 0 else None


class LastHour:
    """Counts by minute, as the account's document keeps them: minute of Unix time -> calls, throttled, seconds."""

    def __init__(self, minutes: Mapping[str, Any] | None = None) -> None:
        self._minutes = {
            int(minute): Throttled(int(calls), int(throttled), float(seconds))
            for minute, (calls, throttled, seconds) in (minutes or {}).items()
        }

    def add(self, now: float, *, calls: int = 0, throttled: int = 0, seconds: float = 0.0) -> None:
        """Count in the minute of `now`, and forget what is older than an hour."""
        minute = int(now // 60)
        before = self._minutes.get(minute, Throttled())
        self._minutes = {at: each for at, each in self._minutes.items() if abs(minute - at) < _HOUR_MINUTES}
        self._minutes[minute] = Throttled(before.calls + calls, before.throttled + throttled, before.seconds + seconds)

    def last(self, minutes: int, now: float) -> Throttled:
        """Return the sum of the last minutes, the current one included."""
        since = int(now // 60) - minutes
        counted = [each for at, each in self._minutes.items() if at > since]
        return Throttled(
            sum(each.calls for each in counted),
            sum(each.throttled for each in counted),
            sum(each.seconds for each in counted),
        )

    def encode(self) -> dict[str, list[float]]:
        """Return what the document keeps."""
        return {
            str(at): [each.calls, each.throttled, round(each.seconds, 3)] for at, each in sorted(self._minutes.items())
        }
