"""What a run shows where stderr is a terminal, and where it isn't."""

import io
from typing import Any

from rich.console import Console

from globe_sms.flows.command_line.terminal_progress import TerminalObserver
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.statuses import Status
from tests.unit.flows.previews import PREVIEW


def shown(*, terminal: bool, events: list[tuple[Any, ...]]) -> str:
    """Report the events; return what is on the screen."""
    screen = io.StringIO()
    with TerminalObserver(Console(file=screen, force_terminal=terminal, width=120)) as observer:
        for name, *given in events:
            getattr(observer, name)(*given)
    return screen.getvalue()


def sending() -> Progress:
    """Half of ten numbers are sent."""
    progress = Progress()
    progress.expect(10)
    progress.called()
    progress.settled(Status.ACCEPTED, 5)
    return progress


def test_without_a_terminal_steps_and_progress_are_plain_lines() -> None:
    """A line a step, and one at each refresh while calls leave; none before, none after."""
    events = [
        ("refresh",),
        ("step", "checking"),
        ("sending", sending()),
        ("refresh",),
        ("step", "writing"),
        ("refresh",),
    ]
    lines = shown(terminal=False, events=events).splitlines()
    assert lines[:2] == ["globe-sms: checking", "globe-sms: sending"]
    assert lines[2].startswith("globe-sms: 5 accepted, 1 call")
    assert lines[3:] == ["globe-sms: writing"]


def test_without_a_terminal_a_line_stays_a_line_however_long_it_is() -> None:
    """A log is searched by lines."""
    step = "waiting " * 40 + "until tomorrow"
    assert shown(terminal=False, events=[("step", step)]).splitlines() == [f"globe-sms: {step}"]


def test_without_a_terminal_a_tracking_prints_a_line_at_once_and_at_each_refresh() -> None:
    """However often it reports."""
    progress = TrackingProgress(open=3, asked=2)
    events = [("tracking", progress)] * 5 + [("refresh",)]
    line = "globe-sms: 0 of 3 messages have a final status, 2 queries"
    assert shown(terminal=False, events=events).splitlines() == [line, line]


def test_a_terminal_shows_the_preview_and_a_bar() -> None:
    """The bar moves by itself: a refresh prints nothing."""
    screen = shown(terminal=True, events=[("previewed", PREVIEW), ("sending", sending()), ("refresh",)])
    assert "Camp_1" in screen
    assert "5/10 numbers" in screen
    assert "globe-sms:" not in screen
