"""Prefect's settings for a run from a terminal: its temporary server starts in peace and ends without noise."""

import logging
from collections.abc import MutableMapping

_SETTINGS = {
    # The server is ended while it still writes; what it logs then are tracebacks of its own cancelled tasks.
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Task runs are recorded in batches: one transaction each keeps the temporary server's SQLite busy, and it turns
    # other requests away with 503 meanwhile.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    # The terminal shows our own steps and figures; the server keeps the full log of the run.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    # Events that do not reach a server that is gone would be printed whole.
    "PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL": "CRITICAL",
    # Prefect prints a notice about its telemetry into the progress bar otherwise.
    "DO_NOT_TRACK": "1",
}


def quiet_prefect(environ: MutableMapping[str, str]) -> None:
    """Set what the user has not set; call it before Prefect is imported."""
    for name, value in _SETTINGS.items():
        environ.setdefault(name, value)
    logging.raiseExceptions = False  # else a log line that the server does not take is an error on the terminal
