"""How a process that ran a flow ends: Prefect's client gets time to deliver its last events, but not forever."""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import NoReturn

_STEP_SECONDS = 2.0
_PATIENCE_SECONDS = 10.0


def server_outlives_us() -> bool:
    """Whether somebody set up Prefect's server; a temporary one ends with this process, and so do its records."""
    from prefect.settings import get_current_settings

    return bool(get_current_settings().api.url)


def leave(code: int) -> NoReturn:
    """End the process with this exit code.

    At the end of a process Prefect's client delivers the events that it still has, with a dozen tries each. If the
    server is gone, a finished campaign would hang for an hour. The campaign doesn't depend on those records, so they're
    dropped once the server hasn't answered for ten seconds.
    """
    if "prefect.events.worker" in sys.modules and not _delivered(_server_answers):
        sys.stdout.flush()
        if server_outlives_us():
            sys.stderr.write("globe-sms: Prefect's server is gone, so its record of this run is incomplete.\n")
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _delivered(server_answers: Callable[[], bool], monotonic: Callable[[], float] = time.monotonic) -> bool:
    """Wait until the client has delivered everything; False once the server has been silent for too long."""
    from prefect.events.worker import EventsWorker

    waited = EventsWorker.drain_all(timeout=_STEP_SECONDS)
    open_ends = waited[1] if isinstance(waited, tuple) else set[Future[bool]]()
    heard = monotonic()
    while open_ends:
        if server_answers():
            heard = monotonic()
        elif monotonic() - heard >= _PATIENCE_SECONDS:
            return False
        open_ends = wait(open_ends, timeout=_STEP_SECONDS).not_done
    return True


def _server_answers() -> bool:
    import httpx
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import get_current_settings

    url = get_current_settings().api.url or SubprocessASGIServer().api_url  # this process's temporary server
    try:
        return httpx.get(f"{url}/health", timeout=_STEP_SECONDS).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
