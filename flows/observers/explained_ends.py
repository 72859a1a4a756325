"""Keeps Prefect's trace of an end that a run has explained out of its log, where it would hide the explanation.

Prefect's engine takes every state that isn't a success for an unexpected exception: once the flow has ended it logs a
hundred lines of its own code.
"""

import logging
from collections.abc import Sequence
from typing import Final

from prefect.exceptions import CancelledRun

from globe_sms.tasks.vocabulary.errors import GlobeSmsError

_ENGINE: Final = ("prefect.flow_runs", "prefect.engine")
_EXPLAINED: Final = (GlobeSmsError, CancelledRun)
_UNEXPECTED: Final = "exited with unexpected exception"


def leave_out_explained_ends(loggers: Sequence[str] = _ENGINE) -> None:
    """Leave them out from now on: `loggers` are those of the engine. A run of a deployment is alone in its process."""
    for logger in loggers:
        logging.getLogger(logger).addFilter(_is_not_explained)


def _is_not_explained(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, _EXPLAINED) and _UNEXPECTED in record.getMessage())
