"""What happened to one number in one campaign, event by event: from its plan, its ledger and its deliveries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from globe_sms.tasks.campaign.ledger import LedgerEntry, SendRecord
from globe_sms.tasks.campaign.settlement import MEANINGS, Settlement
from globe_sms.tasks.campaign.task_ids import task_id
from globe_sms.tasks.delivery.receipt_codes import meaning
from globe_sms.tasks.vocabulary.masking import mask_numbers_in
from globe_sms.tasks.vocabulary.statuses import Delivery


class EventKind(StrEnum):
    """What can happen to a number."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    RESENT = "resent"  # claimed again: the outcome of the submission before is unknown, or the gateway did not take it
    CALLED = "called"  # one call under a claim, and its answer
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    IN_THE_AIR = "in_the_air"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a number; `said` is for people, without a whole number. `at` is None if unknown."""

    campaign: str
    at: datetime | None
    kind: EventKind
    said: str
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """The machine-readable form; facts that are not known are left out."""
        known = {name: value for name, value in self.facts.items() if value is not None}
        at = None if self.at is None else self.at.isoformat()
        return {"campaign": self.campaign, "at": at, "event": self.kind.value, "said": self.said, **known}


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row of the plan; `chunk` and `position` (in the chunk) are None where it is not sent."""

    source: str
    row: int
    status: str | None
    reason: str | None
    chunk: int | None
    position: int | None


def planned_event(campaign: str, at: datetime | None, row: PlannedRow) -> Event:
    """Tell what the plan says of a row; `at` is when the campaign was begun."""
    place = f"{row.source.rpartition('/')[2]}#{row.row}"
    verdict = "to be sent" if row.status is None else row.status + (f": {row.reason}" if row.reason else "")
    call = "" if row.chunk is None else f", in call {row.chunk}"
    facts = {
        "source": row.source,
        "row": row.row,
        "verdict": row.status or "sendable",
        "reason": row.reason,
        "chunk": row.chunk,
        "position": row.position,
    }
    return Event(campaign, at, EventKind.PLANNED, f"row {place}: {verdict}{call}", facts)


def sending_events(campaign: str, position: int, entries: Sequence[LedgerEntry], *, running: bool) -> Iterator[Event]:
    """Tell what the ledger says of the number at a position of a chunk, whose ledger entries these are."""
    for entry in entries:
        claim, record = entry.claim, entry.record
        chunk = {"chunk": claim.chunk, "presentation": claim.submission, "run": claim.run, "host": claim.host}
        first = claim.submission == 0
        yield Event(
            campaign,
            _instant(claim.claimed_at),
            EventKind.CLAIMED if first else EventKind.RESENT,
            f"call {claim.chunk} claimed{'' if first else ' once more'} by run {claim.run[:8]} on {claim.host}",
            chunk,
        )
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
    """Tell what is known of a message after its acceptance: one row of `STATE_SCHEMA`."""
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
    return Event(campaign, at, EventKind(delivery.value), f"{said}{carrier}; known by {state['origin']}", facts)


def settled_event(campaign: str, state: Mapping[str, Any]) -> Event:
    """Tell that a state (a row of `STATE_SCHEMA`) shows how a call ended that had no clear answer."""
    message_id = state["message_id"]
    said = f"a delivery receipt shows that the gateway had taken the call: message {message_id}"
    facts = {"message_id": message_id, "task_id": state["task_id"], "settled_by": "receipt"}
    return Event(campaign, state["seen_at"], EventKind.ACCEPTED, said, facts)


def in_time_order(events: Sequence[Event]) -> list[Event]:
    """Sort events by their time; of one time they stay as they are, those without one come first."""
    return sorted(events, key=lambda event: event.at or datetime.min.replace(tzinfo=UTC))


def _unanswered(campaign: str, entry: LedgerEntry, *, running: bool) -> Event:
    claim = entry.claim
    task = task_id(campaign, claim.chunk, claim.submission, 1)
    if running:
        return Event(campaign, _instant(claim.turn), EventKind.IN_THE_AIR, "the call is under way", {"task_id": task})
    said = f"no answer was recorded: the call may have been made; look for task {task} in Alibaba's console"
    return Event(campaign, _instant(claim.turn), EventKind.UNKNOWN, said, {"reason": "interrupted", "task_id": task})


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
    if record.settlement is not Settlement.ACCEPTED:
        why = ", ".join(part for part in (record.reason or record.code, description) if part)
        return Event(campaign, at, kind, f"the whole call: {why}" if why else "the whole call", facts)
    if position in record.failed:
        said = "the gateway took the call and refused this number"
        return Event(campaign, at, EventKind.FAILED, said, {**facts, "reason": "failed_list"})
    if position in record.unclear:
        said = "the gateway's list of refused numbers does not fit the call"
        return Event(campaign, at, EventKind.UNKNOWN, said, {**facts, "reason": "failed_list_unmatched"})
    message_id = record.message_ids.get(position)
    if message_id is not None:
        return Event(campaign, at, EventKind.ACCEPTED, f"message {message_id}", {**facts, "message_id": message_id})
    said = "the gateway's ids could not be paired with numbers; one of the call's ids is this number's"
    ids = list(record.unpaired_ids)
    return Event(
        campaign, at, EventKind.ACCEPTED, said, {**facts, "reason": "message_id_unmatched", "unpaired_ids": ids}
    )


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
