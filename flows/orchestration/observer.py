"""Who watches a run in this process: the command line, or nobody."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from globe_sms.tasks.campaign.approval import Answer
from globe_sms.tasks.delivery.tracker import TrackingProgress
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.sending.progress import Progress

Decide = Callable[[Preview], Answer]


class Observer(Protocol):
    """Is told the steps of a run as they come; must return at once and never raise, but for `decider`."""

    def step(self, what: str) -> None:
        """A step begins."""

    def previewed(self, preview: Preview) -> None:
        """The plan is frozen and counted."""

    def decider(self, *, required: bool) -> Decide | None:
        """Return what asks somebody in this process whether to send; None if there is nothing to ask here.

        `required` says that nothing may be sent without an answer.

        Raises:
            InputError: an answer is required, and nobody can be asked.
        """

    def sending(self, progress: Progress) -> None:
        """The sending begins; the tally counts from here on."""

    def tracking(self, progress: TrackingProgress) -> None:
        """A tracking has come so far; is called about once a second."""

    def ended(self, report: CampaignReport) -> None:
        """The results are written."""


class NoObserver:
    """The watcher of a deployed run: Prefect's logs, states and artifacts tell what happens."""

    def step(self, what: str) -> None:
        """Do nothing."""

    def previewed(self, preview: Preview) -> None:
        """Do nothing."""

    def decider(self, *, required: bool) -> Decide | None:  # noqa: ARG002  # Prefect is where to ask
        """Return None."""
        return None

    def sending(self, progress: Progress) -> None:
        """Do nothing."""

    def tracking(self, progress: TrackingProgress) -> None:
        """Do nothing."""

    def ended(self, report: CampaignReport) -> None:
        """Do nothing."""


_watcher: ContextVar[Observer | None] = ContextVar("globe-sms-watcher", default=None)


def observer() -> Observer:
    """Return who watches in this context."""
    return _watcher.get() or NoObserver()


@contextmanager
def observed_by(observer: Observer) -> Generator[None]:
    """Let `observer` be told of the runs within the block."""
    token = _watcher.set(observer)
    try:
        yield
    finally:
        _watcher.reset(token)
