"""What counts as the end of a run."""

import pytest

from globe_sms.tasks.steps.write_results import stop_that_counts
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause

CANCELLED = Stop(StopCause.CANCELLED, "The run was cancelled.")
BALANCE = Stop(StopCause.STOPPED, "no balance")


@pytest.mark.parametrize(
    ("stop", "left", "counts"),
    [(CANCELLED, 0, None), (CANCELLED, 3, CANCELLED), (BALANCE, 0, BALANCE), (None, 3, None)],
)
def test_a_run_whose_worker_is_killed_when_all_is_sent_has_finished(
    stop: Stop | None, left: int, counts: Stop | None
) -> None:
    """It isn't a cancelled one."""
    assert stop_that_counts(stop, left) == counts
