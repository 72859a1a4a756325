"""Reads campaign.json for a command that doesn't run the campaign; it may be missing, broken or out of date."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from globe_sms.tasks.campaign.approval import KEY as APPROVAL
from globe_sms.tasks.campaign.approval import Decision
from globe_sms.tasks.campaign.campaign import DOCUMENT_KEY, Owner, lease_is_free
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.statuses import SENDABLE, STATUSES, Status

_SETTLED_BY_RECEIPT: Final = "settled_by_receipt"
_PENDING: Final = "pending"
_DELIVERED: Final = "delivered"


class CampaignState(StrEnum):
    """The state of a campaign."""

    RUNNING = "running"  # a run holds the lease
    CRASHED = "crashed"  # a run ended without giving back the lease
    WAITING = "waiting"  # somebody must approve it
    NOT_RUN = "not_run"  # started, but ended before there were results: an unreadable list, a limit
    STOPPED = "stopped"  # its last run stopped early
    OPEN = "open"  # finished, with unknown or not_sent rows
    SETTLED = "settled"  # nothing is left to send, and no row is unknown
    BROKEN = "broken"  # its campaign.json can't be read


@dataclass(frozen=True, slots=True)
class Lease:
    """Which run is sending the campaign, and on which machine; `until` is when the lease ends unless renewed."""

    run: str
    host: str
    until: datetime


@dataclass(frozen=True, slots=True)
class CampaignDocument:
    """What campaign.json says about a campaign.

    `planned` counts the rows of the plan by status; `counts` those of the results that the last run wrote, None
    without results; a running or crashed campaign has got further than both. `deliveries` counts accepted messages by
    delivery; None if they were never tracked. `alive_until` is when the lease of a running or crashed campaign ends:
    no run was alive after that.
    """

    campaign: str
    state: CampaignState
    begun_at: datetime
    ended_at: datetime | None
    settings: Mapping[str, Any]
    planned: Mapping[str, int] | None
    chunks: int | None
    counts: Mapping[str, int] | None
    deliveries: Mapping[str, int] | None
    lease: Lease | None
    alive_until: datetime | None
    calls: int | None
    seconds: float | None
    throttled: int
    resent: int
    stopped: str | None

    @property
    def unknown(self) -> int | None:
        """How many rows are unknown in the last results."""
        return None if self.counts is None else self.counts[Status.UNKNOWN]

    @property
    def open(self) -> int | None:
        """How many rows are not_sent in the last results; without results, how many the plan sends."""
        if self.counts is not None:
            return self.counts[Status.NOT_SENT]
        return None if self.planned is None else self.planned.get(SENDABLE, 0)

    @property
    def delivery_rate(self) -> float | None:
        """The share of messages with a final state that were delivered; None without any."""
        if self.deliveries is None:
            return None
        final = sum(self.deliveries.values()) - self.deliveries.get(_PENDING, 0)
        return self.deliveries.get(_DELIVERED, 0) / final if final else None

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints; times are ISO 8601."""
        lease = self.lease
        return {
            "campaign": self.campaign,
            "state": self.state.value,
            "begun_at": self.begun_at.isoformat(),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
            "planned": None if self.planned is None else dict(self.planned),
            "chunks": self.chunks,
            "counts": None if self.counts is None else dict(self.counts),
            "unknown": self.unknown,
            "open": self.open,
            "deliveries": None if self.deliveries is None else dict(self.deliveries),
            "delivery_rate": None if self.delivery_rate is None else round(self.delivery_rate, 4),
            "calls": self.calls,
            "seconds": self.seconds,
            "stopped": self.stopped,
            "lease": None
            if lease is None
            else {"run": lease.run, "host": lease.host, "until": lease.until.isoformat()},
        }


@dataclass(frozen=True, slots=True)
class BrokenDocument:
    """A campaign.json that can't be read, and why."""

    campaign: str
    fault: str

    @property
    def state(self) -> CampaignState:
        """Always broken."""
        return CampaignState.BROKEN

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {"campaign": self.campaign, "state": self.state.value, "fault": self.fault}


def read_document(store: Store, campaign: str, now: datetime, here: Owner) -> CampaignDocument | BrokenDocument | None:
    """Read campaign.json of one campaign; None if there is none, because the folder isn't a campaign's.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    stored = store.within(campaign).get(DOCUMENT_KEY)
    if stored is None:
        return None
    try:
        return _read(campaign, json.loads(stored.body), now, here)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return BrokenDocument(campaign, f"{DOCUMENT_KEY} can't be read ({type(error).__name__})")


def _read(campaign: str, document: Mapping[str, Any], now: datetime, here: Owner) -> CampaignDocument:
    plan: Mapping[str, Any] = document.get("plan") or {}
    summary: Mapping[str, Any] = document.get("summary") or {}
    counts = summary.get("counts")
    held = _held(document.get("lease"), now, here)
    deliveries = document.get("deliveries")
    return CampaignDocument(
        campaign=campaign,
        state=_state(document, now, here),
        begun_at=_instant(document["created_at"]),
        ended_at=_instant(summary["ended_at"]) if summary.get("ended_at") else None,
        settings=dict(document["settings"]),
        planned={str(name): int(rows) for name, rows in plan["rows"].items()} if plan else None,
        chunks=int(plan["chunks"]) if plan else None,
        counts=None if counts is None else {status: int(counts.get(status, 0)) for status in STATUSES},
        deliveries=None
        if deliveries is None
        else {str(name): int(rows) for name, rows in deliveries.items() if name != _SETTLED_BY_RECEIPT},
        lease=held,
        alive_until=None if document.get("lease") is None else _until(document["lease"]),
        calls=int(summary["calls"]) if summary else None,
        seconds=float(summary["seconds"]) if summary else None,
        throttled=int(summary.get("throttled") or 0),
        resent=int(summary.get("resent_chunks") or 0),
        stopped=summary.get("stopped"),
    )


def _held(lease: Mapping[str, Any] | None, now: datetime, here: Owner) -> Lease | None:
    if lease is None or lease_is_free(lease, now.timestamp(), here):
        return None
    return Lease(str(lease["run"]), str(lease["host"]), _until(lease))


def _until(lease: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(float(lease["until"]), UTC)


def _state(document: Mapping[str, Any], now: datetime, here: Owner) -> CampaignState:
    lease, summary = document.get("lease"), document.get("summary")
    if lease is not None:
        return CampaignState.CRASHED if lease_is_free(lease, now.timestamp(), here) else CampaignState.RUNNING
    if (document.get(APPROVAL) or {}).get("decision") == Decision.AWAITED:
        return CampaignState.WAITING
    if summary is None:
        return CampaignState.NOT_RUN
    if summary.get("stopped"):
        return CampaignState.STOPPED
    open_rows = summary["counts"].get(Status.UNKNOWN, 0) + summary["counts"].get(Status.NOT_SENT, 0)
    return CampaignState.OPEN if open_rows else CampaignState.SETTLED


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
