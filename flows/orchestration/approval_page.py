"""Where somebody is asked to approve a campaign who doesn't sit at this process's terminal."""

from enum import StrEnum
from typing import Final, Protocol

from globe_sms.tasks.campaign.approval import Answer
from globe_sms.tasks.reports.preview import Preview

_KEY_DIGITS: Final = 12


class Stage(StrEnum):
    """Which question it is."""

    FIRST = "approval"
    AFTER_CANARY = "approval-after-canary"

    def key(self, content: str) -> str:
        """Return the key under which Prefect keeps a suspended run's question and answer.

        `content` is the document's digest of settings and lists. Before the canary the plan may be made again while
        the run is suspended; an answer about the earlier one is under another key then, and the run asks again.
        """
        return f"{self}-of-{content[:_KEY_DIGITS]}" if self is Stage.FIRST else self.value


class ApprovalPage(Protocol):
    """A page that asks: that of a flow run in Prefect."""

    @property
    def suspends(self) -> bool:
        """Whether this process ends while it waits: the answer starts the run again from the top."""
        ...

    def was_suspended(self, key: str) -> bool:
        """Whether this run was suspended for the answer under this key (`Stage.key`) earlier."""
        ...

    def suspend(self, preview: Preview, seconds: int, key: str) -> Answer:
        """Suspend this run until somebody answers; in the run that the answer starts, return the answer.

        Raises:
            prefect.exceptions.Pause: the run is suspended; its process must end.
        """
        ...

    def pause(self, preview: Preview, seconds: int, stage: Stage) -> Answer:
        """Wait in this process until somebody answers.

        Raises:
            InputError: nobody can answer there.
        """
        ...
