"""Pass a run's events on to its outlets, each in a thread of its own: no outlet delays or stops the run or another."""

import contextvars
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Self

from globe_sms.flows.observers.run_observer import Ask, RunObserver
from globe_sms.tasks.campaign.approval import Answer
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.recipients import EmptyListError
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.run_page import Interruption
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.errors import GlobeSmsError

_PATIENCE_SECONDS: Final = 10.0

_Event = Callable[[RunObserver], None]


class OutletThreads(RunObserver):
    """The observer that a run reports to; a context manager, which also tells why a run ends without results.

    Apart from `question`, nothing here waits or raises. At the end all outlets together get `patience` seconds to show
    what they've heard. What isn't shown by then is lost.
    """

    def __init__(self, outlets: Sequence[RunObserver], *, patience: float = _PATIENCE_SECONDS) -> None:
        self._outlets = [_Outlet(outlet) for outlet in outlets]
        self._patience = patience

    def step(self, what: str) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.step(what))

    def opened(self, campaign: str) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.opened(campaign))

    def previewed(self, preview: Preview) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.previewed(preview))

    def question(self, *, required: bool) -> Ask | None:
        """Return the first outlet's question, asked once that outlet has shown what came before.

        Raises:
            InputError: an answer is required, and the outlet that should ask can't.
        """
        for outlet in self._outlets:
            ask = outlet.question(required=required, patience=self._patience)
            if ask is not None:
                return ask
        return None

    def asking(self, preview: Preview, until: float) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.asking(preview, until))

    def answered(self, answer: Answer) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.answered(answer))

    def sending(self, progress: Progress) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.sending(progress))

    def tracking(self, progress: TrackingProgress) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.tracking(progress))

    def no_rows(self, message: str) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.no_rows(message))

    def failed(self, message: str) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.failed(message))

    def interrupted(self, why: Interruption) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.interrupted(why))

    def ended(self, report: CampaignReport) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.ended(report))

    def tracked(self, outcome: TrackingOutcome, progress: TrackingProgress) -> None:
        """Pass it on."""
        self._tell(lambda outlet: outlet.tracked(outcome, progress))

    def __enter__(self) -> Self:
        for outlet in self._outlets:
            outlet.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, EmptyListError):
            self.no_rows(str(error))
        if isinstance(error, Exception):
            self.failed(_in_words(error))
        for outlet in self._outlets:
            outlet.close()
        deadline = time.monotonic() + self._patience
        for outlet in self._outlets:
            outlet.join(max(0.0, deadline - time.monotonic()))

    def _tell(self, event: _Event) -> None:
        for outlet in self._outlets:
            outlet.tell(event)


class _Outlet:
    """One outlet, and the thread that calls it. The thread sees Prefect's context, so it talks to the run's server."""

    def __init__(self, outlet: RunObserver) -> None:
        self._outlet = outlet
        self._events: SimpleQueue[_Event | None] = SimpleQueue()
        context = contextvars.copy_context()
        name = f"outlet-{type(outlet).__name__}"
        self._thread = threading.Thread(target=context.run, args=(self._work,), name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def tell(self, event: _Event) -> None:
        self._events.put(event)

    def close(self) -> None:
        self._events.put(lambda outlet: outlet.closed())
        self._events.put(None)

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def question(self, *, required: bool, patience: float) -> Ask | None:
        ask = self._outlet.question(required=required)
        if ask is None:
            return None

        def ask_when_shown(preview: Preview) -> Answer:
            shown = threading.Event()
            self.tell(lambda _: shown.set())
            shown.wait(patience)
            return ask(preview)

        return ask_when_shown

    def _work(self) -> None:
        due = time.monotonic() + self._outlet.refresh_seconds
        while True:
            try:
                event = self._events.get(timeout=max(0.0, due - time.monotonic()))
            except Empty:
                event = _refresh
                due = time.monotonic() + self._outlet.refresh_seconds
            if event is None:
                return
            with suppress(Exception):  # an error while showing a run must not stop it
                event(self._outlet)


def _in_words(error: Exception) -> str:
    if isinstance(error, GlobeSmsError):
        return error.with_option()
    return f"this should not have happened ({type(error).__name__}). The run's log has the details, for a bug report."


def _refresh(outlet: RunObserver) -> None:
    outlet.refresh()
