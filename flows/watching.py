"""Who watches a run in this process: the command line, or nobody."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from tasks.approval import Answer
from tasks.delivery.tracking import Progress
from tasks.preview import Preview
from tasks.report import CampaignReport
from tasks.tally import Tally

Decide = Callable[[Preview], Answer]


class Watcher(Protocol):
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

    def sending(self, tally: Tally) -> None:
        """The sending begins; the tally counts from here on."""

    def tracking(self, progress: Progress) -> None:
        """A tracking has come so far; is called about once a second."""

    def ended(self, report: CampaignReport) -> None:
        """The results are written."""


class Nobody:
    """The watcher of a deployed run: Prefect's logs, states and artifacts tell what happens."""

    def step(self, what: str) -> None:
        """Do nothing."""

    def previewed(self, preview: Preview) -> None:
        """Do nothing."""

    def decider(self, *, required: bool) -> Decide | None:  # noqa: ARG002  # Prefect is where to ask
        """Return None."""
        return None

    def sending(self, tally: Tally) -> None:
        """Do nothing."""

    def tracking(self, progress: Progress) -> None:
        """Do nothing."""

    def ended(self, report: CampaignReport) -> None:
        """Do nothing."""


_watcher: ContextVar[Watcher | None] = ContextVar("globe-sms-watcher", default=None)


def watcher() -> Watcher:
    """Return who watches in this context."""
    return _watcher.get() or Nobody()


@contextmanager
def watched_by(watcher: Watcher) -> Generator[None]:
    """Let `watcher` be told of the runs within the block."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)
