"""The log of the processes that receive receipts."""

import logging
import sys

from globe_sms.tasks.store import Store

_log = logging.getLogger("globe_sms.receipts")


def log_to_stderr() -> None:
    """Log what people should know, and nothing of other libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("globe_sms.receipts", logging.INFO), ("uvicorn", logging.INFO)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def log_end(store: Store, *, receipts: int, replies: int, objects: int) -> None:
    """Log what a process has written to a place when it stops."""
    _log.info("Stopped. Written to %s: receipts %d, replies %d, in objects %d.", store.uri, receipts, replies, objects)


class TroubleLog:
    """Logs when something fails and when it works again, but not every try in between.

    Args:
        consequence: the sentence after an error.
        recovered: the sentence once it works again.
    """

    def __init__(self, consequence: str, recovered: str) -> None:
        self._consequence = consequence
        self._recovered = recovered
        self._failing = False

    def __call__(self, error: Exception | None) -> None:
        """Note how a try ended: None for success."""
        if error is not None and not self._failing:
            _log.error("%s. %s", str(error).rstrip("."), self._consequence)
        elif error is None and self._failing:
            _log.info("%s", self._recovered)
        self._failing = error is not None
