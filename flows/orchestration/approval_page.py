"""Where somebody is asked to approve a campaign who doesn't sit at this process's terminal."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NoReturn, Protocol

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


class AnswerNeededError(BaseException):
    """The run must be suspended until somebody answers; not an `Exception`, since nothing has gone wrong.

    It's raised through all that the run has opened, and `suspend` is called last: an answer that comes at once finds
    the lease given back and the page written. No answer until then (Unix time) counts as no.
    """

    def __init__(self, until: float, suspend: Callable[[], NoReturn]) -> None:
        super().__init__("somebody must answer")
        self.until = until
        self.suspend = suspend


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
        """Return the answer in the run that it starts; before, and where it's unclear, have this run suspended.

        Raises:
            AnswerNeededError: the run must be suspended.
        """
        ...

    def pause(self, preview: Preview, seconds: int, stage: Stage) -> Answer:
        """Wait in this process until somebody answers.

        Raises:
            InputError: nobody can answer there.
        """
        ...
