"""Finds every event of one number in all campaigns of a results folder, for `globe-sms explain`.

For each campaign it reads the plan's column of numbers, then the rows with the number, then the few ledger objects of
their chunks: the cost grows with the number of rows, not of calls.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.campaign_json import PLANS, plan_key
from globe_sms.tasks.campaign.campaigns_of_folder import read_each
from globe_sms.tasks.campaign.lease import Owner
from globe_sms.tasks.campaign.ledger import entries_of
from globe_sms.tasks.campaign.number_hashes import NumberHashes, read_hashes
from globe_sms.tasks.campaign.task_ids import chunk_of_task
from globe_sms.tasks.delivery.archive import best_known, state_keys
from globe_sms.tasks.inquiry.campaign_state import CampaignOverview, CampaignState, read_overview
from globe_sms.tasks.inquiry.number_events import (
    Event,
    EventKind,
    PlannedRow,
    delivery_event,
    in_time_order,
    planned_event,
    sending_events,
    settled_event,
)
from globe_sms.tasks.numbers import Verdict, checked_region, validate_text
from globe_sms.tasks.planning.frozen_plan import rows_of_plan
from globe_sms.tasks.reports.row_numbers import RowNumbers
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access, is_s3, split_uri
from globe_sms.tasks.vocabulary.errors import StoreError
from globe_sms.tasks.vocabulary.masking import mask, mask_recipient
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.row_reasons import REASON_SENTENCES

_AT_ONCE: Final = 8
_READS: Final = 2  # a plan is deleted when a run has made it again
_OF_A_ROW: Final = ("source", "row", "status", "reason", "chunk", "position")
_DIGITS: Final = re.compile(r"\+?[0-9 ().\-]+")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A campaign whose records couldn't be read, and why."""

    campaign: str
    fault: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The events of a number in time order; `number` is masked, `verdict` is that of the given number."""

    number: str
    verdict: Verdict
    campaigns: int
    events: Sequence[Event]
    unreadable: Sequence[Unreadable]

    def sentence(self) -> str:
        """Say how much was found and, if the number can't be texted, why."""
        here = f"{len({event.campaign for event in self.events}):,} of {counted(self.campaigns, 'campaign')}"
        searched = f"No events; searched {counted(self.campaigns, 'campaign')}."
        found = f"{counted(len(self.events), 'event')} in {here}." if self.events else searched
        if self.verdict.reason is None:
            return found
        return (
            f"{found} Without a campaign's overrides (--numbers-override), the number is {self.verdict.status}. "
            f"{REASON_SENTENCES[self.verdict.reason]}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "phone_number": self.number,
            "status": None if self.verdict.status is None else str(self.verdict.status),
            "reason": None if self.verdict.reason is None else str(self.verdict.reason),
            "campaigns": self.campaigns,
            "events": [event.as_json() for event in self.events],
            "unreadable": [{"campaign": found.campaign, "fault": found.fault} for found in self.unreadable],
        }


@dataclass(frozen=True, slots=True)
class Sought:
    """The number to find; `written` is the given text, None if that is a valid number.

    `hashed` is what is left of it where it was erased; None if nothing ever was.
    """

    verdict: Verdict
    phone_number: str | None
    written: str | None
    hashed: str | None = None

    @classmethod
    def of(cls, text: str, default_region: str | None, hashes: NumberHashes | None = None) -> "Sought":
        """Read a number in the same way as the lists.

        Raises:
            InputError: libphonenumber doesn't know the default region.
        """
        verdict = validate_text(text, checked_region(default_region))
        number = verdict.phone_number
        if number is None and _DIGITS.fullmatch(text.strip()):
            # A campaign's number overrides may make it valid.
            number = "+" + "".join(char for char in text if char.isdigit()).removeprefix("00")
        hashed = None if number is None or hashes is None else hashes.number(number)
        return cls(verdict, number, text if verdict.phone_number is None else None, hashed)

    @property
    def masked(self) -> str:
        """The number as it may be shown."""
        return mask_recipient(self.written) if self.phone_number is None else mask(self.phone_number)

    def has_number(self) -> pl.Expr:
        """Return whether a row has the number, or what is left of it."""
        numbers = [number for number in (self.phone_number, self.hashed) if number is not None]
        return pl.col("phone_number").is_in(numbers) if numbers else pl.lit(value=False)

    def matches(self) -> pl.Expr:
        """Return whether a row of a plan has the number."""
        found = self.has_number()
        return found if self.written is None else found | (pl.col("recipient") == self.written)


def explain(
    store: Store,
    text: str,
    s3: Callable[[], S3Access],
    *,
    default_region: str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Explanation:
    """Find every event of the number `text` in the campaigns of a results folder, several campaigns at a time.

    If a campaign can't be read, the explanation names it and is incomplete.

    Raises:
        InputError: libphonenumber doesn't know the default region.
        StoreError: the campaigns couldn't be listed.
    """
    sought = Sought.of(text, default_region, read_hashes(store))
    reader = _Reader(store, s3, sought, clock(), Owner.here())
    found = read_each(store, reader.read, at_once=_AT_ONCE)
    return Explanation(
        number=sought.masked,
        verdict=sought.verdict,
        campaigns=len(found),
        events=in_time_order([event for events in found if not isinstance(events, Unreadable) for event in events]),
        unreadable=[entry for entry in found if isinstance(entry, Unreadable)],
    )


class _Reader:
    """Reads the events of a number in a campaign; threads may share it."""

    def __init__(self, store: Store, s3: Callable[[], S3Access], sought: Sought, now: datetime, here: Owner) -> None:
        self._store = store
        self._s3 = s3
        self._sought = sought
        self._now = now
        self._here = here

    def read(self, campaign: str) -> list[Event] | Unreadable:
        """Return the events of the number in a campaign."""
        fault = ""
        for _ in range(_READS):
            try:
                return self._events(campaign)
            except StoreError as error:
                return Unreadable(campaign, str(error))
            except (pl.exceptions.PolarsError, OSError, ValueError, KeyError, TypeError):
                fault = "one of its files can't be read: it may be damaged, or its store may not have answered"
        return Unreadable(campaign, fault)

    def _events(self, campaign: str) -> list[Event]:
        folder = self._store.within(campaign)
        document = read_overview(self._store, campaign, self._now, self._here)
        known = document if isinstance(document, CampaignOverview) else None
        key = _plan_key(folder, known)
        if key is None:
            return []  # not a campaign, or one without a plan
        plan = rows_of_plan(self._scan([f"{folder.uri}/{key}"]))
        found = plan.filter(self._sought.matches()).select(_OF_A_ROW).collect()
        if found.is_empty():
            return []
        running = known is not None and known.state is CampaignState.RUNNING
        begun = None if known is None else known.begun_at
        rows = [PlannedRow(*row) for row in found.iter_rows()]
        numbers = RowNumbers.of(() if known is None else known.readings)
        events = [planned_event(campaign, begun, row, numbers) for row in rows]
        states = self._states(folder, campaign)
        for row in rows:
            if row.chunk is None or row.position is None:
                continue
            sent = list(sending_events(campaign, row.position, entries_of(folder, row.chunk), running=running))
            events += sent
            events += self._settled(campaign, row.chunk, sent, states)
        return events + [delivery_event(campaign, state) for state in states]

    def _settled(
        self, campaign: str, chunk: int, sent: Sequence[Event], states: Sequence[dict[str, Any]]
    ) -> list[Event]:
        """Return what the chunk's first state proves, if its outcome is unknown or its ids couldn't be matched."""
        if any("message_id" in event.facts for event in sent):
            return []
        open_kinds = {EventKind.UNKNOWN, EventKind.ACCEPTED, EventKind.IN_THE_AIR}
        if not any(event.kind in open_kinds for event in sent):
            return []
        return [settled_event(campaign, state) for state in states if state["chunk"] == chunk][:1]

    def _states(self, folder: Store, campaign: str) -> list[dict[str, Any]]:
        if self._sought.phone_number is None:
            return []
        parts = [f"{folder.uri}/{key}" for key in state_keys(folder)]
        if not parts:
            return []
        rows = self._scan(parts).filter(self._sought.has_number()).collect()
        return best_known(rows.lazy()).with_columns(chunk=chunk_of_task(campaign)).collect().to_dicts()

    def _scan(self, uris: list[str]) -> pl.LazyFrame:
        if is_s3(uris[0]):
            return pl.scan_parquet(uris, glob=False, **self._s3().polars_options(split_uri(uris[0])[0]))
        return pl.scan_parquet([Path(uri).expanduser() for uri in uris], glob=False)


def _plan_key(folder: Store, document: CampaignOverview | None) -> str | None:
    """Return the key of the current plan; where campaign.json can't be read, of the only one."""
    if document is not None:
        return None if document.plan is None else plan_key(document.plan)
    plans = [*folder.list(PLANS)]
    if len(plans) > 1:
        raise ValueError(folder.uri)  # either may have been sent
    return plans[0] if plans else None
