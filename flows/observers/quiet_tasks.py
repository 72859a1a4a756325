"""Keeps Prefect's lines about task runs out of a run's log: a campaign has thousands, and none says what happened.

Left out are "Finished in state ..." of each task run, and the trace of an error of ours, whose message the flow logs.
"""

import contextlib
import logging
from collections.abc import Generator
from typing import Final

from globe_sms.tasks.vocabulary.errors import GlobeSmsError

_FLOWS: Final = ("send-campaign", "send-shard", "try-campaign", "resend-unknown", "track-delivery")
_FINISHED: Final = "Finished in state "


@contextlib.contextmanager
def quiet_tasks(logger: str = "prefect.task_runs") -> Generator[None]:
    """Keep them out of the logs of our flows within the block; `logger` is the one that Prefect writes them with."""
    log, quiet = logging.getLogger(logger), _Quiet()
    log.addFilter(quiet)
    try:
        yield
    finally:
        log.removeFilter(quiet)


class _Quiet(logging.Filter):
    """Knows the lines by their text, which is Prefect 3's."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "flow_name", None) not in _FLOWS:
            return True
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, GlobeSmsError) or record.getMessage().startswith(_FINISHED))
