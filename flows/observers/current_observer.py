"""Who watches the runs of this process: the terminal of `globe-sms send` and `track`, and Prefect.

A context variable, because Prefect calls the flow's function: whatever is handed to it as a parameter would stand on
the form and in the records of the run.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID

from prefect import get_run_logger
from prefect.context import FlowRunContext
from prefect.exceptions import Abort, Pause, TerminationSignal
from prefect.runtime import deployment, flow_run

from globe_sms.flows.observers.first_lines import first_lines
from globe_sms.flows.observers.last_report import LastReport
from globe_sms.flows.observers.outlet_threads import OutletThreads
from globe_sms.flows.observers.prefect_artifacts import PrefectArtifacts
from globe_sms.flows.observers.prefect_events import PrefectEvents
from globe_sms.flows.observers.quiet_tasks import quiet_tasks
from globe_sms.flows.observers.run_log import RunLog
from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.tasks.reports.run_page import Interruption

_watching: Final[ContextVar[tuple[RunObserver, ...]]] = ContextVar("globe-sms-watching", default=())


@contextmanager
def observed_by(observer: RunObserver) -> Generator[None]:
    """Have `observer` watch the runs within the block."""
    token = _watching.set((observer,))
    try:
        yield
    finally:
        _watching.reset(token)


@contextmanager
def observe_run() -> Generator[OutletThreads]:
    """Yield the observer for this flow run to report to: its outlets are the terminal, if any, and Prefect."""
    run = UUID(flow_run.id) if flow_run.id else None
    log, context = get_run_logger(), FlowRunContext.get()
    story = RunLog(log, first_lines(log, context and context.flow_run))
    outlets = [*_watching.get(), PrefectArtifacts(run), PrefectEvents(run), story]
    if deployment.name:
        outlets.append(LastReport(run, deployment.name))
    with quiet_tasks(), OutletThreads(outlets) as observer:
        try:
            yield observer
        except (Pause, Abort, TerminationSignal) as error:
            observer.interrupted(Interruption.PAUSED if isinstance(error, Pause) else Interruption.CANCELLED)
            raise
