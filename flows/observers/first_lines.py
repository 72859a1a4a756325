"""Lines that come first in a run's log, though they are written last: what a run waits for, and how it ended.

A run's page in Prefect opens with the oldest lines of its log, of which some five fit on the first screen. These lines
bear a time before the run's beginning, the latest of them first, and say in words when they were written.
"""

import logging
import time
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from prefect.client.schemas.objects import FlowRun

from globe_sms.tasks.vocabulary.durations import clock_time

_EARLIER: Final = 0.001  # for each second since the run's beginning: a suspended run goes on hours later
_LINE_SECONDS: Final = 0.000_01  # between two lines of the same moment

Log = logging.Logger | logging.LoggerAdapter[Any]
SayFirst = Callable[[str, int], None]


def first_lines(log: Log, run: FlowRun | None, *, clock: Callable[[], float] = time.time) -> SayFirst:
    """Return what writes such a line of a level; outside a flow run it writes an ordinary one."""
    if run is None or run.created is None:
        return lambda said, level: log.log(level, "%s", said)
    created = run.created.timestamp()
    lines = count(1)

    def say_first(said: str, level: int) -> None:
        logger, extra = (log.logger, log.extra) if isinstance(log, logging.LoggerAdapter) else (log, None)
        now = clock()
        text = f"At {clock_time(now)}: {said}"
        record = logger.makeRecord(logger.name, level, __file__, 0, text, (), None, extra=extra)
        record.created = created - _EARLIER * max(0.0, now - created) - _LINE_SECONDS * next(lines)
        if logger.isEnabledFor(level):
            logger.handle(record)

    return say_first
