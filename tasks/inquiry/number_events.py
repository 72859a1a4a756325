"""The events of one number in one campaign, from its plan, its ledger and its deliveries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from globe_sms.tasks.campaign.ledger import LedgerEntry
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.settlement import MEANINGS, Settlement
from globe_sms.tasks.campaign.task_ids import task_id
from globe_sms.tasks.delivery.receipt_codes import meaning
from globe_sms.tasks.reports.row_numbers import RowNumbers
from globe_sms.tasks.vocabulary.masking import mask_numbers_in
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import SENDABLE, Delivery


class EventKind(StrEnum):
    """What can happen to a number."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    RESENT = "resent"  # claimed again: the call before was not accepted, or its outcome isn't known
    CALLED = "called"  # one call of a claimed chunk, and its answer
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    SUPPRESSED = "suppressed"  # left out of a call: opted out since the plan was made, for example
    SPLIT = "split"  # the gateway refused the call because of some of its numbers: halves of it are called
    IN_THE_AIR = "in_the_air"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a number; `said` is for people and masks numbers, `at` is None if the time isn't known."""

    campaign: str
    at: datetime | None
    kind: EventKind
    said: str
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints, without the facts that aren't known."""
        known = {name: value for name, value in self.facts.items() if value is not None}
        at = None if self.at is None else self.at.isoformat()
        return {"campaign": self.campaign, "at": at, "event": self.kind.value, "said": self.said, **known}


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row of the plan; `chunk` and `position` (in the chunk) are None if it isn't sent."""

    source: str
    row: int
    status: str | None
    reason: str | None
    chunk: int | None
    position: int | None


def planned_event(campaign: str, at: datetime | None, row: PlannedRow, numbers: RowNumbers) -> Event:
    """Return what the plan says about a row; `at` is when the campaign started. `said` counts rows as `numbers` do."""
    place = f"{row.source.rpartition('/')[2]}#{numbers.shown(row.source, row.row)}"
    verdict = "to be sent" if row.status is None else row.status + (f": {row.reason}" if row.reason else "")
    call = "" if row.chunk is None else f", in call {row.chunk}"
    facts = {
        "source": row.source,
        "row": row.row,
        "verdict": row.status or SENDABLE,
        "reason": row.reason,
        "chunk": row.chunk,
        "position": row.position,
    }
    return Event(campaign, at, EventKind.PLANNED, f"row {place}: {verdict}{call}", facts)


def sending_events(campaign: str, position: int, entries: Sequence[LedgerEntry], *, running: bool) -> Iterator[Event]:
    """Yield what the ledger says about the number at a position in a chunk, given the chunk's ledger entries."""
    for entry in entries:
        claim, record = entry.claim, entry.record
        if claim.positions is not None and position not in claim.positions:
            continue
        chunk = {"chunk": claim.chunk, "presentation": claim.submission, "run": claim.run, "host": claim.host}
        first = claim.submission == 0
        yield Event(
            campaign,
            _instant(claim.claimed_at),
            EventKind.CLAIMED if first else EventKind.RESENT,
            f"call {claim.chunk} claimed{'' if first else ' again'} by run {claim.run[:8]} on {claim.host}",
            chunk,
        )
        if position in claim.left_out:
            why = claim.left_out[position]
            said = f"left out of the call: {why}"
            yield Event(campaign, _instant(claim.turn), EventKind.SUPPRESSED, said, {"reason": why})
            continue
        if record is None:
            yield _unanswered(campaign, entry, running=running and entry is entries[-1])
            continue
        for attempt in record.attempts:
            answer = attempt.code or attempt.detail
            yield Event(
                campaign,
                _instant(attempt.at),
                EventKind.CALLED,
                mask_numbers_in(f"task {attempt.task_id}: {attempt.verdict}" + (f", {answer}" if answer else "")),
                {
                    "task_id": attempt.task_id,
                    "verdict": attempt.verdict,
                    "code": attempt.code,
                    "request_id": attempt.request_id,
                    "detail": mask_numbers_in(attempt.detail) or None,
                },
            )
        yield _outcome(campaign, position, record)


def delivery_event(campaign: str, state: Mapping[str, Any]) -> Event:
    """Return what is known about a message since it was accepted; `state` is a row of `STATE_SCHEMA`."""
    delivery, code = Delivery(state["delivery"]), state["delivery_code"]
    said = f"{delivery} with code {code}" if code else f"{delivery}"
    if delivery is not Delivery.DELIVERED:
        said += f". {meaning(delivery, code)}"
    carrier = f" ({state['carrier']})" if state["carrier"] else ""
    facts = {
        "message_id": state["message_id"],
        "task_id": state["task_id"],
        "code": code,
        "carrier": state["carrier"],
        "parts": state["parts"],
        "origin": state["origin"],
        "seen_at": state["seen_at"].isoformat(),
    }
    at = state["delivered_at"] or state["seen_at"]
    return Event(campaign, at, EventKind(delivery.value), f"{said}{carrier}; source: {state['origin']}", facts)


def settled_event(campaign: str, state: Mapping[str, Any]) -> Event:
    """Return that a state (a row of `STATE_SCHEMA`) proves that the gateway accepted a call without a clear answer."""
    message_id = state["message_id"]
    said = f"a delivery receipt shows that the gateway accepted the call: message {message_id}"
    facts = {"message_id": message_id, "task_id": state["task_id"], "settled_by": "receipt"}
    return Event(campaign, state["seen_at"], EventKind.ACCEPTED, said, facts)


def in_time_order(events: Sequence[Event]) -> list[Event]:
    """Sort events by time, keeping the order of equal times; events without a time come first."""
    return sorted(events, key=lambda event: event.at or datetime.min.replace(tzinfo=UTC))


def _unanswered(campaign: str, entry: LedgerEntry, *, running: bool) -> Event:
    claim = entry.claim
    task = task_id(campaign, claim.chunk, claim.submission, 1)
    if running:
        return Event(campaign, _instant(claim.turn), EventKind.IN_THE_AIR, "the call is under way", {"task_id": task})
    said = f"no answer was recorded, so the call may have been made: look for task {task} in Alibaba's console"
    return Event(
        campaign,
        _instant(claim.turn),
        EventKind.UNKNOWN,
        said,
        {"reason": RowReason.INTERRUPTED, "task_id": task},
    )


def _outcome(campaign: str, position: int, record: SendRecord) -> Event:
    at = _instant(record.attempts[-1].at if record.attempts else record.sent_at)
    description = mask_numbers_in(record.description or "")
    facts = {
        "reason": record.reason,
        "code": record.code,
        "description": description or None,
        "request_id": record.request_id,
        "sent_at": None if record.sent_at is None else datetime.fromtimestamp(record.sent_at, UTC).isoformat(),
    }
    kind = EventKind(MEANINGS[record.settlement].status.value)
    if record.settlement is Settlement.SPLIT:
        why = ", ".join(part for part in (record.code, description) if part)
        said = f"the whole call was refused ({why}), so halves of it are called"
        return Event(campaign, at, EventKind.SPLIT, said, facts)
    if record.settlement is not Settlement.ACCEPTED:
        why = ", ".join(part for part in (record.reason or record.code, description) if part)
        return Event(campaign, at, kind, f"the whole call: {why}" if why else "the whole call", facts)
    if position in record.failed:
        said = "the gateway accepted the call but refused this number"
        return Event(campaign, at, EventKind.FAILED, said, {**facts, "reason": RowReason.FAILED_LIST})
    if position in record.unclear:
        said = "the gateway's list of refused numbers doesn't match the call"
        return Event(campaign, at, EventKind.UNKNOWN, said, {**facts, "reason": RowReason.FAILED_LIST_UNMATCHED})
    message_id = record.message_ids.get(position)
    if message_id is not None:
        return Event(campaign, at, EventKind.ACCEPTED, f"message {message_id}", {**facts, "message_id": message_id})
    said = "the call's message ids couldn't be matched to its numbers; one of them belongs to this number"
    ids = list(record.unpaired_ids)
    return Event(
        campaign,
        at,
        EventKind.ACCEPTED,
        said,
        {**facts, "reason": RowReason.MESSAGE_ID_UNMATCHED, "unpaired_ids": ids},
    )


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
