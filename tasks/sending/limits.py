"""When a call is tried again, when that is given up, and how many failures stop a campaign."""

import random
from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal

FEWEST_FOR_A_FAILURE_RATE: Final = 1_000  # numbers: the share that failed says little of fewer


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """When to try again and when to give up. Pauses in seconds; each is drawn from half to all of its value."""

    tries: int = 8
    first_pause: float = 0.5
    longest_pause: float = 15.0
    store_patience: float = 120.0
    max_failure_rate: float = 0.5
    fewest_for_a_failure_rate: int = FEWEST_FOR_A_FAILURE_RATE

    def pause(self, tries: int) -> float:
        """The pause after so many tries."""
        return min(self.longest_pause, self.first_pause * 2 ** (tries - 1)) * random.uniform(0.5, 1.0)


def check_failure_rate(progress: Progress, limits: RetryLimits, stop: StopSignal) -> None:
    """Stop the campaign when too many of the numbers presented so far have failed or are unknown."""
    numbers = progress.snapshot.numbers
    presented = sum(numbers.values())
    bad = numbers.get(Status.FAILED, 0) + numbers.get(Status.UNKNOWN, 0)
    if presented >= limits.fewest_for_a_failure_rate and bad > limits.max_failure_rate * presented:
        stop.set(
            Stop(
                StopCause.STOPPED,
                f"{bad} of the first {presented} numbers failed or are unknown, more than --max-failure-rate "
                f"{limits.max_failure_rate:g} allows. See the reasons in the results, mend the cause, and "
                "run the same command again: it goes on with what was not sent.",
                for_failures=True,
            )
        )
