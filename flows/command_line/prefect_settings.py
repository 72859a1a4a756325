"""Prefect's settings for a run from a terminal: nothing of Prefect's is printed between our own lines."""

import logging
from collections.abc import MutableMapping

_SETTINGS = {
    # The server is ended while it's still writing, and then logs tracebacks of its own cancelled tasks.
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Task runs are recorded in batches: a transaction for each keeps the temporary server's SQLite so busy that it
    # answers other requests with 503.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    # The terminal shows our own steps and figures; the server has the full log of the run.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    # Events that can't reach their server would be printed whole.
    "PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL": "CRITICAL",
    # Otherwise Prefect prints a notice about its telemetry into the progress bar.
    "DO_NOT_TRACK": "1",
}


def set_prefect_defaults(environ: MutableMapping[str, str]) -> None:
    """Set what the user hasn't set. Call it before importing Prefect."""
    for name, value in _SETTINGS.items():
        environ.setdefault(name, value)
    logging.raiseExceptions = False  # otherwise a log line that the server rejects prints an error
