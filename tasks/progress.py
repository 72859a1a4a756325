"""How far a run has come, in words."""

from typing import Final

from tasks.durations import in_words, moment
from tasks.statuses import Status
from tasks.tally import Standing

PRESENTED: Final = (Status.ACCEPTED, Status.FAILED, Status.UNKNOWN)


def seconds_left(standing: Standing, seconds: float) -> float | None:
    """Return the seconds that the rest takes at the pace so far; None while there is no pace, or no rest."""
    if (
        standing.waits_until is not None
        or standing.first_call is None
        or not standing.done
        or standing.total <= standing.done
    ):
        return None
    return (standing.total - standing.done) * (seconds - standing.first_call) / standing.done


def percent(standing: Standing) -> float:
    """Return how much of what this run has to present is done, 0 to 100."""
    return 100.0 if standing.total == 0 else min(100.0, 100.0 * standing.done / standing.total)


def progress_sentence(standing: Standing, seconds: float) -> str:
    """Say what became of the numbers so far, how fast it goes and how long it takes."""
    counts = ", ".join(f"{standing.numbers.get(status, 0):,} {status}" for status in PRESENTED)
    rate = "" if standing.rate is None else f" at {standing.rate:.2f} a second"
    left = seconds_left(standing, seconds)
    rest = "" if left is None else f"; about {in_words(left)} left"
    waits = waiting_words(standing)
    return f"{standing.done:,} of {standing.total:,} numbers: {counts}; {standing.calls:,} calls{rate}{rest}{waits}"


def waiting_words(standing: Standing) -> str:
    """Say until when nothing may go; nothing while something may."""
    return "" if standing.waits_until is None else f"; outside --hours, waiting until {moment(standing.waits_until)}"
