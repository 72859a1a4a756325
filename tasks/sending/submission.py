"""One chunk handed to the gateway: turn, claim, call, send record.

The connection is made first, the claim is written just before the turn, and the request leaves at the turn. Whatever
goes wrong before the request is written proves that nothing was sent. Whatever goes wrong after it leaves the chunk
unknown, and it is never presented again unless the operator says so.
"""

from dataclasses import replace
from typing import Final

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.send_record import Attempt, Claim, SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.campaign.task_ids import task_id
from globe_sms.tasks.gateway import CallVerdict, Outcome
from globe_sms.tasks.pacing.pacer import Departure, Turn, TurnMissedError
from globe_sms.tasks.sending.answer_record import answered, numbers_by_status
from globe_sms.tasks.sending.presentation import Presentation
from globe_sms.tasks.sending.sending_window import SendingWindow
from globe_sms.tasks.sending.submission_parts import LONGEST_CLAIM, SubmissionParts
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StoppedError

_CLOSING_SECONDS: Final = 1.0  # no new claims this close to the end of the recipients' hours


class ClaimLostError(Exception):
    """Another run has claimed this submission; it is theirs."""


class Submission:
    """One chunk, or a part of it, under one claim, with as many tries as prove that nothing was sent."""

    def __init__(self, sender: SubmissionParts, presentation: Presentation, history: History) -> None:
        self._sender = sender
        self._presentation = presentation
        self._chunk = presentation.chunk
        self._number = history.next
        self._fingerprint = sender.texts.fingerprint(presentation.chunk)
        self._claim: Claim | None = None
        self._claimed = False
        self._attempts: list[Attempt] = []
        self._throttled_in_a_row = 0
        self._departure: Departure | None = None
        self._answered_at: float | None = None
        self._sent_at: float | None = None
        self._written = False
        self._is_settled = False
        group = presentation.chunk.group
        self._window = SendingWindow.of(sender.hours, sender.end, (group and group.zones) or ())

    def run(self) -> SendRecord | None:
        """Claim, call, and try again until the outcome is known; return its record, which is in the ledger by then."""
        while True:
            outcome = self._attempt()
            self._learn_delay(outcome)
            settlement = self._settlement_of(outcome)
            if settlement is not None:
                return self._keep(answered(self._send_record(settlement), outcome, self._presentation))

    def abandon(self, reason: str | None = None) -> SendRecord | None:
        """Record that a claimed chunk was not presented after all; by default for what stopped the run.

        Does nothing once its outcome is known, even if that could not be recorded: the gateway may have taken it.
        """
        if not self._claimed or self._is_settled:
            return None
        stop = self._sender.stop.stop
        reason = reason or (StopCause.STOPPED if stop is None else stop.cause)
        return self._keep(replace(self._send_record(Settlement.NOT_SENT), reason=reason))

    def _attempt(self) -> Outcome:
        """Make one call at its turn; try again after a missed turn, or if the store doesn't answer."""
        give_up = self._sender.monotonic() + self._sender.retries.store_patience
        while True:
            self._sender.stop.check()
            self._window.check(self._sender.clock() + _CLOSING_SECONDS)
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
        task = task_id(sender.campaign.id, self._chunk.index, self._number, len(self._attempts) + 1)
        self._written = False
        self._departure = self._answered_at = None
        leaves = max(turn.at, sender.clock())
        closes = self._window.closes(leaves)
        validity = self._window.validity(closes, leaves, sender.validity)

        def before_write() -> None:
            sender.campaign.begin_sending()
            sender.pacer.prepared(sender.monotonic() - taken + sender.claim_lead)
            sender.pacer.wait_until(turn, sender.claim_lead)
            self._window.check(turn.at + _CLOSING_SECONDS)
            self._write_claim(turn)
            self._departure = sender.pacer.depart(turn)
            self._window.check(sender.clock())
            if validity is not None and sender.clock() + validity > closes:
                raise TurnMissedError
            # The last look: a process that was frozen up to here may have lost the campaign to another run.
            if not sender.campaign.held():
                raise TurnMissedError
            self._sent_at = sender.clock()
            self._written = True
            sender.progress.called()

        def after_write() -> None:
            if self._departure is not None:
                sender.pacer.written(self._departure)

        def on_answer() -> None:
            self._answered_at = sender.monotonic()

        try:
            outcome = sender.gateway.send(
                sender.texts.batch(self._chunk, task, validity),
                before_write=before_write,
                after_write=after_write,
                on_answer=on_answer,
            )
        except BaseException:
            if self._written:
                self._keep(replace(self._send_record(Settlement.UNKNOWN), reason="interrupted"))
            raise
        finally:
            if self._written:
                sender.progress.landed()
        self._attempts.append(
            Attempt(task, sender.clock(), outcome.verdict, outcome.code, outcome.request_id, outcome.detail)
        )
        return outcome

    def _learn_delay(self, outcome: Outcome) -> None:
        """Tell the pacer how late the call may have arrived; a throttled one is answered sooner than others."""
        departure, answered_at = self._departure, self._answered_at
        if departure is not None and answered_at is not None and outcome.verdict is not CallVerdict.THROTTLED:
            self._sender.pacer.answered(departure, answered_at - departure.at)

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
                chunk=self._chunk.index,
                submission=self._number,
                run=owner.run,
                host=owner.host,
                claimed_at=sender.clock(),
                turn=turn.at,
                fingerprint=self._fingerprint,
                positions=self._presentation.covered,
                left_out=self._presentation.left_out,
            )
        began = sender.monotonic()
        if not sender.ledger.claim(self._claim):
            raise ClaimLostError
        self._claimed = True
        took = sender.monotonic() - began
        sender.claimed(took)
        if took > LONGEST_CLAIM:
            raise TurnMissedError

    def _settlement_of(self, outcome: Outcome) -> Settlement | None:
        """Return how the submission ended, or None after the pause before the next try."""
        sender = self._sender
        tries = len(self._attempts)
        match outcome.verdict:
            case CallVerdict.ACCEPTED:
                return Settlement.ACCEPTED
            case CallVerdict.UNCLEAR:
                if outcome.stops:
                    self._stop_for(outcome)
                return Settlement.UNKNOWN
            case CallVerdict.ACCOUNT | CallVerdict.CAMPAIGN | CallVerdict.CONTENT | CallVerdict.SIZE | CallVerdict.ROW:
                return self._settlement_of_refusal(outcome)
            case CallVerdict.THROTTLED:
                sender.progress.throttled()
                sender.pacer.throttled(self._departure, outcome.retry_after or 0.0)
                last = Settlement.STOPPED
            case CallVerdict.STALE:
                last = Settlement.STOPPED
            case CallVerdict.UNREACHABLE:
                last = Settlement.NOT_SENT
        if tries >= sender.retries.tries:
            self._stop_for(outcome, f", {tries} times in a row")
            return last
        # A throttled call costs its turn: the next free one comes by itself. Only calls throttled again wait longer.
        is_throttled = outcome.verdict is CallVerdict.THROTTLED
        self._throttled_in_a_row = self._throttled_in_a_row + 1 if is_throttled else 0
        pauses = self._throttled_in_a_row - 1 if is_throttled else tries
        if sender.stop.wait(max(outcome.retry_after or 0.0, sender.retries.pause(pauses))):
            raise StoppedError
        return None

    def _settlement_of_refusal(self, outcome: Outcome) -> Settlement:
        """Return how a refused submission ended: nothing was sent, and it's about some numbers or about every call."""
        size = self._presentation.size
        match outcome.verdict:
            case CallVerdict.SIZE if size > 1:
                self._sender.call_size.refuse(size)
                return Settlement.SPLIT
            case CallVerdict.ROW:
                return Settlement.SPLIT if size > 1 else Settlement.REFUSED
            case CallVerdict.CONTENT if self._chunk.messages is not None:
                return Settlement.SPLIT if size > 1 else Settlement.REFUSED
            case _:
                self._stop_for(outcome)
                return Settlement.STOPPED

    def _stop_for(self, outcome: Outcome, tries: str = "") -> None:
        description = f" ({outcome.description})" if outcome.description else ""
        what = f"the gateway answered {outcome.code}{description}" if outcome.code else outcome.detail
        is_frozen = outcome.verdict in (CallVerdict.CAMPAIGN, CallVerdict.CONTENT)
        other = " Another text or sender needs another --campaign." if is_frozen else ""
        self._sender.stop.set(
            Stop(
                StopCause.STOPPED,
                f"{what}{tries}. {outcome.advice} Then run the same command again: it continues with the numbers that "
                f"weren't sent.{other}",
                outcome.code,
            )
        )

    def _send_record(self, settlement: Settlement) -> SendRecord:
        return SendRecord(
            chunk=self._chunk.index,
            submission=self._number,
            run=self._sender.campaign.owner.run,
            settlement=settlement,
            reason=None,
            code=None,
            description=None,
            request_id=None,
            sent_at=self._sent_at,
            fingerprint=self._fingerprint,
            attempts=tuple(self._attempts),
            positions=self._presentation.covered,
            left_out=self._presentation.left_out,
        )

    def _keep(self, record: SendRecord) -> SendRecord | None:
        if not self._claimed:
            return None
        sender = self._sender
        self._is_settled = True
        sender.ledger.settle(record)
        comes_back = record.reason == RowReason.QUIET_HOURS
        for status, numbers in numbers_by_status(record, self._presentation.size):
            if numbers and not comes_back:
                sender.progress.settled(status, numbers)
        sender.failure_limit.check(sender.progress, sender.stop)
        return record
