"""The page of a run, which follows it from the preview over the progress to the report."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from globe_sms.tasks.reports.campaign_page import outcome, report_page
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.failures_csv import failures_uri, has_failures
from globe_sms.tasks.reports.page_blocks import Block, Link, Page, Quote, Table, Words
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page, preview_sentence
from globe_sms.tasks.reports.results_link import results_link
from globe_sms.tasks.sending.progress import ProgressSnapshot
from globe_sms.tasks.sending.progress_text import missing_words, percent, seconds_left, waiting_words
from globe_sms.tasks.vocabulary.buttons import CANCEL, GO_ON, RESUME, RETRY
from globe_sms.tasks.vocabulary.durations import in_words, moment
from globe_sms.tasks.vocabulary.statuses import PRESENTED

_TO_STOP: Final = f"There is nothing to do. To stop, {CANCEL}: no new call starts, and what was sent stays recorded."
_TO_WAIT: Final = (
    "A call that gets no answer is recorded as unknown and never sent again by itself. The run stops if too many are; "
    f"to stop it now, {CANCEL}."
)


class Interruption(StrEnum):
    """Why a run ended before its results were reported."""

    PAUSED = "paused"
    CANCELLED = "cancelled"


_WHAT_GOES_ON: Final = {Interruption.PAUSED: "the run is resumed", Interruption.CANCELLED: "the run is tried again"}
_TO_GO_ON: Final = {
    Interruption.PAUSED: f"To go on, {GO_ON}: nobody is texted twice. To give it up, {CANCEL}.",
    Interruption.CANCELLED: f"To go on, {RETRY}: nobody is texted twice.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """What is known of a run by now.

    Attributes:
        campaign: its campaign's id.
        preview: None until the plan is made.
        asking_until: while somebody is asked, the Unix time after which no answer counts as no.
        progress: the figures while calls leave, and the Unix time that they're of.
        seconds: since the run began; belongs to `progress`.
        interruption: set if somebody paused or cancelled the run before its results were reported.
        report: None until the results are written.
        failure: why the run ended without results.
    """

    campaign: str
    preview: Preview | None = None
    asking_until: float | None = None
    progress: ProgressSnapshot | None = None
    seconds: float = 0.0
    interruption: Interruption | None = None
    report: CampaignReport | None = None
    failure: str | None = None


def run_page(view: RunView, link_to_run: Link | None = None) -> Page:
    """Return the page; `link_to_run` leads to the run's page, which has the buttons."""
    links = [] if link_to_run is None else [link_to_run]
    return Page(f"Campaign {view.campaign}", (Words(run_sentence(view), strong=True), *links, *_blocks(view)))


def run_sentence(view: RunView) -> str:
    """Say in one line how far the run is."""
    if view.failure is not None:
        return f"Ended without results: {view.failure}"
    if view.report is not None:
        return outcome(view.report)
    if view.interruption is not None:
        return _interrupted_sentence(view.interruption, view.progress)
    if view.progress is not None:
        return _sending_sentence(view.progress, view.seconds)
    return "Reading the lists." if view.preview is None else _planned_sentence(view.preview, view.asking_until)


def _planned_sentence(preview: Preview, asking_until: float | None) -> str:
    if asking_until is not None:
        return f"Waiting for approval until {moment(asking_until)}: {_if_nobody_answers(preview)}."
    return f"Planned: {preview_sentence(preview)}"


def _if_nobody_answers(preview: Preview) -> str:
    sent = "nothing" if preview.canary is None else "only the canary"
    return f"no answer by then counts as declined, and {sent} is sent"


def _interrupted_sentence(interruption: Interruption, progress: ProgressSnapshot | None) -> str:
    if progress is None:
        far = "before the first call of this run"
    else:
        far = f"at {progress.done:,} of {progress.total:,} numbers ({percent(progress):.0f} %)"
    return f"{interruption.capitalize()} {far}: nothing more is sent until {_WHAT_GOES_ON[interruption]}."


def _sending_sentence(progress: ProgressSnapshot, seconds: float) -> str:
    left = seconds_left(progress, seconds)
    rest = "" if left is None else f", about {in_words(left)} left"
    waits = f"{waiting_words(progress)}{missing_words(progress)}"
    return f"Sending: {progress.done:,} of {progress.total:,} numbers ({percent(progress):.0f} %){rest}{waits}."


def _blocks(view: RunView) -> Iterator[Block]:
    preview = view.preview
    if view.report is not None:
        yield results_link(view.report.uri, view.report.s3)
        if has_failures(view.report.counts):
            yield results_link(failures_uri(view.report.uri), view.report.s3)
        yield from report_page(view.report).blocks[1:]  # its first block is the page's first line
        yield from () if preview is None else (block for block in preview_page(preview).blocks if _is_message(block))
        return
    if view.failure is not None:
        yield Words(f"Fix that, then {RETRY}.")
    elif view.interruption is not None:
        if view.progress is not None:
            yield _figures(view.progress, view.seconds)
        yield Words(_TO_GO_ON[view.interruption])
    elif view.progress is not None:
        yield _figures(view.progress, view.seconds)
        yield Words(_TO_WAIT if missing_words(view.progress) else _TO_STOP)
    elif view.asking_until is not None:
        yield Words(f"To answer, {RESUME}.")
    if preview is not None:
        yield from preview_page(preview).blocks


def _is_message(block: Block) -> bool:
    return isinstance(block, Quote)


def _figures(progress: ProgressSnapshot, seconds: float) -> Table:
    left = seconds_left(progress, seconds)
    rows = [(str(status), f"{progress.numbers.get(status, 0):,}") for status in PRESENTED]
    rows += [
        ("to be sent", f"{progress.total - progress.done:,}"),
        ("calls", f"{progress.calls:,}"),
        ("calls a second", "" if progress.rate is None else f"{progress.rate:.2f}"),
        ("throttled calls", f"{progress.throttled:,}"),
        ("calls without an answer yet", f"{progress.out:,}"),
        ("time left", "" if left is None else f"about {in_words(left)}"),
    ]
    return Table(f"Progress after {in_words(seconds)}", ("", "so far"), tuple(rows), numeric=frozenset({1}))
