"""Keeps what a cancelled run says of itself: how many rows it had sent, and what to press to go on.

Prefect's runner waits for a cancelled run's process to end and then sets the state again, with a message of its own.
So the run leaves a process behind that waits for this, and puts the run's message back: `python -m` this module, with
the flow run's id as argument and the message on stdin. In a container that ends with the run, it has the few tenths of
a second that Prefect's runner takes to end after it has set the state, so it's ready before the run's process ends, and
looks often. If it's still too late, Prefect's message stays; the campaign's page and the first line of the run's log
have the run's own message in any case.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Final
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Cancelled

_LONGEST_WAIT: Final = 120.0  # Prefect kills a process that doesn't end in 30 s, and a busy server takes its time
_LOOK_SECONDS: Final = 0.5
_LOOK_SOON_SECONDS: Final = 0.1  # once the run's own message is there: Prefect's comes when its process has ended
_LONGEST_START: Final = 10.0


def leave_message(flow_run: UUID, message: str) -> None:
    """Have the run's message put back once Prefect has set its own."""
    command = [sys.executable, "-m", "globe_sms.flows.orchestration.cancelled_message", str(flow_run)]
    quiet = subprocess.DEVNULL
    # A session of its own: the signal that ends this run's process group doesn't reach it.
    left = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, start_new_session=True
    )
    if left.stdin is not None and left.stdout is not None:
        left.stdin.write(message.encode())
        left.stdin.close()
        select.select([left.stdout], [], [], _LONGEST_START)  # until it's about to look, or has ended
        left.stdout.close()
    left.returncode = 0  # nobody waits for it: it outlives this process


def put_message_back(
    flow_run: UUID,
    message: str,
    *,
    connect: Callable[[], AbstractContextManager[SyncPrefectClient]] = lambda: get_client(sync_client=True),
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    ready: Callable[[], object] = lambda: None,
) -> bool:
    """Wait until the run is cancelled with another message, then set this one; return whether it was.

    A run that ends otherwise, or that isn't told to be cancelled, keeps its state. `ready` is called before the first
    look.
    """
    end, pause = monotonic() + _LONGEST_WAIT, 0.0
    with connect() as client:
        ready()
        while monotonic() < end:
            sleep(pause)
            pause = _LOOK_SECONDS
            with suppress(HTTPError, PrefectHTTPStatusError):  # a busy server answers later
                state = client.read_flow_run(flow_run).state
                if state is None or (state.is_final() and not state.is_cancelled()):
                    return False
                if state.is_cancelled() and state.message != message:
                    client.set_flow_run_state(flow_run, Cancelled(message=message), force=True)
                    return True
                pause = _LOOK_SOON_SECONDS if state.is_cancelled() else _LOOK_SECONDS
    return False


if __name__ == "__main__":
    put_message_back(UUID(sys.argv[1]), sys.stdin.read(), ready=lambda: os.write(sys.stdout.fileno(), b"ready"))
