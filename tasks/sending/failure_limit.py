"""How many failed or unknown numbers stop a campaign."""

from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal

FEWEST_FOR_A_FAILURE_RATE: Final = 1_000  # numbers: the share that failed says little of fewer


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """The largest share of failed and unknown numbers, 0 to 1; it applies once `fewest` numbers were presented."""

    max_rate: float
    fewest: int = FEWEST_FOR_A_FAILURE_RATE

    def check(self, progress: Progress, stop: StopSignal) -> None:
        """Stop the campaign if too many of the numbers presented so far failed or are unknown."""
        numbers = progress.snapshot.numbers
        presented = sum(numbers.values())
        bad = numbers.get(Status.FAILED, 0) + numbers.get(Status.UNKNOWN, 0)
        if presented < self.fewest or bad <= self.max_rate * presented:
            return
        message = (
            f"{bad} of the first {presented} numbers failed or are unknown, more than --max-failure-rate "
            f"{self.max_rate:g} allows. See the reasons in the results, fix the cause and run the same command again: "
            "it continues with the numbers that weren't sent."
        )
        stop.set(Stop(StopCause.STOPPED, message, for_failures=True))
