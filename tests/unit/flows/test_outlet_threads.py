"""A run reports each event once; no outlet can delay or stop the run, or another outlet."""

import threading
import time
from collections.abc import Generator
from typing import Any

import pytest

from globe_sms.flows.observers.outlet_threads import OutletThreads
from globe_sms.flows.observers.run_observer import Ask, RunObserver
from globe_sms.tasks.campaign.approval import Answer, Decision
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.recipients import EmptyListError
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.run_page import Interruption
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.flows.previews import PREVIEW
from tests.waiting import await_event

EVENTS: dict[str, tuple[Any, ...]] = {
    "step": ("sending",),
    "opened": ("Camp_1",),
    "previewed": (PREVIEW,),
    "asking": (PREVIEW, 1_800_000_000.0),
    "answered": (Answer(Decision.APPROVED, "Mei", "here"),),
    "sending": (Progress(),),
    "tracking": (TrackingProgress(open=1),),
    "no_rows": ("list.csv: no rows found",),
    "failed": ("no such list",),
    "interrupted": (Interruption.PAUSED,),
    "ended": ("a report",),
    "tracked": ("an outcome", TrackingProgress(open=1)),
}


class Records(RunObserver):
    """Keeps each event that it hears; `hear` comes first."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in {*EVENTS, "refresh", "closed"}:
            return lambda *given: self.hear(name, *given)
        return super().__getattribute__(name)

    def hear(self, name: str, *given: Any) -> None:
        """Keep it."""
        self.heard.append((name, *given))


class Raises(Records):
    """Fails at every event."""

    def hear(self, name: str, *given: Any) -> None:
        """Keep it and fail."""
        super().hear(name, *given)
        raise OSError("no terminal, no server")


class Hangs(Records):
    """Hangs at the first event until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def hear(self, name: str, *given: Any) -> None:
        """Wait, then keep it."""
        self.let_go.wait(60.0)
        super().hear(name, *given)


@pytest.fixture
def hangs() -> Generator[Hangs]:
    """An outlet that hangs for the whole test."""
    outlet = Hangs()
    yield outlet
    outlet.let_go.set()


def report_all(observer: RunObserver) -> None:
    """Report each event that there is."""
    for name, given in EVENTS.items():
        getattr(observer, name)(*given)


ALL = [(name, *given) for name, given in EVENTS.items()] + [("closed",)]


def test_the_events_are_all_that_an_observer_has() -> None:
    """A new one belongs into the table above, and is passed on."""
    methods = {name for name, value in vars(RunObserver).items() if callable(value) and not name.startswith("_")}
    assert methods == {*EVENTS, "question", "refresh", "closed"}
    assert methods - {"refresh", "closed"} <= set(vars(OutletThreads))


def test_every_event_reaches_every_outlet_once_and_in_order() -> None:
    """And that the run is over comes last."""
    outlets = [Records(), Records(), Records()]
    with OutletThreads(outlets) as observer:
        report_all(observer)
    assert [outlet.heard for outlet in outlets] == [ALL, ALL, ALL]


def test_an_outlet_that_raises_or_hangs_neither_delays_nor_stops_the_others(hangs: Hangs) -> None:
    """The run reports at once, the others hear all of it, and the one that fails is still told the rest."""
    raises, well = Raises(), Records()
    with OutletThreads((hangs, raises, well), patience=0.05) as observer:
        report_all(observer)
        await_event(lambda: len(well.heard) == len(EVENTS), "all events, while the first one hangs")
    assert not hangs.heard
    await_event(lambda: well.heard == ALL and raises.heard == ALL, "the end")


def test_the_end_of_a_run_waits_once_for_all_outlets_that_hang() -> None:
    """Not once for each."""
    outlets = [Hangs() for _ in range(20)]
    started = time.monotonic()
    with OutletThreads(outlets, patience=0.5) as observer:
        observer.step("sending")
    waited = time.monotonic() - started
    for outlet in outlets:
        outlet.let_go.set()
    assert waited < 20 * 0.5


def test_an_error_of_the_run_passes_and_the_outlets_are_closed() -> None:
    """They have shown what came before, and hear why it ends."""
    outlet = Records()

    def run() -> None:
        with OutletThreads((outlet,)) as observer:
            observer.step("checking")
            raise InputError("no such list")

    with pytest.raises(InputError, match="no such list"):
        run()
    assert outlet.heard == [("step", "checking"), ("failed", "no such list"), ("closed",)]


def test_an_error_that_nobody_foresaw_is_told_without_its_words() -> None:
    """They may hold a number or a key."""
    outlet = Records()
    with pytest.raises(KeyError), OutletThreads((outlet,)):
        raise KeyError("+6581234567")
    (name, said), closed = outlet.heard
    assert (name, closed) == ("failed", ("closed",))
    assert "KeyError" in said
    assert "6581234567" not in said


def test_the_outlets_hear_that_the_lists_have_no_rows() -> None:
    """The run ends with an error, and without results that could say so."""
    outlet = Records()
    with pytest.raises(EmptyListError), OutletThreads((outlet,)):
        raise EmptyListError("list.csv: no rows found")
    said = "list.csv: no rows found"
    assert outlet.heard == [("no_rows", said), ("failed", said), ("closed",)]


def test_an_outlet_is_refreshed_while_nothing_happens() -> None:
    """Every `refresh_seconds`."""
    outlet = Records()
    outlet.refresh_seconds = 0.01
    with OutletThreads((outlet,)):
        await_event(lambda: outlet.heard.count(("refresh",)) > 2, "refreshes")


class Asks(Records):
    """Somebody says yes, who has seen so many events by then."""

    seen = 0
    asked_in: threading.Thread | None = None

    def question(self, *, required: bool) -> Ask | None:
        """Return the question where it's needed."""
        return self._ask if required else None

    def _ask(self, _: Preview) -> Answer:
        self.seen, self.asked_in = len(self.heard), threading.current_thread()
        return Answer(Decision.APPROVED, "Mei", "here")


def test_a_question_is_asked_in_the_runs_thread_once_the_outlet_has_shown_what_came_before(hangs: Hangs) -> None:
    """Ctrl-C reaches that thread; and nobody answers before the preview is there."""
    asks = Asks()
    with OutletThreads((hangs, asks), patience=5.0) as observer:
        for _ in range(100):
            observer.previewed(PREVIEW)
        assert observer.question(required=False) is None
        ask = observer.question(required=True)
        assert ask is not None
        assert ask(PREVIEW).decision is Decision.APPROVED
        hangs.let_go.set()
    assert (asks.seen, asks.asked_in) == (100, threading.current_thread())


def test_an_answer_that_nobody_can_give_is_an_error_of_the_run() -> None:
    """Nothing may be sent without it."""

    class NoTerminal(RunObserver):
        def question(self, *, required: bool) -> Ask | None:
            raise InputError(f"nobody to ask, required: {required}")

    with OutletThreads((NoTerminal(),)) as observer, pytest.raises(InputError, match="nobody to ask"):
        observer.question(required=True)
