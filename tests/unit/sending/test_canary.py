"""When a canary lets a campaign go on, and what is left before and after it."""

import pytest

from tasks.canary import Canary, stop_for
from tasks.todo import Todo


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
    todo = Todo(chunks, (), {}, 1, canary=canary)
    assert (todo.begins_with_canary, todo.is_after_canary) == (begins, after)
    assert todo.of_canary.chunks == tuple(chunk for chunk in chunks if chunk < canary)
