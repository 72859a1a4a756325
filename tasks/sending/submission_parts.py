"""What all submissions of a run share: the gateway, the ledger, the turns, and what limits them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.until import NO_END, Until
from globe_sms.tasks.gateway import Gateway
from globe_sms.tasks.pacing.pacer import Pacer
from globe_sms.tasks.sending.call_content import CallContent
from globe_sms.tasks.sending.call_size import CallSize
from globe_sms.tasks.sending.failure_limit import FailureLimit
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.sending.retries import Retries
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

_SHORTEST_CLAIM_LEAD: Final = 0.03
LONGEST_CLAIM: Final = 2.0
"""The most seconds that a claim may take before its turn: later the gateway may be closing the idle connection."""


@dataclass(kw_only=True, eq=False)
class SubmissionParts:
    """What all submissions of a run share.

    Attributes:
        campaign: its lease must be held at the last look.
        ledger: where claims and send records go.
        gateway: makes the calls.
        pacer: gives the turns.
        texts: what a chunk's call says.
        stop: ends every wait.
        progress: counts.
        retries: how often a call is tried again, and when.
        failure_limit: how many failures stop the campaign.
        hours: in which recipients may be texted; None for around the clock.
        call_size: the most numbers of a call, which the answers may lower.
        end: after which nothing is presented.
        validity: the longest time in seconds in which a text may be handed to its carrier; None for the API's default.
        clock: Unix time in seconds.
        monotonic: for waits.
        claim_lead: seconds before the turn at which the claim is written.
    """

    campaign: Campaign
    ledger: Ledger
    gateway: Gateway
    pacer: Pacer
    texts: CallContent
    stop: StopSignal
    progress: Progress
    retries: Retries
    failure_limit: FailureLimit
    hours: Hours | None = None
    call_size: CallSize = field(default_factory=CallSize)
    end: Until = NO_END
    validity: int | None = None
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    claim_lead: float = _SHORTEST_CLAIM_LEAD

    def claimed(self, seconds: float) -> None:
        """Learn how long a claim takes: the next one is made as late as it can be, and still in time."""
        self.claim_lead = min(LONGEST_CLAIM, max(_SHORTEST_CLAIM_LEAD, 0.9 * self.claim_lead, 1.5 * seconds))
