"""`campaign.json`: the settings that a campaign was frozen with, who is sending it now, and how it ended."""

import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import (
    CampaignBusyError,
    InputError,
    LeaseLostError,
    StoreError,
    StoreUnavailableError,
)
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal

LEASE_SECONDS = 20.0
_RENEW_SECONDS = 5.0
_MARGIN_SECONDS = 3.0  # more than the clocks of two machines may differ by
_PATIENCE_SECONDS = 45.0
PLAN_KEY = "plan.parquet"
DOCUMENT_KEY = "campaign.json"
_FORMAT = 1
_SWAP_TRIES = 5

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """One run of a campaign: an id of its own, and where it runs, so that a dead one is told at once."""

    run: str
    host: str
    process: str

    @classmethod
    def here(cls) -> Self:
        """Describe this process."""
        return cls(uuid.uuid4().hex, platform.node(), f"{_namespace()}:{os.getpid()}:{_started(os.getpid())}")

    def is_dead_neighbour_of(self, other: "Owner") -> bool:
        """Whether this owner ran in `other`'s process namespace on its machine, and runs no more.

        False where that cannot be told; its lease has to expire then.
        """
        namespace, _, rest = self.process.partition(":")
        if not namespace or self.host != other.host or namespace != other.process.partition(":")[0]:
            return False
        pid, _, started = rest.partition(":")
        return bool(started) and _started(int(pid)) != started


def settings_of(store: Store, campaign: str) -> Mapping[str, Any] | None:
    """Return the settings that a campaign's plan was frozen with; None while there is no plan."""
    folder = store.within(campaign)
    stored = folder.get(DOCUMENT_KEY)
    if stored is None or PLAN_KEY not in folder.list(PLAN_KEY):
        return None
    return json.loads(stored.body)["settings"]


def lease_is_free(lease: Mapping[str, Any], now: float, here: Owner) -> bool:
    """Whether nobody holds this lease any more at Unix time `now`: it has expired, or its run is seen to be dead."""
    if now > float(lease["until"]) + _MARGIN_SECONDS:
        return True
    return Owner(lease["run"], lease["host"], lease["process"]).is_dead_neighbour_of(here)


class Campaign:
    """A campaign that this run holds the lease of; use as a context manager, which gives the lease back.

    The lease keeps two runs from working side by side; it is the claims that keep them from sending twice.
    A thread renews it. While it is not held (`held()` is False) no call may leave.
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
        self._document: Document = {}
        self._version = ""
        self._until = 0.0
        self._done = threading.Event()
        self._keeper: threading.Thread | None = None

    def open(self, settings: Mapping[str, Any], *, patience: float = _PATIENCE_SECONDS) -> None:
        """Freeze the settings, or check them against the frozen ones, and take the lease (again, after `give_back`).

        Waits up to `patience` seconds for another run to end or for a dead run's lease to expire.

        Raises:
            InputError: the frozen settings differ; the message lists how.
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
        self._done.clear()
        self._keeper = threading.Thread(target=self._keep, name=f"lease-{self.id}", daemon=True)
        self._keeper.start()

    def give_back(self) -> None:
        """Give the lease back, so that others may have the campaign while this run waits for somebody's answer.

        A store that does not answer keeps nobody out for longer than the lease: it expires by itself.
        """
        self._done.set()
        if self._keeper is not None:
            self._keeper.join()
        try:
            if (self._document.get("lease") or {}).get("run") == self.owner.run:
                self._swap({"lease": None})
        except (StoreError, LeaseLostError):
            self._until = 0.0

    @property
    def document(self) -> Document:
        """The document as this run last read or wrote it (a copy)."""
        return json.loads(json.dumps(self._document))

    def held(self) -> bool:
        """Whether this run holds the lease for the next seconds, by its own clock."""
        return self._clock() < self._until - _MARGIN_SECONDS

    def update(self, **fields: Any) -> None:
        """Write top-level fields of the document (the plan's figures, the summary).

        Raises:
            LeaseLostError: another run has the lease.
            StoreError: the store did not take it.
        """
        self._swap(fields)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def _take(self, settings: Mapping[str, Any]) -> bool:
        now = self._clock()
        stored = self.store.get(DOCUMENT_KEY)
        if stored is None:
            document: Document = {
                "campaign": self.id,
                "format": _FORMAT,
                "created_at": datetime.fromtimestamp(now, UTC).isoformat(),
                "settings": dict(settings),
                "plan": None,
                "summary": None,
                "lease": self._lease(now),
            }
            version = self.store.put_if_absent(DOCUMENT_KEY, _encode(document))
        else:
            document = json.loads(stored.body)
            self._document = document
            if self._planned(document):
                _refuse_differences(self.id, document["settings"], settings)
            lease = document.get("lease")
            if lease is not None and not lease_is_free(lease, now, self.owner):
                return False
            document["settings"] = dict(settings)
            document["lease"] = self._lease(now)
            version = self.store.compare_and_swap(DOCUMENT_KEY, _encode(document), stored.version)
        if version is None:
            return False
        self._now_holds(document, version)
        return True

    def _planned(self, document: Mapping[str, Any]) -> bool:
        """Whether the plan is frozen, and the settings with it; until then a mended setting is no difference."""
        return document.get("plan") is not None or PLAN_KEY in self.store.list(PLAN_KEY)

    def _lease(self, now: float) -> Document:
        # The nonce makes every body unlike any other: a swap whose reply was lost is recognised by it.
        return {
            "run": self.owner.run,
            "host": self.owner.host,
            "process": self.owner.process,
            "until": now + LEASE_SECONDS,
            "nonce": uuid.uuid4().hex,
        }

    def _holder(self) -> str:
        lease = self._document.get("lease") or {}
        return f"run {str(lease.get('run', '?'))[:8]} on {lease.get('host', '?')}"

    def _keep(self) -> None:
        while not self._done.wait(_RENEW_SECONDS):
            try:
                self._swap({"lease": self._lease(self._clock())})
            except StoreUnavailableError:
                continue  # held() turns False meanwhile, and True again once the store takes a renewal
            except (LeaseLostError, StoreError) as error:
                self._stop.set(Stop(StopCause.LEASE_LOST, str(error)))
                return

    def _swap(self, fields: Mapping[str, Any]) -> None:
        with self._lock:
            for _ in range(_SWAP_TRIES):
                document = {**self._document, **fields}
                version = self.store.compare_and_swap(DOCUMENT_KEY, _encode(document), self._version)
                if version is not None:
                    self._now_holds(document, version)
                    return
                # A write of this run may have been taken though no answer of it came: then the lease is still ours.
                stored = self.store.get(DOCUMENT_KEY)
                if stored is None:  # a write of this run broke off, and the server kept nothing of either
                    version = self.store.put_if_absent(DOCUMENT_KEY, _encode(document))
                    if version is None:
                        break
                    self._now_holds(document, version)
                    return
                if (json.loads(stored.body).get("lease") or {}).get("run") != self.owner.run:
                    break
                self._version = stored.version
            raise LeaseLostError(
                f"campaign {self.id!r} was taken over by another run; this one has stopped and sends nothing more."
            )

    def _now_holds(self, document: Document, version: str) -> None:
        self._document, self._version = document, version
        lease = document["lease"]
        self._until = 0.0 if lease is None else float(lease["until"])


def _encode(document: Document) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _refuse_differences(campaign: str, frozen: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    keys = sorted({*frozen, *given})
    differences = [
        f"  {key}: frozen {frozen.get(key)!r}, now {given.get(key)!r}"
        for key in keys
        if frozen.get(key) != given.get(key)
    ]
    if differences:
        raise InputError(
            f"campaign {campaign!r} was begun with other settings, which a resume must keep:\n"
            + "\n".join(differences)
            + "\nRun it with the frozen settings, or give another --campaign."
        )


def _namespace() -> str:
    """Tell this machine's boot and process namespace apart from others; empty where /proc does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}".replace(":", "")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot (proc(5), field 22), so that a reused id is told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
