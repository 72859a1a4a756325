"""Who must be asked before a campaign is sent, who was asked, and what they answered.

`campaign.json` keeps the last question. An approval holds for the settings and lists that it was given for: a resume
doesn't ask again unless one of them has changed. It never covers a resend of unknown chunks, which may text somebody
twice: each resend needs its own approval.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks

NOBODY: Final = "nobody"


class Decision(StrEnum):
    """How the question was answered."""

    AWAITED = "awaited"
    APPROVED = "approved"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to the question; `by` is the person's name, `note` says how they answered or why they didn't."""

    decision: Decision
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A question and its answer, as campaign.json keeps them.

    `numbers` and `resent_chunks` are the figures that were shown, `content` is the document's digest of settings and
    lists (`CampaignDocument.content`), `asked_by` names the run that asked, `at` is ISO. `after_canary` says that the
    canary's outcome was shown, too. Until `until` (ISO) an answer is waited for; none by then counts as no.
    """

    decision: Decision
    by: str
    note: str
    at: str
    numbers: int
    resent_chunks: int
    content: str
    asked_by: str
    after_canary: bool = False
    until: str = ""

    def waits(self, now: datetime) -> bool:
        """Whether somebody is asked and may still answer."""
        return self.decision is Decision.AWAITED and (not self.until or now < datetime.fromisoformat(self.until))

    def covers(self, remaining: RemainingChunks, content: str) -> bool:
        """Whether what is left to do now was shown when the question was asked."""
        return (
            self.content == content
            and remaining.numbers <= self.numbers
            and len(remaining.resent) <= self.resent_chunks
        )


def may_ask(config: CampaignConfig) -> bool:
    """Whether somebody may have to approve the campaign, depending on what is left to do."""
    return config.approve_above is not None


def must_ask(config: CampaignConfig, remaining: RemainingChunks, last: Approval | None = None) -> bool:
    """Whether somebody must approve what is left to do.

    `last` is the campaign's last question: where somebody had to be asked before the canary, somebody must be asked
    after it, too, also where no more than `approve_above` numbers are left by then.
    """
    if config.dry_run or not remaining.chunks or config.approve_above is None:
        return False
    asked = last is not None and (last.after_canary or last.numbers > config.approve_above)
    return remaining.numbers > config.approve_above or (remaining.is_after_canary and asked)


def approved_before(last: Approval | None, content: str, remaining: RemainingChunks) -> bool:
    """Whether the last question's answer approved what is left to do; `content` is the document's."""
    return (
        last is not None
        and last.decision is Decision.APPROVED
        and not remaining.resent
        and last.after_canary >= remaining.is_after_canary
        and last.covers(remaining, content)
    )
