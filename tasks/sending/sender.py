"""Send one chunk: turn, claim, call, receipt.

The connection is made first, the claim is written just before the turn, and the request leaves at the turn.
Whatever goes wrong before the request is written proves that nothing was sent; whatever goes wrong after it
leaves the chunk unknown, and it is never presented again unless the operator says so.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.ledger import Attempt, Claim, History, Ledger, SendRecord, Settlement
from globe_sms.tasks.gateway import CallVerdict, Gateway, Outcome
from globe_sms.tasks.pacing.pacer import Departure, Pacer, Turn, TurnMissedError
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.answer_record import answered, numbers_by_status
from globe_sms.tasks.sending.call_content import CallContent
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.errors import InputError, SendRecordLostError, StoreError, StoreUnavailableError
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StoppedError, StopSignal

JUDGED_AFTER: Final = 1_000  # numbers: of fewer the share that failed says little
_SHORTEST_CLAIM_LEAD = 0.03
_LONGEST_CLAIM = 2.0
_CLOSING_SECONDS = 1.0  # what would leave this shortly before its hours end is not claimed any more


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """When to try again and when to give up. Pauses in seconds; each is drawn from half to all of its value."""

    tries: int = 8
    first_pause: float = 0.5
    longest_pause: float = 15.0
    store_patience: float = 120.0
    max_failure_rate: float = 0.5
    judged_after: int = JUDGED_AFTER

    def pause(self, tries: int) -> float:
        """The pause after so many tries."""
        return min(self.longest_pause, self.first_pause * 2 ** (tries - 1)) * random.uniform(0.5, 1.0)


class ClaimLostError(Exception):
    """Another run has claimed this presentation; it is theirs."""


class OutsideHoursError(Exception):
    """The chunk's recipients may not be texted now; `record` is what was recorded of it, if it was claimed."""

    def __init__(self, record: SendRecord | None = None) -> None:
        super().__init__("outside the hours of the chunk's time zones")
        self.record = record


class Sender:
    """Sends the chunks of one campaign for one run. Thread-safe; every method may block until the stop."""

    def __init__(
        self,
        *,
        campaign: Campaign,
        ledger: Ledger,
        gateway: Gateway,
        pacer: Pacer,
        texts: CallContent,
        stop: StopSignal,
        progress: Progress,
        limits: RetryLimits,
        hours: Hours | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.campaign = campaign
        self.ledger = ledger
        self.gateway = gateway
        self.pacer = pacer
        self.texts = texts
        self.stop = stop
        self.progress = progress
        self.limits = limits
        self.hours = hours
        self.clock = clock
        self.monotonic = monotonic
        self.claim_lead = _SHORTEST_CLAIM_LEAD

    def claimed(self, seconds: float) -> None:
        """Learn how long a claim takes, so that the next is made as late as can be, and in time all the same."""
        self.claim_lead = min(_LONGEST_CLAIM, max(_SHORTEST_CLAIM_LEAD, 0.9 * self.claim_lead, 1.5 * seconds))

    def send(self, chunk: Chunk, history: History) -> SendRecord | None:
        """Present a chunk, with retries as long as it is proved that nothing was sent.

        Returns the receipt, which is recorded by then; None if nothing was claimed: the run was stopped
        before, or another run has the chunk.

        Raises:
            OutsideHoursError: its recipients may not be texted now; it may be sent later.
        """
        try:
            return self._present(_Submission(self, chunk, history))
        except SendRecordLostError as error:
            self.stop.set(Stop(StopCause.STORE_DOWN, f"{error}"))
            return None

    def _present(self, presentation: "_Submission") -> SendRecord | None:
        try:
            return presentation.run()
        except ClaimLostError:
            return None
        except OutsideHoursError:
            raise OutsideHoursError(presentation.abandon(RowReason.QUIET_HOURS)) from None
        except StoppedError:
            return presentation.abandon()
        except SendRecordLostError:
            raise
        except StoreError as error:
            self.stop.set(Stop(StopCause.STORE_DOWN, f"{error} No call is made without its claim."))
            return presentation.abandon()
        except InputError as error:  # credentials that could not be refreshed
            self.stop.set(Stop(StopCause.STOPPED, f"{error}"))
            return presentation.abandon()

    def judge_failures(self) -> None:
        """Stop the campaign when too many of the numbers presented so far have failed or are unknown."""
        numbers = self.progress.snapshot.numbers
        presented = sum(numbers.values())
        bad = numbers.get(Status.FAILED, 0) + numbers.get(Status.UNKNOWN, 0)
        if presented >= self.limits.judged_after and bad > self.limits.max_failure_rate * presented:
            self.stop.set(
                Stop(
                    StopCause.STOPPED,
                    f"{bad} of the first {presented} numbers failed or are unknown, more than --max-failure-rate "
                    f"{self.limits.max_failure_rate:g} allows. See the reasons in the results, mend the cause, and "
                    "run the same command again: it goes on with what was not sent.",
                    for_failures=True,
                )
            )


class _Submission:
    """One chunk under one claim."""

    def __init__(self, sender: Sender, chunk: Chunk, history: History) -> None:
        self._sender = sender
        self._chunk = chunk
        self._number = history.next
        self._fingerprint = sender.texts.fingerprint(chunk)
        self._claim: Claim | None = None
        self._claimed = False
        self._attempts: list[Attempt] = []
        self._departure: Departure | None = None
        self._sent_at: float | None = None
        self._written = False
        self._settling = False

    def run(self) -> SendRecord | None:
        while True:
            outcome = self._attempt()
            settlement = self._judge(outcome)
            if settlement is not None:
                return self._settle(answered(self._receipt(settlement), outcome, self._chunk))

    def abandon(self, reason: str | None = None) -> SendRecord | None:
        """Record that a claimed chunk was not presented after all; by default for what stopped the run.

        Nothing where it is known what became of it, also if that could not be recorded: the gateway may have taken it.
        """
        if not self._claimed or self._settling:
            return None
        stop = self._sender.stop.stop
        reason = reason or (StopCause.STOPPED if stop is None else stop.cause)
        return self._settle(replace(self._receipt(Settlement.NOT_SENT), reason=reason))

    def _attempt(self) -> Outcome:
        """Make one call at one turn; turns that are missed, and a store that does not answer, are tried again."""
        give_up = self._sender.monotonic() + self._sender.limits.store_patience
        while True:
            self._sender.stop.check()
            self._check_hours(self._sender.clock() + _CLOSING_SECONDS)
            try:
                return self._call(self._sender.pacer.take())
            except TurnMissedError:
                give_up = max(give_up, self._sender.monotonic() + 1.0)
                continue
            except StoreUnavailableError:
                if self._sender.monotonic() > give_up:
                    raise
                self._sender.stop.wait(1.0)

    def _call(self, turn: Turn) -> Outcome:
        sender = self._sender
        taken = sender.monotonic()
        task_id = f"{sender.campaign.id}-{self._chunk.index}-{self._number * 100 + len(self._attempts) + 1}"
        self._written = False

        def before_write() -> None:
            sender.pacer.prepared(sender.monotonic() - taken + sender.claim_lead)
            sender.pacer.wait_until(turn, sender.claim_lead)
            self._check_hours(turn.at + _CLOSING_SECONDS)
            self._write_claim(turn)
            self._departure = sender.pacer.depart(turn)
            self._check_hours(sender.clock())
            # The last look: a process that was frozen up to here may have lost the campaign to another run.
            if not sender.campaign.held():
                raise TurnMissedError
            self._sent_at = sender.clock()
            self._written = True
            sender.progress.called()

        def after_write() -> None:
            if self._departure is not None:
                sender.pacer.written(self._departure)

        try:
            outcome = sender.gateway.send(
                sender.texts.batch(self._chunk, task_id), before_write=before_write, after_write=after_write
            )
        except BaseException:
            if self._written:
                self._settle(replace(self._receipt(Settlement.UNKNOWN), reason="interrupted"))
            raise
        finally:
            if self._written:
                sender.progress.landed()
        self._attempts.append(
            Attempt(task_id, sender.clock(), outcome.verdict, outcome.code, outcome.request_id, outcome.detail)
        )
        return outcome

    def _check_hours(self, at: float) -> None:
        hours, lane = self._sender.hours, self._chunk.lane
        if hours is not None and not hours.is_open((lane and lane.zones) or (), at):
            raise OutsideHoursError

    def _write_claim(self, turn: Turn) -> None:
        sender = self._sender
        if not sender.campaign.held():
            sender.stop.wait(0.2)
            raise TurnMissedError
        if self._claimed:
            return
        if self._claim is None:
            owner = sender.campaign.owner
            self._claim = Claim(
                self._chunk.index, self._number, owner.run, owner.host, sender.clock(), turn.at, self._fingerprint
            )
        began = sender.monotonic()
        if not sender.ledger.claim(self._claim):
            raise ClaimLostError
        self._claimed = True
        took = sender.monotonic() - began
        sender.claimed(took)
        if took > _LONGEST_CLAIM:
            raise TurnMissedError  # the connection has idled meanwhile; the gateway may be closing it

    def _judge(self, outcome: Outcome) -> Settlement | None:
        """Say what became of the presentation, or None after the pause before the next try."""
        sender = self._sender
        tries = len(self._attempts)
        match outcome.verdict:
            case CallVerdict.ACCEPTED:
                return Settlement.ACCEPTED
            case CallVerdict.REFUSED:
                return Settlement.REFUSED
            case CallVerdict.UNCLEAR:
                return Settlement.UNKNOWN
            case CallVerdict.STOPPED:
                self._stop_for(outcome)
                return Settlement.ACCOUNT
            case CallVerdict.THROTTLED:
                sender.progress.throttled()
                sender.pacer.throttled(outcome.retry_after or 0.0)
                last = Settlement.ACCOUNT
            case CallVerdict.STALE:
                last = Settlement.ACCOUNT
            case CallVerdict.UNREACHABLE:
                last = Settlement.NOT_SENT
        if tries >= sender.limits.tries:
            self._stop_for(outcome, f", {tries} times in a row")
            return last
        if sender.stop.wait(max(outcome.retry_after or 0.0, sender.limits.pause(tries))):
            raise StoppedError
        return None

    def _stop_for(self, outcome: Outcome, tries: str = "") -> None:
        description = f" ({outcome.description})" if outcome.description else ""
        what = f"the gateway answered {outcome.code}{description}" if outcome.code else outcome.detail
        # Some advice says itself when to run it again.
        again = "It" if " again" in outcome.advice else "Then run the same command again: it"
        self._sender.stop.set(
            Stop(
                StopCause.STOPPED,
                f"{what}{tries}. {outcome.advice} {again} goes on with what was not sent.",
                outcome.code,
            )
        )

    def _receipt(self, settlement: Settlement) -> SendRecord:
        return SendRecord(
            chunk=self._chunk.index,
            presentation=self._number,
            run=self._sender.campaign.owner.run,
            settlement=settlement,
            reason=None,
            code=None,
            description=None,
            request_id=None,
            sent_at=self._sent_at,
            fingerprint=self._fingerprint,
            attempts=tuple(self._attempts),
        )

    def _settle(self, record: SendRecord) -> SendRecord | None:
        if not self._claimed:
            return None
        self._settling = True
        self._sender.ledger.settle(record)
        comes_back = record.reason == RowReason.QUIET_HOURS
        for status, numbers in numbers_by_status(record, len(self._chunk.phone_numbers)):
            if numbers and not comes_back:
                self._sender.progress.settled(status, numbers)
        self._sender.judge_failures()
        return record
