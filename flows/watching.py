"""Who watches a run in this process: the command line's progress bar, or nobody."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from tasks.report import CampaignReport
from tasks.tally import Tally


class Watcher(Protocol):
    """Is told the steps of a run as they come; must return at once and never raise."""

    def step(self, what: str) -> None:
        """A step begins."""

    def sending(self, tally: Tally) -> None:
        """The sending begins; the tally counts from here on."""

    def ended(self, report: CampaignReport) -> None:
        """The results are written."""


class Nobody:
    """The watcher of a deployed run: Prefect's logs, states and artifacts tell what happens."""

    def step(self, what: str) -> None:
        """Do nothing."""

    def sending(self, tally: Tally) -> None:
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
