"""How far a run has come, in words."""

import time
from typing import Final

from globe_sms.tasks.sending.progress import ProgressSnapshot
from globe_sms.tasks.vocabulary.durations import clock_time, in_words, moment
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.statuses import PRESENTED

_PATIENCE_SECONDS: Final = 10.0  # most answers take less than one


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
    waits = f"{waiting_words(snapshot)}{missing_words(snapshot)}"
    calls = counted(snapshot.calls, "call")
    return f"{snapshot.done:,} of {snapshot.total:,} numbers: {counts}; {calls}{rate}{rest}{waits}"


def waiting_words(snapshot: ProgressSnapshot) -> str:
    """Say until when nothing may go; nothing while something may."""
    return "" if snapshot.waits_until is None else f"; outside --hours, waiting until {moment(snapshot.waits_until)}"


def is_missing_answers(snapshot: ProgressSnapshot) -> bool:
    """Whether a call has waited much longer than usual for its answer."""
    return snapshot.longest_out is not None and snapshot.longest_out >= _PATIENCE_SECONDS


def missing_words(snapshot: ProgressSnapshot, now: float | None = None) -> str:
    """Say how many calls are out and since when, if an answer takes much longer than usual; otherwise nothing.

    `now` is the Unix time.
    """
    if snapshot.longest_out is None or not is_missing_answers(snapshot):
        return ""
    since = clock_time((time.time() if now is None else now) - snapshot.longest_out)
    calls = counted(snapshot.out, "call")
    return f"; waiting for answers: {calls} out, the first since {since} ({in_words(snapshot.longest_out)})"
