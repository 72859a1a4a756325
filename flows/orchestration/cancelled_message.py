"""Keeps what a cancelled run says of itself: how many rows it had sent, and what to press to go on.

Prefect's runner waits for a cancelled run's process to end and then sets the state again, with a message of its own.
So the run leaves a process behind that waits for this, and puts the run's message back: `python -m` this module, with
the flow run's id as argument and the message on stdin. In a container that ends with the run, Prefect's message stays.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.states import Cancelled

_LONGEST_WAIT: Final = 60.0  # Prefect kills a process that doesn't end in 30 s
_LOOK_SECONDS: Final = 0.5


def leave_message(flow_run: UUID, message: str) -> None:
    """Have the run's message put back once Prefect has set its own."""
    command = [sys.executable, "-m", "globe_sms.flows.orchestration.cancelled_message", str(flow_run)]
    quiet = subprocess.DEVNULL
    # A session of its own: the signal that ends this run's process group doesn't reach it.
    left = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603
    if left.stdin is not None:
        left.stdin.write(message.encode())
        left.stdin.close()
    left.returncode = 0  # nobody waits for it: it outlives this process


def put_message_back(
    flow_run: UUID,
    message: str,
    *,
    connect: Callable[[], AbstractContextManager[SyncPrefectClient]] = lambda: get_client(sync_client=True),
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> bool:
    """Wait until the run is cancelled with another message, then set this one; return whether it was.

    A run that ends otherwise, or that isn't told to be cancelled, keeps its state.
    """
    end = monotonic() + _LONGEST_WAIT
    with connect() as client:
        while monotonic() < end:
            state = client.read_flow_run(flow_run).state
            if state is None or (state.is_final() and not state.is_cancelled()):
                return False
            if state.is_cancelled() and state.message != message:
                client.set_flow_run_state(flow_run, Cancelled(message=message), force=True)
                return True
            sleep(_LOOK_SECONDS)
    return False


if __name__ == "__main__":
    put_message_back(UUID(sys.argv[1]), sys.stdin.read())
