"""What the gateway's log says of a rate: its arrivals are the judge, never a sender's own counters."""

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from globe_sms.deployments.sandbox.gateway.rate_window import busiest_second

THROTTLED = frozenset({"Throttling.User", "QPS_LIMIT_CONTROL"})


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls that the gateway let in and those that it throttled; times in seconds."""

    admitted: int
    throttled: int
    seconds: float
    largest_gap: float
    busiest_second: int

    @classmethod
    def of(cls, arrivals: Iterable[Arrival]) -> "Rate":
        """Count some arrivals, in any order."""
        arrivals = sorted(arrivals, key=lambda arrival: arrival.monotonic)
        times = [arrival.monotonic for arrival in arrivals if arrival.admitted]
        return cls(
            admitted=len(times),
            throttled=sum(arrival.code in THROTTLED for arrival in arrivals),
            seconds=times[-1] - times[0] if times else 0.0,
            largest_gap=max((after - before for before, after in pairwise(times)), default=0.0),
            busiest_second=busiest_second([arrival.monotonic for arrival in arrivals]),
        )

    def share(self, limit: float) -> float:
        """The used share of a limit in calls a second: (n - 1) / (last - first) / limit."""
        return (self.admitted - 1) / self.seconds / limit if self.seconds > 0 else 0.0

    @property
    def throttled_share(self) -> float:
        """Throttled calls of all calls."""
        calls = self.admitted + self.throttled
        return self.throttled / calls if calls else 0.0


def add_arrival_delay(parser: ArgumentParser) -> None:
    """Add the option that delays the arrivals of a measurement at random, like a network."""
    parser.add_argument(
        "--arrival-delay",
        nargs=2,
        type=float,
        default=[0.0, 0.0],
        metavar="SECONDS",
        help="each arrival's, from and to",
    )


def in_milliseconds(delay: Sequence[float]) -> str:
    """Return a delay of arrivals for a table: `20 to 80 ms`, or `none`."""
    low, high = (f"{1000 * seconds:g}" for seconds in delay)
    return "none" if high == "0" else f"{low} to {high} ms"


def within(arrivals: Sequence[Arrival], first: float, last: float) -> list[Arrival]:
    """The arrivals of a span of the monotonic clock."""
    return [arrival for arrival in arrivals if first <= arrival.monotonic <= last]
