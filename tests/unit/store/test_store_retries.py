from collections.abc import Callable

import pytest

from globe_sms.tasks.store.store_retries import store_retries
from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def failing(times: int, error: StoreError) -> Callable[[], int]:
    calls: list[int] = []

    def call() -> int:
        calls.append(len(calls))
        if len(calls) <= times:
            raise error
        return len(calls)

    return call


def test_a_store_that_comes_back_in_time_is_asked_again_every_second() -> None:
    clock = _Clock()
    retries = store_retries(10.0, sleep=clock.sleep, monotonic=lambda: clock.now)
    assert retries(failing(3, StoreUnavailableError("away"))) == 4
    assert clock.now == 3.0


def test_patience_ends_with_the_stores_own_error() -> None:
    clock = _Clock()
    with pytest.raises(StoreUnavailableError, match="away"):
        store_retries(10.0, sleep=clock.sleep, monotonic=lambda: clock.now)(failing(99, StoreUnavailableError("away")))
    assert clock.now == 10.0


def test_a_refusal_is_not_tried_again() -> None:
    with pytest.raises(StoreError, match="refused"):
        store_retries(10.0)(failing(1, StoreError("refused")))
