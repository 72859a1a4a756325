"""Reads campaign.json for a command that doesn't run the campaign; it may be missing, broken or out of date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from globe_sms.tasks.campaign.campaign_json import (
    DOCUMENT_KEY,
    SETTLED_BY_RECEIPT,
    CampaignDocument,
    PlanFigures,
)
from globe_sms.tasks.campaign.lease import Lease, Owner
from globe_sms.tasks.recipients import ListReading
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.statuses import SENDABLE, STATUSES, Delivery, Status


class CampaignState(StrEnum):
    """The state of a campaign."""

    RUNNING = "running"  # a run holds the lease
    CRASHED = "crashed"  # a run ended without giving back the lease
    INTERRUPTED = "interrupted"  # a run sent something and gave back the lease, but wrote no results: it was paused
    WAITING = "waiting"  # somebody must approve it, and may still do so
    NOT_RUN = "not_run"  # started, but ended before there were results: an unreadable list, a limit
    STOPPED = "stopped"  # its last run stopped early
    OPEN = "open"  # finished, with unknown or not_sent rows
    SETTLED = "settled"  # nothing is left to send, and no row is unknown
    BROKEN = "broken"  # its campaign.json can't be read


AHEAD_OF_ITS_RESULTS: Final = frozenset({CampaignState.RUNNING, CampaignState.CRASHED, CampaignState.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class CampaignOverview:
    """What campaign.json says about a campaign.

    `hours` are those in which its people may be texted. `planned` counts the rows of the plan by status; `counts` those
    of the results that the last run wrote, None without results; a running or crashed campaign has got further than
    both. `held_out` rows get no text, to compare with. `deliveries` counts accepted messages by delivery; None if they
    were never tracked. `plan` is the id of the current plan, `sending_since` when it was frozen, just before the first
    claim. `alive_until` is when the lease of a running or crashed campaign ends: no run was alive after that.
    `readings` is what was read of each list, by its URI.
    """

    campaign: str
    state: CampaignState
    begun_at: datetime
    sending_since: datetime | None
    ended_at: datetime | None
    settings: Mapping[str, Any]
    plan: str | None
    hours: str | None
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
    held_out: int
    readings: tuple[tuple[str, ListReading], ...] = ()

    @property
    def unknown(self) -> int | None:
        """How many rows are unknown in the last results."""
        return None if self.counts is None else self.counts[Status.UNKNOWN]

    @property
    def open(self) -> int | None:
        """How many rows were left in the last results; without results, how many the plan sends."""
        if self.counts is not None:
            return self.counts[Status.NOT_SENT] - self.held_out
        return None if self.planned is None else self.planned.get(SENDABLE, 0)

    @property
    def delivery_rate(self) -> float | None:
        """The share of messages with a final state that were delivered; None without any."""
        if self.deliveries is None:
            return None
        final = sum(self.deliveries.values()) - self.deliveries.get(Delivery.PENDING, 0)
        return self.deliveries.get(Delivery.DELIVERED, 0) / final if final else None

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints; times are ISO 8601."""
        lease = self.lease
        return {
            "campaign": self.campaign,
            "state": self.state.value,
            "begun_at": self.begun_at.isoformat(),
            "sending_since": None if self.sending_since is None else self.sending_since.isoformat(),
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
            else {"run": lease.run, "host": lease.host, "until": lease.expires_at.isoformat()},
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


def read_overview(store: Store, campaign: str, now: datetime, here: Owner) -> CampaignOverview | BrokenDocument | None:
    """Read campaign.json of one campaign; None if there is none, because the folder isn't a campaign's.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    folder = store.within(campaign)
    stored = folder.get(DOCUMENT_KEY)
    if stored is None:
        return None
    try:
        return _overview(CampaignDocument.decode(stored.body, folder.uri), now, here)
    except InputError as error:
        return BrokenDocument(campaign, str(error))


def _overview(document: CampaignDocument, now: datetime, here: Owner) -> CampaignOverview:
    plan, summary, lease, deliveries = document.plan, document.summary, document.lease, document.deliveries
    return CampaignOverview(
        campaign=document.campaign,
        state=_state(document, now, here),
        begun_at=document.created_at,
        sending_since=document.sending_since,
        ended_at=None if summary is None else summary.ended_at,
        settings=document.settings if plan is None else {**document.settings, **_of_the_plan(plan)},
        plan=None if plan is None else plan.id,
        hours=document.settings.get("hours") if document.policy is None else document.policy.hours,
        planned=None if plan is None else plan.rows,
        chunks=None if plan is None else plan.chunks,
        counts=None if summary is None else {status: summary.counts.get(status, 0) for status in STATUSES},
        deliveries=None
        if deliveries is None
        else {name: rows for name, rows in deliveries.items() if name != SETTLED_BY_RECEIPT},
        lease=None if lease is None or lease.is_free(now.timestamp(), here) else lease,
        alive_until=None if lease is None else lease.expires_at,
        calls=None if summary is None else summary.calls,
        seconds=None if summary is None else summary.seconds,
        throttled=0 if summary is None else summary.throttled,
        resent=0 if summary is None else summary.resent_chunks,
        stopped=None if summary is None else summary.stopped,
        held_out=document.held_out,
        readings=document.readings,
    )


def _of_the_plan(plan: PlanFigures) -> dict[str, Any]:
    """Return what the plan was made with and what isn't frozen."""
    return {"suppress": list(plan.inputs.suppress), "numbers_per_call": plan.inputs.numbers_per_call}


def _state(document: CampaignDocument, now: datetime, here: Owner) -> CampaignState:
    lease, summary, approval = document.lease, document.summary, document.approval
    if lease is not None:
        return CampaignState.CRASHED if lease.is_free(now.timestamp(), here) else CampaignState.RUNNING
    if document.is_ahead_of_results:
        return CampaignState.INTERRUPTED
    if approval is not None and approval.waits(now):
        return CampaignState.WAITING
    if summary is None:
        return CampaignState.NOT_RUN
    if summary.stopped:
        return CampaignState.STOPPED
    is_open = document.left or summary.counts.get(Status.UNKNOWN, 0)
    return CampaignState.OPEN if is_open else CampaignState.SETTLED
