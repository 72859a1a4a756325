"""The question at the terminal before a campaign is sent, `[y/N]`."""

import getpass
import select
import sys
from typing import TextIO

from rich.console import Console

from globe_sms.flows.observers.run_observer import Ask
from globe_sms.tasks.campaign.approval import NOBODY, Answer, Decision
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import canary_sentence, preview_sentence
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.errors import InputError

_YES = {"y", "yes"}


class TerminalQuestion:
    """Asks whether to send if somebody sits at a terminal; `--yes` answers it in advance."""

    def __init__(self, console: Console, config: CampaignConfig, *, yes: bool, answers: TextIO | None = None) -> None:
        self._console = console
        self._config = config
        self._yes = yes
        self._answers = answers or sys.stdin

    def ask_if_needed(self, *, required: bool) -> Ask | None:
        """Return what asks the question; None if it needn't be asked.

        Raises:
            InputError: an answer is required, but nobody can give it: no terminal, and --yes wasn't given.
        """
        if self._yes:
            return self._answered_by_option if required else None
        if self._console.is_terminal and self._answers.isatty():
            return self._ask
        if not required:
            return None
        above = self._config.approve_above
        raise InputError(
            f"{'the policy' if above is None else f'--approve-above {above}'}: this campaign needs somebody's yes, "
            "but there's no terminal to ask at. Add --yes to send it."
        )

    def _answered_by_option(self, _: Preview) -> Answer:
        return Answer(Decision.APPROVED, _user(), "by --yes")

    def _ask(self, preview: Preview) -> Answer:
        """Ask once; anything but yes is no, and so is silence."""
        canary = canary_sentence(preview)
        before = f"{canary} " if preview.canary is not None else ""
        self._console.print(f"{before}Send {preview_sentence(preview)} [y/N] ", end="", markup=False, highlight=False)
        timeout = self._config.approval_timeout
        ready, _, _ = select.select([self._answers], [], [], timeout)
        if not ready:
            self._console.print()
            return Answer(Decision.DECLINED, NOBODY, f"nobody answered in {in_words(timeout)}")
        said = self._answers.readline().strip().lower()
        return Answer(Decision.APPROVED if said in _YES else Decision.DECLINED, _user(), "at the terminal")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may not know its user's name
        return "somebody"
