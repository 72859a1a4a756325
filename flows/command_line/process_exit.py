"""The end of a process that ran a flow: Prefect's client may tell its server the rest, as long as there is a server."""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import NoReturn

_STEP_SECONDS = 2.0
_PATIENCE_SECONDS = 10.0


def server_outlives_us() -> bool:
    """Whether Prefect's server is one that somebody set up; a temporary one ends with this process, and its records."""
    from prefect.settings import get_current_settings

    return bool(get_current_settings().api.url)


def leave(code: int) -> NoReturn:
    """End the process with this exit code.

    At the end of a process Prefect's client delivers the events that it still has, each with a dozen tries: with a
    server that is gone, a finished campaign would hang for an hour. What is recorded there is not what the campaign
    stands on, so it is left undelivered when the server has not answered for ten seconds.
    """
    if "prefect.events.worker" in sys.modules and not _delivered(_server_answers):
        sys.stdout.flush()
        if server_outlives_us():
            sys.stderr.write("globe-sms: Prefect's server is gone; its record of this run is not complete.\n")
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _delivered(server_answers: Callable[[], bool], monotonic: Callable[[], float] = time.monotonic) -> bool:
    """Wait until the client has delivered everything; False when its server has been silent for too long."""
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

    url = get_current_settings().api.url or SubprocessASGIServer().api_url  # the temporary one of this process
    try:
        return httpx.get(f"{url}/health", timeout=_STEP_SECONDS).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
