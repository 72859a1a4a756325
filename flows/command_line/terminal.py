"""What a person sees of a run in a terminal: the steps, a moving bar, and the figures at the end."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from globe_sms.flows.command_line.terminal_pages import page_for_terminal
from globe_sms.flows.command_line.terminal_question import TerminalQuestion
from globe_sms.flows.orchestration.observer import Decide
from globe_sms.tasks.campaign.approval import Answer
from globe_sms.tasks.delivery.tracker import TrackingProgress
from globe_sms.tasks.reports.campaign_page import outcome, speed
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page
from globe_sms.tasks.sending.progress import Progress, ProgressSnapshot
from globe_sms.tasks.sending.progress_text import seconds_left, waiting_words
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.statuses import PRESENTED, Status

_COLOURS = {
    Status.ACCEPTED: "green",
    Status.FAILED: "red",
    Status.UNKNOWN: "yellow",
    Status.NOT_SENT: "yellow",
    Status.INVALID: "magenta",
    Status.UNSUPPORTED: "magenta",
    Status.DUPLICATE: "cyan",
    Status.SUPPRESSED: "cyan",
}
_PLAIN_SECONDS = 10.0
_BAR_WIDTH = 40


class TerminalObserver:
    """Shows a run as it goes, on stderr; use as a context manager. Plain lines where stderr is no terminal."""

    def __init__(
        self,
        console: Console,
        question: TerminalQuestion | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._question = question
        self._monotonic = monotonic
        self._step = "starting"
        self._tally: Progress | None = None
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)
        self._done = threading.Event()
        self._plain: threading.Thread | None = None
        self._plain_due = 0.0
        self.report: CampaignReport | None = None

    def step(self, what: str) -> None:
        """Show the step that begins."""
        self._step = what
        self._tally = None
        if not self._console.is_terminal:
            self._console.print(f"globe-sms: {what}", highlight=False)

    def previewed(self, preview: Preview) -> None:
        """Show the preview, above whatever moves."""
        self._console.print(page_for_terminal(preview_page(preview)))

    def decider(self, *, required: bool) -> Decide | None:
        """Return the question at this terminal; None where it need not be asked.

        Raises:
            InputError: an answer is required, and there is no terminal and no --yes.
        """
        decide = None if self._question is None else self._question.decider(required=required)
        return None if decide is None else lambda preview: self._aside(lambda: decide(preview))

    def _aside(self, ask: Callable[[], Answer]) -> Answer:
        """Ask while nothing moves on the screen."""
        if not self._console.is_terminal:
            return ask()
        self._live.stop()
        try:
            return ask()
        finally:
            self._live.start()

    def sending(self, progress: Progress) -> None:
        """Show the sending as a bar from here on."""
        self.step("sending")
        self._tally = progress
        if not self._console.is_terminal and self._plain is None:
            self._plain = threading.Thread(target=self._print_lines, daemon=True)
            self._plain.start()

    def tracking(self, progress: TrackingProgress) -> None:
        """Show how far a tracking has come; is called again and again."""
        self._step = tracking_line(progress)
        if not self._console.is_terminal and self._monotonic() >= self._plain_due:
            self._plain_due = self._monotonic() + _PLAIN_SECONDS
            self._console.print(f"globe-sms: {self._step}", highlight=False)

    def ended(self, report: CampaignReport) -> None:
        """Keep the report for the end."""
        self.report = report

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._console.is_terminal:
            self._live.stop()

    def _render(self) -> Group | Spinner:
        self._spinner.update(text=f" {self._step} ...")
        progress = self._tally
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

    def _print_lines(self) -> None:
        while not self._done.wait(_PLAIN_SECONDS):
            progress = self._tally
            if progress is not None:
                line = Text.from_markup(progress_line(progress.snapshot, progress.seconds)).plain
                self._console.print(f"globe-sms: {line}", highlight=False)


def progress_line(snapshot: ProgressSnapshot, seconds: float) -> str:
    """Return the figures under the bar, as rich markup."""
    counts = " ".join(
        f"[{_COLOURS[status]}]{snapshot.numbers[status]:,} {status}[/]"
        for status in PRESENTED
        if snapshot.numbers.get(status)
    )
    rate = "" if snapshot.rate is None else f", {snapshot.rate:.2f} calls/s"
    left = seconds_left(snapshot, seconds)
    rest = "" if left is None else f", about {in_words(left)} left"
    return f"{counts or 'no answer yet'}, {snapshot.calls:,} calls{rate}{rest}{waiting_words(snapshot)}"


def tracking_line(progress: TrackingProgress) -> str:
    """Return how far a tracking has come."""
    slowed = f", throttled {progress.throttled:,} times" if progress.throttled else ""
    return (
        f"{progress.final:,} of {progress.final + progress.open:,} messages have come to their end, "
        f"{progress.asked:,} queries{slowed}"
    )


def report_table(report: CampaignReport) -> Table:
    """Return the counts by status and reason."""
    table = Table(title=f"Campaign {report.campaign}", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("status")
    table.add_column("reason")
    table.add_column("rows", justify="right")
    for entry in report.reasons:
        table.add_row(Text(entry.status, style=_COLOURS[Status(entry.status)]), entry.reason or "", f"{entry.rows:,}")
    table.add_section()
    table.add_row("all", "", f"{report.rows:,}", style="bold")
    return table


def report_lines(report: CampaignReport) -> list[str]:
    """Return the lines under the table: calls, rate, what is open, and where the results are."""
    canary = [] if report.canary is None else [report.canary.sentence()]
    return [speed(report), *canary, outcome(report), f"Results: {report.uri}"]
