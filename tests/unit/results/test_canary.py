"""When a canary lets a campaign go on, and what is left before and after it."""

import pytest

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.results.canary import Canary, stop_for
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal


@pytest.mark.parametrize(
    ("counts", "limit", "goes_on"),
    [
        ({"accepted": 10}, 0.0, True),
        ({"accepted": 5, "failed": 5}, 0.5, True),
        ({"accepted": 4, "failed": 5, "unknown": 1}, 0.5, False),
        ({"accepted": 9, "failed": 1}, 0.0, False),
        ({"failed": 10}, 1.0, True),
        ({"accepted": 1, "not_sent": 9}, 0.5, True),
        ({"accepted": 1, "failed": 2, "not_sent": 7}, 0.5, False),
        ({"not_sent": 10}, 1.0, False),
    ],
)
def test_a_canary_lets_the_others_follow_up_to_the_limit(
    counts: dict[str, int], limit: float, *, goes_on: bool
) -> None:
    """Of what was presented; a canary that could not be presented proves nothing."""
    assert (stop_for(Canary(counts), limit) is None) is goes_on


def test_a_canary_that_failed_is_told_with_figures_and_what_to_do() -> None:
    """In words that name the option."""
    stop = stop_for(Canary({"accepted": 3, "failed": 6, "unknown": 1}), 0.5)
    assert stop is not None
    assert "The canary's 10 numbers: 3 accepted, 6 failed, 1 unknown." in stop.message
    assert "higher --max-failure-rate" in stop.message


@pytest.mark.parametrize(
    ("chunks", "canary", "begins", "after"),
    [
        ((0, 1, 2, 3), 0, False, False),
        ((0, 1, 2, 3), 2, True, False),
        ((1, 3), 2, True, False),
        ((2, 3), 2, False, True),
        ((0, 1), 2, False, False),
        ((), 2, False, False),
    ],
)
def test_what_is_left_is_before_a_canary_or_after_it(
    chunks: tuple[int, ...], canary: int, *, begins: bool, after: bool
) -> None:
    """A canary without anybody after it needs no judgement."""
    remaining = RemainingChunks(chunks, (), {}, 1, canary=canary)
    assert (remaining.begins_with_canary, remaining.is_after_canary) == (begins, after)
    assert remaining.open_of_canary.chunks == tuple(chunk for chunk in chunks if chunk < canary)


def test_what_is_resent_of_a_canary_is_told_from_what_was_never_taken() -> None:
    """It goes first."""
    remaining = RemainingChunks((0, 1, 2, 3, 4), (1, 4), {}, 1, canary=3)
    assert (remaining.resent_of_canary.chunks, remaining.open_of_canary.chunks) == ((1,), (0, 2))


@pytest.mark.parametrize(("claimed", "begun"), [((), False), ((2, 3), False), ((1,), True), ((0, 3), True)])
def test_a_canary_has_begun_once_some_of_it_was_claimed(claimed: tuple[int, ...], *, begun: bool) -> None:
    """A first run has nothing to judge before it sends."""
    remaining = RemainingChunks((0, 1, 2, 3), (), {chunk: History((None,)) for chunk in claimed}, 1, canary=2)
    assert remaining.has_begun_canary is begun


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (None, "canary"),
        (Stop(StopCause.STOPPED, "1,000 of 1,000", for_failures=True), "canary"),
        (Stop(StopCause.STOPPED, "the balance"), "balance"),
        (Stop(StopCause.CANCELLED, "Ctrl-C"), "Ctrl-C"),
    ],
)
def test_a_closer_look_at_the_failures_is_told_where_they_have_stopped_the_run(first: Stop | None, says: str) -> None:
    """No other cause is hidden by it."""
    signal = StopSignal()
    if first is not None:
        signal.set(first)
    signal.stop_for_failures(Stop(StopCause.STOPPED, "the canary", for_failures=True))
    assert signal.stop is not None
    assert says in signal.stop.message
    assert signal.wait(0.0)
