"""The terminal's view of a run while it goes on: its steps, the preview, and a moving progress bar."""

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from globe_sms.flows.command_line.status_colours import STATUS_COLOURS
from globe_sms.flows.command_line.terminal_pages import page_for_terminal
from globe_sms.flows.command_line.terminal_question import TerminalQuestion
from globe_sms.flows.observers.run_observer import Ask, RunObserver
from globe_sms.tasks.campaign.approval import Answer
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page
from globe_sms.tasks.sending.progress import Progress, ProgressSnapshot
from globe_sms.tasks.sending.progress_text import PRESENTED, missing_words, seconds_left, waiting_words
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.plurals import counted

_BAR_WIDTH: Final = 40


class TerminalObserver(RunObserver):
    """Shows a run on stderr; a context manager. If stderr isn't a terminal, it prints plain lines instead of a bar."""

    def __init__(self, console: Console, question: TerminalQuestion | None = None) -> None:
        self._console = console
        self._question = question
        self._step = "starting"
        self._sending: Progress | None = None
        self._tracking: TrackingProgress | None = None
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)
        self.report: CampaignReport | None = None

    def step(self, what: str) -> None:
        """Show the step that begins."""
        self._step = what
        self._sending = self._tracking = None
        if not self._console.is_terminal:
            self._print(what)

    def previewed(self, preview: Preview) -> None:
        """Show the preview, above the progress bars."""
        self._console.print(page_for_terminal(preview_page(preview)))

    def question(self, *, required: bool) -> Ask | None:
        """Return the question at this terminal; None if it needn't be asked.

        Raises:
            InputError: an answer is required, but nobody can give it: no terminal, and --yes wasn't given.
        """
        ask = None if self._question is None else self._question.ask_if_needed(required=required)
        return None if ask is None else lambda preview: self._with_still_screen(lambda: ask(preview))

    def sending(self, progress: Progress) -> None:
        """Show the sending as a bar from here on."""
        self.step("sending")
        self._sending = progress

    def tracking(self, progress: TrackingProgress) -> None:
        """Show how far the tracking is from here on."""
        first = self._tracking is None
        self._tracking = progress
        if first:
            self.refresh()

    def ended(self, report: CampaignReport) -> None:
        """Keep the report for the end."""
        self.report = report

    def refresh(self) -> None:
        """Print a line where no bar moves."""
        if self._console.is_terminal:
            return
        if self._sending is not None:
            self._print(Text.from_markup(progress_line(self._sending.snapshot, self._sending.seconds)).plain)
        elif self._tracking is not None:
            self._print(tracking_line(self._tracking))

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def _print(self, line: str) -> None:
        self._console.print(f"globe-sms: {line}", highlight=False, soft_wrap=True)

    def _with_still_screen(self, ask: Callable[[], Answer]) -> Answer:
        """Ask while nothing moves on the screen."""
        if not self._console.is_terminal:
            return ask()
        self._live.stop()
        try:
            return ask()
        finally:
            self._live.start()

    def _render(self) -> Group | Spinner:
        tracking, progress = self._tracking, self._sending
        self._spinner.update(text=f" {self._step if tracking is None else tracking_line(tracking)} ...")
        if progress is None:
            return self._spinner
        snapshot = progress.snapshot
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            Text("sending", style="bold"),
            ProgressBar(total=max(1, snapshot.total), completed=snapshot.done, width=_BAR_WIDTH),
            Text(f"{snapshot.done:,}/{snapshot.total:,} numbers"),
        )
        return Group(bar, Text.from_markup(progress_line(snapshot, progress.seconds)))


def progress_line(snapshot: ProgressSnapshot, seconds: float) -> str:
    """Return the figures under the bar, as rich markup."""
    counts = ", ".join(
        f"[{STATUS_COLOURS[status]}]{snapshot.numbers[status]:,} {status}[/]"
        for status in PRESENTED
        if snapshot.numbers.get(status)
    )
    rate = "" if snapshot.rate is None else f", {snapshot.rate:.2f} calls/s"
    left = seconds_left(snapshot, seconds)
    rest = "" if left is None else f", about {in_words(left)} left"
    waits = f"{waiting_words(snapshot)}{missing_words(snapshot)}"
    return f"{counts or 'no answer yet'}, {counted(snapshot.calls, 'call')}{rate}{rest}{waits}"


def tracking_line(progress: TrackingProgress) -> str:
    """Return how far a tracking is."""
    throttled = f", throttled {progress.throttled:,} times" if progress.throttled else ""
    return (
        f"{progress.final:,} of {progress.final + progress.open:,} messages have a final status, "
        f"{progress.asked:,} queries{throttled}"
    )
