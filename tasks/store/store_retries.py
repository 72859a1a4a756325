"""Trying again, with a pause, what a store did not take: for whatever may be repeated without asking the ledger."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception_type, wait_fixed

from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError

STORE_PATIENCE: Final = 120.0
"""How long, in seconds, a run waits for a store that doesn't answer before it stops."""

_PAUSE_SECONDS: Final = 1.0


def store_retries(
    patience: float = STORE_PATIENCE,
    *,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Retrying:
    """Return what calls a function again while the store doesn't answer, for `patience` seconds from now.

    Then the last `StoreUnavailableError` is raised; any other error is raised at once.
    """
    return Retrying(
        retry=retry_if_exception_type(StoreUnavailableError),
        stop=_after(patience, monotonic),
        wait=wait_fixed(_PAUSE_SECONDS),
        sleep=sleep,
        reraise=True,
    )


def async_store_retries(
    patience: float,
    *,
    sleep: Callable[[float], Awaitable[None]],
    monotonic: Callable[[], float],
    on: type[StoreError] = StoreUnavailableError,
    pause: float = _PAUSE_SECONDS,
) -> AsyncRetrying:
    """Return the same for an event loop; `on` says which errors are tried again."""
    return AsyncRetrying(
        retry=retry_if_exception_type(on),
        stop=_after(patience, monotonic),
        wait=wait_fixed(pause),
        sleep=sleep,
        reraise=True,
    )


def _after(patience: float, monotonic: Callable[[], float]) -> Callable[[RetryCallState], bool]:
    deadline = monotonic() + patience
    return lambda _: monotonic() >= deadline
