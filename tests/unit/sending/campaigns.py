"""What the tests of the send path stand on: a real ledger, real pacing, and a gateway that is told what to say."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.campaign import Campaign
from tasks.gateway import BatchSend, MessageType, Outcome, Verdict
from tasks.hours import Hours
from tasks.ledger import Ledger
from tasks.pacing import Pacer
from tasks.plan import Chunk
from tasks.schedule import Schedule
from tasks.send import Limits, Sender
from tasks.spill import Spill
from tasks.stopping import StopSignal
from tasks.store import Store
from tasks.tally import Tally
from tasks.texts import Texts

NUMBERS = ("+6581234567", "+6581234568", "+6581234569")
CHUNK = Chunk(0, NUMBERS)
FAST = Limits(tries=3, first_pause=0.01, longest_pause=0.02, store_patience=2.0)

Answer = Outcome | Exception | Callable[[BatchSend], Outcome]


class ToldGateway:
    """Answers calls with what it was told, in that order; the last goes on. Notes the calls that were written."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = deque(answers)
        self.written: list[BatchSend] = []

    def send(self, batch: BatchSend, *, before_write: Callable[[], None], after_write: Callable[[], None]) -> Outcome:
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Outcome) and answer.verdict is Verdict.UNREACHABLE:
            return answer
        before_write()
        self.written.append(batch)
        after_write()
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
        verdict=Verdict.ACCEPTED,
        code="OK",
        request_id="R-1",
        accepted=tuple((number, f"id-{number}") for number in batch.numbers),
    )


def make_sender(
    store: Store,
    gateway: Any,
    folder: Path,
    *,
    limits: Limits = FAST,
    rate: float = 200.0,
    hours: Hours | None = None,
    clock: Callable[[], float] = time.time,
) -> Sender:
    """Open the campaign `camp` in the store and return its sender; the caller closes `sender.campaign`."""
    stop = StopSignal()
    campaign = Campaign(store, "camp", stop=stop)
    campaign.open({"message": "hello"})
    pacer = Pacer(Schedule(store.within("pacing"), "account", rate, clock=clock), stop, clock=clock)
    return Sender(
        campaign=campaign,
        ledger=Ledger(campaign.store, Spill(folder / "spill", campaign.store.uri, patience=0.5, wait=lambda _: None)),
        gateway=gateway,
        pacer=pacer,
        texts=Texts("hello", MessageType.NOTIFY, None),
        stop=stop,
        tally=Tally(),
        limits=limits,
        hours=hours,
        clock=clock,
    )
