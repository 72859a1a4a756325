"""Who must be asked before a campaign is sent, who was, and what they said: the part of it that is kept.

`campaign.json` holds the last question under `approval`. An approval holds for the frozen plan: a resume asks nobody
again. It never covers a resend of unknown chunks, which may text somebody twice: each of those is asked for.
"""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks

KEY: Final = "approval"
NOBODY: Final = "nobody"


class Decision(StrEnum):
    """What became of the question."""

    AWAITED = "awaited"
    APPROVED = "approved"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered; `by` is the name they gave, `note` says how they answered, or why there is no answer."""

    decision: Decision
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A question and its answer, as campaign.json keeps them.

    `numbers` and `resent_chunks` are the figures that were shown, `asked_by` names the run that asked, `at` is ISO.
    `after_canary` says that what became of the canary was shown, too.
    """

    decision: Decision
    by: str
    note: str
    at: str
    numbers: int
    resent_chunks: int
    settings: str
    asked_by: str
    after_canary: bool = False

    def covers(self, remaining: RemainingChunks, settings: str) -> bool:
        """Whether what is left to do now was shown when the question was asked."""
        return (
            self.settings == settings
            and remaining.numbers <= self.numbers
            and len(remaining.resent) <= self.resent_chunks
        )


def may_ask(config: CampaignConfig) -> bool:
    """Whether the order can want somebody to approve it, depending on what is left to do."""
    return config.approve_above is not None


def must_ask(config: CampaignConfig, remaining: RemainingChunks, last: Approval | None = None) -> bool:
    """Whether the order wants somebody to approve what is left to do.

    `last` is the campaign's last question: where somebody had to be asked before the canary, somebody must be asked
    after it, too, also where no more than `approve_above` numbers are left by then.
    """
    if config.dry_run or not remaining.chunks or config.approve_above is None:
        return False
    asked = last is not None and (last.after_canary or last.numbers > config.approve_above)
    return remaining.numbers > config.approve_above or (remaining.is_after_canary and asked)


def last_question(campaign: Campaign) -> Approval | None:
    """Return the last question of the campaign; None if there was none, or if it cannot be read for certain."""
    kept: Any = campaign.document.get(KEY)
    try:
        return replace(Approval(**kept), decision=Decision(kept["decision"]))
    except (TypeError, KeyError, ValueError):
        return None


def approved_before(campaign: Campaign, config: CampaignConfig, remaining: RemainingChunks) -> bool:
    """Whether an earlier answer approved what is left to do."""
    last = last_question(campaign)
    return (
        last is not None
        and last.decision is Decision.APPROVED
        and not remaining.resent
        and last.after_canary >= remaining.is_after_canary
        and last.covers(remaining, config.fingerprint())
    )


def keep(campaign: Campaign, approval: Approval) -> None:
    """Write the question and its answer to campaign.json.

    Raises:
        LeaseLostError, StoreError: it could not be kept; then nothing may be sent on it.
    """
    campaign.update(**{KEY: asdict(approval)})
