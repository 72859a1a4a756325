"""A campaign that this run holds: nobody else plans or sends it meanwhile.

Until the first claim it is *planned*: a run with other settings or lists makes the plan again. Before its first
claim a run freezes plan and settings (`begin_sending`): from then on the campaign is *sending*, and everything
sent comes from that plan. Why no two runs mix plans, even if one of them lost its lease without noticing:

- Each plan is an object with its own name, never rewritten. Only campaign.json says which one counts.
- A run takes the lease, names a plan (`adopt`) and begins to send by compare-and-swap of campaign.json, each over the
  version it last saw. Taking the lease changes the version: after that, both writes of the earlier holder fail.
- If the earlier holder had begun to send by then, the next one sees it and keeps the plan. If not, the earlier holder
  never begins, and claims nothing: every claim follows a `begin_sending` of its run, or a document that says `sending`.
- A run works with one plan. If another one is current when it takes its lease again, it ends.
- `adopt` lists the older plans before its swap and deletes them after it. A run that has lost its lease fails the swap,
  so it can't delete a plan that a later run has written.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from globe_sms.tasks.campaign.campaign_json import (
    DOCUMENT_KEY,
    PLANS,
    CampaignDocument,
    ListRead,
    PlanFigures,
    ReplacedPlan,
    plan_key,
)
from globe_sms.tasks.campaign.lease import Lease, Owner, Renewal
from globe_sms.tasks.campaign.setting_differences import refuse_differences
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import CampaignBusyError, InputError, LeaseLostError, StoreError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

_CLAIMS: Final = "claims/"
_PATIENCE_SECONDS: Final = 45.0
_SWAP_TRIES: Final = 5


class Campaign:
    """A campaign that this run holds the lease of; use as a context manager, which gives the lease back.

    The lease keeps two runs from working side by side; it is the claims that keep them from sending twice.
    A thread renews it. While it isn't held (`held()` is False) no call may leave.

    `predecessor` is the lease of the dead run that this run took the campaign from; None if there was none.
    """

    def __init__(
        self,
        store: Store,
        campaign: str,
        *,
        stop: StopSignal,
        owner: Owner | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store.within(campaign)
        self.id = campaign
        self.owner = owner or Owner.here()
        self.predecessor: Lease | None = None
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._beginning = threading.Lock()
        self._plan: str | None = None
        self._document: CampaignDocument | None = None
        self._version = ""
        self._lease: Lease | None = None
        self._renewal: Renewal | None = None

    def open(self, settings: Mapping[str, Any], *, patience: float = _PATIENCE_SECONDS) -> None:
        """Take the lease (again, after `give_back`), if the settings are the frozen ones or none are frozen yet.

        Waits up to `patience` seconds for another run to end or for a dead run's lease to expire.

        Raises:
            InputError: the frozen settings differ, and the message lists how; the document can't be read; or claims
                exist, but the document doesn't say that the sending has begun.
            CampaignBusyError: another run is sending this campaign, and goes on; or another run made the plan again
                while this one had given back the lease.
        """
        deadline = self._clock() + patience
        while not self._take(settings):
            if self._clock() >= deadline:
                raise CampaignBusyError(
                    f"campaign {self.id!r} is being sent by another run ({self._holder()}); this run sent nothing. "
                    "Wait until it has ended, then run the same command again if rows are left."
                )
            if self._stop.wait(0.5):
                raise CampaignBusyError(f"campaign {self.id!r}: stopped while waiting for {self._holder()}.")
        self._renewal = Renewal(self.id, self.renew, self._stop)

    def give_back(self) -> None:
        """Give the lease back, so that others may have the campaign while this run waits for an answer.

        A store that doesn't answer keeps nobody out for longer than the lease: it expires by itself.
        """
        if self._renewal is not None:
            self._renewal.end()
        if self._document is None or not self._is_mine(self._document):
            return
        try:
            self._swap({"lease": None})
        except (StoreError, LeaseLostError, InputError):
            self._lease = None

    @property
    def document(self) -> CampaignDocument:
        """The document as this run last read or wrote it.

        Raises:
            ValueError: it hasn't been opened.
        """
        if self._document is None:
            raise ValueError(f"campaign {self.id!r} hasn't been opened")
        return self._document

    def use_plan(self) -> PlanFigures:
        """Return the current plan; from now on this run works with it and no other.

        Raises:
            ValueError: the campaign has no plan.
        """
        plan = self.document.plan
        if plan is None:
            raise ValueError(f"campaign {self.id!r} has no plan")
        self._plan = plan.id
        return plan

    def adopt(self, plan: PlanFigures, settings: Mapping[str, Any], lists: Sequence[ListRead]) -> None:
        """Make a stored plan the current one, and delete the earlier ones.

        Raises:
            LeaseLostError: another run has the lease.
            StoreError: the store didn't accept it.
            ValueError: the sending has begun.
        """
        document = self.document
        if document.sending_since is not None:
            raise ValueError(f"campaign {self.id!r} is being sent: its plan is frozen")
        others = set(self.store.list(PLANS)) - {plan_key(plan.id)}
        replaced = document.replaced
        if replaced is None and document.plan is not None:
            before = document.plan
            replaced = ReplacedPlan(
                settings=document.settings, lists=document.lists, inputs=before.inputs, rows=before.rows
            )
        self._swap(
            {"plan": plan, "settings": dict(settings), "lists": tuple(lists), "replaced": replaced, "is_erased": False}
        )
        self._plan = plan.id
        with contextlib.suppress(StoreError):  # the next plan's run deletes them
            for key in others:
                self.store.delete(key)

    def begin_sending(self) -> None:
        """Freeze the plan and the settings for good, before the first claim. Thread-safe; free after the first time.

        It also removes the sum of what the campaign used of the budgets, since sending changes it.

        Raises:
            LeaseLostError: another run has the lease.
            StoreError: it's uncertain whether they are frozen, so nothing may be claimed.
            ValueError: this run has no plan.
        """
        if self._has_begun():
            return
        with self._beginning:
            if self._has_begun():
                return
            if self._plan is None:
                raise ValueError(f"campaign {self.id!r}: this run has no plan")
            since = self.document.sending_since or datetime.fromtimestamp(self._clock(), UTC)
            self._swap({"sending_since": since, "replaced": None, "usage": None})

    def _has_begun(self) -> bool:
        return self.document.is_ahead_of_results

    def held(self) -> bool:
        """Whether this run holds the lease for the next seconds, by its own clock."""
        return self._lease is not None and self._lease.is_held(self._clock())

    def update(self, **fields: Any) -> None:
        """Write top-level fields of the document; see `CampaignDocument`.

        Raises:
            LeaseLostError: another run has the lease.
            StoreError: the store didn't accept it.
        """
        self._swap(fields)

    def renew(self) -> None:
        """Hold the lease for longer.

        Raises:
            LeaseLostError: another run has it.
            StoreError: the store didn't accept it.
        """
        self._swap({"lease": Lease.taken(self.owner, self._clock())})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def _take(self, settings: Mapping[str, Any]) -> bool:
        now = self._clock()
        lease = Lease.taken(self.owner, now)
        stored = self.store.get(DOCUMENT_KEY)
        if stored is None:
            self._refuse_claims()
            document = CampaignDocument(
                campaign=self.id, created_at=datetime.fromtimestamp(now, UTC), settings=dict(settings), lease=lease
            )
            version = self.store.put_if_absent(DOCUMENT_KEY, document.encode())
        else:
            document = self._document = CampaignDocument.decode(stored.body, self.store.uri)
            if document.sending_since is not None:
                refuse_differences(document, settings)
            if document.lease is not None and not document.lease.is_free(now, self.owner):
                return False
            self._refuse_another_plan(document)
            before = document.lease
            if document.sending_since is None:
                self._refuse_claims()
            if document.plan is None:
                document = document.changed(settings=dict(settings))
            document = document.changed(lease=lease)
            version = self.store.compare_and_swap(DOCUMENT_KEY, document.encode(), stored.version)
            if version is not None and before is not None and before.run != self.owner.run:
                self.predecessor = before
        if version is None:
            return False
        self._now_holds(document, version)
        return True

    def _refuse_claims(self) -> None:
        """Fail closed where campaign.json was lost or restored: another plan could text the same people again."""
        if next(iter(self.store.list(_CLAIMS)), None) is not None:
            raise InputError(
                f"{self.store.uri} has claims of calls that may have been made, but its {DOCUMENT_KEY} doesn't say "
                "that the sending has begun. Restore its latest version, or send under another --campaign and leave "
                "out the people who have the text with --exclude-results."
            )

    def _refuse_another_plan(self, document: CampaignDocument) -> None:
        if self._plan is not None and (document.plan is None or document.plan.id != self._plan):
            raise CampaignBusyError(
                f"campaign {self.id!r} was planned again by another run, with other settings or lists, while this one "
                "waited for an answer; this run sent nothing. Run the same command again to see the new plan."
            )

    def _is_mine(self, document: CampaignDocument) -> bool:
        return document.lease is not None and document.lease.run == self.owner.run

    def _holder(self) -> str:
        lease = None if self._document is None else self._document.lease
        return "an unknown run" if lease is None else str(lease)

    def _swap(self, fields: Mapping[str, Any]) -> None:
        with self._lock:
            for _ in range(_SWAP_TRIES):
                document = self.document.changed(**fields)
                version = self.store.compare_and_swap(DOCUMENT_KEY, document.encode(), self._version)
                if version is not None:
                    self._now_holds(document, version)
                    return
                # A write of this run may have been taken though no answer of it came: then the lease is still ours.
                stored = self.store.get(DOCUMENT_KEY)
                if stored is None:  # a write of this run broke off, and the server kept nothing of either
                    version = self.store.put_if_absent(DOCUMENT_KEY, document.encode())
                    if version is None:
                        break
                    self._now_holds(document, version)
                    return
                if not self._is_mine(CampaignDocument.decode(stored.body, self.store.uri)):
                    break
                self._version = stored.version
            raise LeaseLostError(
                f"campaign {self.id!r} was taken over by another run; this one has stopped and sends nothing more."
            )

    def _now_holds(self, document: CampaignDocument, version: str) -> None:
        self._document, self._version, self._lease = document, version, document.lease
