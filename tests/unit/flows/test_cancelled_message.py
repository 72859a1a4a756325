"""A cancelled run keeps its own message, which Prefect's runner replaces."""

import uuid
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from httpx import ReadTimeout
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Cancelling, Completed, Running

from globe_sms.flows.orchestration.cancelled_message import put_message_back

MESSAGE = "The run was cancelled. (camp: 20 accepted, 10 not_sent; 2 calls in 3 s)"
OTHER = "Flow run was cancelled successfully."


def put_back(*states: State[Any] | ReadTimeout) -> list[tuple[str | None, bool]]:
    """Go through these states of the run, one a look; return what was set."""
    left, were = list(states), [0.0]
    told: list[tuple[str | None, bool]] = []

    def read(_: uuid.UUID) -> Any:
        state = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(state, ReadTimeout):
            raise state
        return SimpleNamespace(state=state)

    def told_state(_: uuid.UUID, state: State[Any], *, force: bool) -> None:
        told.append((state.message, force))

    def sleep(seconds: float) -> None:
        were[0] += seconds

    client: Any = SimpleNamespace(read_flow_run=read, set_flow_run_state=told_state)
    put_message_back(uuid.uuid4(), MESSAGE, connect=lambda: nullcontext(client), sleep=sleep, monotonic=lambda: were[0])
    return told


def test_what_prefect_says_of_a_cancelled_run_is_replaced() -> None:
    """First its process says how far it got, then Prefect says that it was cancelled."""
    states = (Cancelling(), Cancelled(message=MESSAGE), Cancelled(message=MESSAGE), Cancelled(message=OTHER))
    assert put_back(*states) == [(MESSAGE, True)]


@pytest.mark.parametrize("state", [Completed(), Running(), Cancelled(message=MESSAGE)])
def test_any_other_state_stays(state: State[Any]) -> None:
    """It ended otherwise, goes on, or already says it."""
    assert put_back(state) == []


def test_a_server_that_does_not_answer_for_a_while_is_asked_again() -> None:
    """A busy one; otherwise Prefect's message would stay."""
    assert put_back(ReadTimeout("busy"), Cancelled(message=MESSAGE), ReadTimeout("busy"), Cancelled(message=OTHER)) == [
        (MESSAGE, True)
    ]
