"""Reads the next chunks from the plan, without people who have opted out by then."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from globe_sms.tasks.planning.exclusions import Exclusions
from globe_sms.tasks.planning.frozen_plan import Chunk, FrozenPlan
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.errors import InputError, StoreError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal

LOOK_AGAIN_AFTER: Final = 300.0
_PATIENCE: Final = 60.0
_PAUSE: Final = 0.5


class ChunkReader:
    """Opens chunks by their numbers. It looks at opt-outs before the first, and again some minutes after the last look.

    That is at the beginning of a stretch, after each wait for the recipients' hours, and every few minutes in a long
    campaign without waits.
    """

    def __init__(
        self,
        plan: FrozenPlan,
        exclusions: Exclusions,
        stop: StopSignal,
        progress: Progress,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        patience: float = _PATIENCE,
    ) -> None:
        """Take the plan and what keeps people out.

        Args:
            plan: The frozen plan.
            exclusions: What keeps people out.
            stop: Set if a list can't be read.
            progress: Expects fewer numbers once some of them are left out.
            monotonic: For the patience.
            patience: How long a list may fail to be read, in seconds.
        """
        self._plan = plan
        self._exclusions = exclusions
        self._stop = stop
        self._progress = progress
        self._monotonic = monotonic
        self._patience = patience
        self._expected = exclusions.current
        self._is_new = True

    def __call__(self, indexes: Sequence[int]) -> Mapping[int, Callable[[], Chunk]]:
        """Return the chunks, each made when it's called; none if the run has stopped, because a list can't be read."""
        if self._is_new or (self._exclusions.seconds_ago or 0.0) >= LOOK_AGAIN_AFTER:
            self._look_again()
            if self._stop.stop is not None:
                return {}
            self._is_new = False
        left_out = self._exclusions.current.of_chunks(indexes)
        if self._exclusions.current is not self._expected:
            self._progress.expect_fewer(_numbers(left_out) - _numbers(self._expected.of_chunks(indexes)))
        return self._plan.open_chunks(indexes, left_out)

    def _look_again(self) -> None:
        give_up = self._monotonic() + self._patience
        while self._stop.stop is None:
            try:
                self._exclusions.look(self._plan)
            except (InputError, StoreError) as error:
                if self._monotonic() >= give_up:
                    self._stop.set(stop_for_unreadable(error))
                    return
                self._stop.wait(_PAUSE)
            else:
                return


def stop_for_unreadable(error: InputError | StoreError) -> Stop:
    """Return why nobody else is texted once an opt-out list or the policy can't be read."""
    if isinstance(error, StoreError):
        return Stop(StopCause.STORE_DOWN, f"{error} Nobody is texted while it's unknown who must not be.")
    return Stop(
        StopCause.STOPPED,
        f"{str(error).rstrip('.')}. Opt-out lists and the policy are read again before people are texted, so nobody "
        "else was texted. Fix that, then run the same command again: it continues with the numbers that weren't sent.",
    )


def _numbers(left_out: Mapping[int, Mapping[int, str]]) -> int:
    return sum(map(len, left_out.values()))
