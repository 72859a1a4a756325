"""How far a run has come, in words."""

from globe_sms.tasks.sending.progress import ProgressSnapshot
from globe_sms.tasks.vocabulary.durations import in_words, moment
from globe_sms.tasks.vocabulary.statuses import PRESENTED


def seconds_left(snapshot: ProgressSnapshot, seconds: float) -> float | None:
    """Return the seconds left at the current pace; None if the pace is unknown or nothing is left."""
    if (
        snapshot.waits_until is not None
        or snapshot.first_call is None
        or not snapshot.done
        or snapshot.total <= snapshot.done
    ):
        return None
    return (snapshot.total - snapshot.done) * (seconds - snapshot.first_call) / snapshot.done


def percent(snapshot: ProgressSnapshot) -> float:
    """Return how much of what this run has to present is done, 0 to 100."""
    return 100.0 if snapshot.total == 0 else min(100.0, 100.0 * snapshot.done / snapshot.total)


def progress_sentence(snapshot: ProgressSnapshot, seconds: float) -> str:
    """Say how many numbers have which status so far, how fast it goes and how long it takes."""
    counts = ", ".join(f"{snapshot.numbers.get(status, 0):,} {status}" for status in PRESENTED)
    rate = "" if snapshot.rate is None else f" at {snapshot.rate:.2f} a second"
    left = seconds_left(snapshot, seconds)
    rest = "" if left is None else f"; about {in_words(left)} left"
    waits = waiting_words(snapshot)
    return f"{snapshot.done:,} of {snapshot.total:,} numbers: {counts}; {snapshot.calls:,} calls{rate}{rest}{waits}"


def waiting_words(snapshot: ProgressSnapshot) -> str:
    """Say until when nothing may go; nothing while something may."""
    return "" if snapshot.waits_until is None else f"; outside --hours, waiting until {moment(snapshot.waits_until)}"
