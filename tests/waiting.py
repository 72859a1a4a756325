"""Waiting for something to happen: as long as a test may take, so that none fails because the machine is busy."""

from collections.abc import Callable
from typing import Final

from globe_sms.deployments.sandbox.child_process import wait_until

LONGEST_WAIT: Final = 290.0
"""Seconds. A little less than the `timeout` of a test in pyproject.toml, so a wait in vain says what it waited for."""


def await_event(happened: Callable[[], bool], what: str) -> None:
    """Look again and again until it has happened.

    Raises:
        TimeoutError: it hasn't within the time that a test may take.
    """
    wait_until(happened, seconds=LONGEST_WAIT, what=what)
