"""What the tests of the send path stand on: a real ledger, real pacing, and a gateway that is told what to say."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import PlanFigures, PlanInputs
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.until import NO_END, Until
from globe_sms.tasks.gateway import BatchSend, CallVerdict, MessageType, Outcome
from globe_sms.tasks.pacing.account_schedule import Schedule
from globe_sms.tasks.pacing.pacer import Pacer
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.call_content import CallContent
from globe_sms.tasks.sending.failure_limit import FailureLimit
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.sending.retries import Retries
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

NUMBERS = ("+6581234567", "+6581234568", "+6581234569")
CHUNK = Chunk(0, NUMBERS)
A_PLAN = PlanFigures(id="p", inputs=PlanInputs(numbers_per_call=250), rows={"sendable": len(NUMBERS)}, chunks=1)
FAST = Retries(tries=3, first_pause=0.01, longest_pause=0.02, store_patience=2.0)

Answer = Outcome | Exception | Callable[[BatchSend], Outcome]


class ToldGateway:
    """Answers calls with what it was told, in that order; the last goes on. Notes the calls that were written."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = deque(answers)
        self.written: list[BatchSend] = []

    def send(
        self,
        batch: BatchSend,
        *,
        before_write: Callable[[], None],
        after_write: Callable[[], None],
        on_answer: Callable[[], None],
    ) -> Outcome:
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Outcome) and answer.verdict is CallVerdict.UNREACHABLE:
            return answer
        before_write()
        self.written.append(batch)
        after_write()
        on_answer()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Outcome) else answer(batch)

    def abort(self) -> None:
        """Nothing is in the air here."""

    def presented(self) -> list[str]:
        """Every number, once for each time that it was written."""
        return [number for batch in self.written for number in batch.numbers]


def accepts(batch: BatchSend) -> Outcome:
    """Accept every number."""
    return Outcome(
        verdict=CallVerdict.ACCEPTED,
        code="OK",
        request_id="R-1",
        accepted=tuple((number, f"id-{number}") for number in batch.numbers),
    )


def make_sender(
    store: Store,
    gateway: Any,
    folder: Path,
    *,
    retries: Retries = FAST,
    failure_limit: FailureLimit | None = None,
    rate: float = 200.0,
    hours: Hours | None = None,
    end: Until = NO_END,
    validity: int | None = None,
    clock: Callable[[], float] = time.time,
    lease_clock: Callable[[], float] = time.time,
    make_pacer: Callable[..., Pacer] = Pacer,
) -> Sender:
    """Open the campaign `camp` in the store and return its sender; the caller closes `sender.campaign`."""
    stop = StopSignal()
    campaign = Campaign(store, "camp", stop=stop, clock=lease_clock)
    campaign.open({"message": "hello"})
    if campaign.document.sending_since is None:
        campaign.adopt(A_PLAN, {"message": "hello"}, ())
    campaign.use_plan()
    pacer = make_pacer(Schedule(store.within("pacing"), "account", rate, clock=clock), stop)
    return Sender(
        campaign=campaign,
        ledger=Ledger(campaign.store, Spill(folder / "spill", campaign.store.uri, patience=0.5, wait=lambda _: None)),
        gateway=gateway,
        pacer=pacer,
        texts=CallContent("hello", MessageType.NOTIFY, None),
        stop=stop,
        progress=Progress(),
        retries=retries,
        failure_limit=failure_limit or FailureLimit(0.5),
        hours=hours,
        end=end,
        validity=validity,
        clock=clock,
    )
