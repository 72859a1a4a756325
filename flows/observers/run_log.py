"""The story of a run in its log: what was read, planned, asked and sent, and what went wrong with what to do.

A run's page in Prefect opens with its log, so the story is short: the reason of a failed run is on the first screen.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from globe_sms.flows.observers.first_lines import Log, SayFirst
from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.tasks.campaign.approval import NOBODY, Answer, Decision
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.reports.campaign_outcome import Ending
from globe_sms.tasks.reports.campaign_page import outcome, reason_notes, speed
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.page_blocks import Notes, Words
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page, preview_sentence
from globe_sms.tasks.reports.preview_tables import left_out_counts
from globe_sms.tasks.reports.run_page import Interruption
from globe_sms.tasks.reports.what_was_read import reading_notes
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.sending.progress_text import missing_words, percent, progress_sentence
from globe_sms.tasks.vocabulary.buttons import GO_ON, RESUME, RETRY
from globe_sms.tasks.vocabulary.durations import moment
from globe_sms.tasks.vocabulary.plurals import counted

_TENTHS: Final = 10.0  # percent
_QUIET_SECONDS: Final = 900.0  # a line at least this often, however slow the campaign is
_MISSING_SECONDS: Final = 60.0  # between two lines about answers that don't come
_LEVELS: Final[Mapping[Ending, int]] = {
    Ending.STOPPED: logging.ERROR,
    Ending.ALL_FAILED: logging.ERROR,
    Ending.DECLINED: logging.WARNING,
    Ending.CANCELLED: logging.WARNING,
    Ending.NOTHING_TO_SEND: logging.WARNING,
}


class RunLog(RunObserver):
    """Writes a run's log, with a line for each tenth of the sending; `say_first` writes before all others."""

    refresh_seconds = 5.0

    def __init__(
        self, log: Log, say_first: SayFirst | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._say_first = say_first
        self._monotonic = monotonic
        self._sending: Progress | None = None
        self._tenth = 0
        self._said_at = 0.0
        self._missed_at = -_MISSING_SECONDS

    def step(self, what: str) -> None:
        """Say which step begins."""
        self._say(f"{what[:1].upper()}{what[1:]}.")

    def previewed(self, preview: Preview) -> None:
        """Say what was read and planned, and what must not be missed."""
        read = reading_notes(preview.readings)
        for name, said in () if read is None else read.entries:
            self._say(f"Read {name}: {said}")
        dry = "A dry run, which sends nothing. " if preview.dry_run else ""
        self._say(f"{dry}Planned: {preview_sentence(preview)}{_left_out(preview)}")
        for block in preview_page(preview).blocks[1:]:
            match block:
                case Words(text, strong) if strong:
                    self._say(text, logging.WARNING)
                case Notes(heading, entries) if entries is preview.changes:
                    self._say(f"{heading}: {'; '.join(f'{term} {said}' for term, said in entries)}", logging.WARNING)
                case _:
                    pass

    def asking(self, preview: Preview, until: float) -> None:
        """Say that somebody is asked, until when, and how to answer."""
        numbers = counted(preview.numbers, "number")
        self._say_twice(
            f"Waiting for approval of {numbers} until {moment(until)}. To answer, {RESUME}.", logging.WARNING
        )

    def answered(self, answer: Answer) -> None:
        """Say who has decided."""
        who = answer.note if answer.by == NOBODY else f"by {answer.by} {answer.note}"
        approved = answer.decision is Decision.APPROVED
        self._say(f"{'Approved' if approved else 'Declined'}: {who}.", logging.INFO if approved else logging.WARNING)

    def sending(self, progress: Progress) -> None:
        """Say that the first call leaves."""
        self._sending = progress
        self._tenth = int(percent(progress.snapshot) // _TENTHS)
        self._said_at = self._monotonic()
        self._say(f"Sending to {counted(progress.snapshot.total - progress.snapshot.done, 'number')}.")

    def refresh(self) -> None:
        """Say how far the sending is, at each tenth, and if answers are missing."""
        if self._sending is None:
            return
        snapshot, seconds, now = self._sending.snapshot, self._sending.seconds, self._monotonic()
        missing = bool(missing_words(snapshot)) and now - self._missed_at >= _MISSING_SECONDS
        tenth = int(percent(snapshot) // _TENTHS)
        if missing or tenth > self._tenth or now - self._said_at >= _QUIET_SECONDS:
            self._tenth, self._said_at = tenth, now
            self._missed_at = now if missing else self._missed_at
            self._say(f"{progress_sentence(snapshot, seconds)}.", logging.WARNING if missing else logging.INFO)

    def failed(self, message: str) -> None:  # noqa: ARG002  # the flow says it last, as its state does
        """No progress follows."""
        self._sending = None

    def interrupted(self, why: Interruption) -> None:
        """Say how far it came, and how to go on."""
        self.refresh()
        sent = "" if self._sending is None else f" ({progress_sentence(self._sending.snapshot, self._sending.seconds)})"
        self._sending = None
        how = GO_ON if why is Interruption.PAUSED else RETRY
        self._say_twice(f"Somebody {why} this run{sent}. To go on, {how}.", logging.WARNING)

    def ended(self, report: CampaignReport) -> None:
        """Say how it ended, what went wrong with what to do, and where the results are."""
        self._sending = None
        level = _LEVELS.get(report.ending, logging.INFO if report.settled else logging.WARNING)
        self._say_twice(f"{outcome(report)} ({report.sentence()})", level)
        for reason, said in reason_notes(report):
            self._say(f"{reason}: {said}", logging.WARNING)
        self._say(f"{speed(report)} Results: {report.uri}")

    def closed(self) -> None:
        """Say the last progress."""
        self.refresh()

    def _say_twice(self, said: str, level: int) -> None:
        """Say it in its place and, for people who only open the page, before all else."""
        self._say(said, level)
        if self._say_first is not None:
            self._say_first(in_form_words(said), level)

    def _say(self, said: str, level: int = logging.INFO) -> None:
        self._log.log(level, "%s", in_form_words(said))


def _left_out(preview: Preview) -> str:
    counts = left_out_counts(preview)
    return f" Left out: {', '.join(f'{rows:,} {status}' for status, rows in counts.items())}." if counts else ""
