"""A campaign that this run holds: its settings are frozen, and nobody else sends it meanwhile."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument
from globe_sms.tasks.campaign.lease import Lease, Owner, Renewal
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import CampaignBusyError, InputError, LeaseLostError, StoreError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

PLAN_KEY: Final = "plan.parquet"
_PATIENCE_SECONDS: Final = 45.0
_SWAP_TRIES: Final = 5


def settings_of(store: Store, campaign: str) -> Mapping[str, Any] | None:
    """Return the settings that a campaign's plan was frozen with; None before the plan is frozen.

    Raises:
        InputError: its document can't be read.
    """
    folder = store.within(campaign)
    stored = folder.get(DOCUMENT_KEY)
    if stored is None or PLAN_KEY not in folder.list(PLAN_KEY):
        return None
    return CampaignDocument.decode(stored.body, folder.uri).settings


class Campaign:
    """A campaign that this run holds the lease of; use as a context manager, which gives the lease back.

    The lease keeps two runs from working side by side; it is the claims that keep them from sending twice.
    A thread renews it. While it isn't held (`held()` is False) no call may leave.
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
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._document: CampaignDocument | None = None
        self._version = ""
        self._lease: Lease | None = None
        self._renewal: Renewal | None = None

    def open(self, settings: Mapping[str, Any], *, patience: float = _PATIENCE_SECONDS) -> None:
        """Freeze the settings, or check them against the frozen ones, and take the lease (again, after `give_back`).

        Waits up to `patience` seconds for another run to end or for a dead run's lease to expire.

        Raises:
            InputError: the frozen settings differ, and the message lists how; or the document can't be read.
            CampaignBusyError: another run is sending this campaign, and goes on.
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
        self._renewal = Renewal(self.id, self._renew, self._stop)

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

    def held(self) -> bool:
        """Whether this run holds the lease for the next seconds, by its own clock."""
        return self._lease is not None and self._lease.is_held(self._clock())

    def update(self, **fields: Any) -> None:
        """Write top-level fields of the document; see `CampaignDocument`.

        Raises:
            LeaseLostError: another run has the lease.
            StoreError: the store didn't take it.
        """
        self._swap(fields)

    def begin_usage(self) -> None:
        """Note that what this campaign has used of budgets isn't summed up, before the first claim adds to it.

        Raises:
            LeaseLostError: another run has the lease.
            StoreError: the store didn't take it.
        """
        if self.document.usage is not None:
            self._swap({"usage": None})

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
            document = CampaignDocument(
                campaign=self.id, created_at=datetime.fromtimestamp(now, UTC), settings=dict(settings), lease=lease
            )
            version = self.store.put_if_absent(DOCUMENT_KEY, document.encode())
        else:
            document = self._document = CampaignDocument.decode(stored.body, self.store.uri)
            if self._is_planned(document):
                _refuse_differences(self.id, document.settings, settings)
            if document.lease is not None and not document.lease.is_free(now, self.owner):
                return False
            document = document.changed(settings=dict(settings), lease=lease)
            version = self.store.compare_and_swap(DOCUMENT_KEY, document.encode(), stored.version)
        if version is None:
            return False
        self._now_holds(document, version)
        return True

    def _is_planned(self, document: CampaignDocument) -> bool:
        """Whether the plan and its settings are frozen; until then, settings may change."""
        return document.plan is not None or PLAN_KEY in self.store.list(PLAN_KEY)

    def _is_mine(self, document: CampaignDocument) -> bool:
        return document.lease is not None and document.lease.run == self.owner.run

    def _holder(self) -> str:
        lease = None if self._document is None else self._document.lease
        return "an unknown run" if lease is None else str(lease)

    def _renew(self) -> None:
        self._swap({"lease": Lease.taken(self.owner, self._clock())})

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


def _refuse_differences(campaign: str, frozen: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    keys = sorted({*frozen, *given})
    differences = [
        f"  {key}: frozen {frozen.get(key)!r}, now {given.get(key)!r}"
        for key in keys
        if frozen.get(key) != given.get(key)
    ]
    if differences:
        raise InputError(
            f"campaign {campaign!r} was started with other settings, and a resume must keep them:\n"
            + "\n".join(differences)
            + "\nRun it with the frozen settings, or give another --campaign."
        )
