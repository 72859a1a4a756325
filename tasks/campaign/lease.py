"""Who may send a campaign now: the lease in campaign.json, its renewal, and when it is free for another run."""

import os
import platform
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from globe_sms.tasks.vocabulary.errors import InputError, LeaseLostError, StoreError, StoreUnavailableError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal

LEASE_SECONDS: Final = 20.0
_RENEW_SECONDS: Final = 5.0
_MARGIN_SECONDS: Final = 3.0  # more than the clocks of two machines may differ by


@dataclass(frozen=True, slots=True)
class Owner:
    """One run of a campaign: its id, and where it runs, so that a dead run on this machine is noticed at once.

    `flow_run` is the id of its flow run in Prefect; empty without one.
    """

    run: str
    host: str
    process: str
    flow_run: str = ""

    @classmethod
    def here(cls, flow_run: str = "") -> Self:
        """Describe this process, which carries out that flow run."""
        process = f"{_namespace()}:{os.getpid()}:{_started(os.getpid())}"
        return cls(uuid.uuid4().hex, platform.node(), process, flow_run)

    def is_dead_neighbour_of(self, other: "Owner") -> bool:
        """Whether this owner ran in `other`'s process namespace on its machine, and runs no more.

        False where that can't be seen; then its lease has to expire.
        """
        namespace, _, rest = self.process.partition(":")
        if not namespace or self.host != other.host or namespace != other.process.partition(":")[0]:
            return False
        pid, _, started = rest.partition(":")
        return bool(started) and _started(int(pid)) != started


@dataclass(frozen=True, slots=True)
class Lease:
    """A run's right to send a campaign; `until` is a Unix time in seconds.

    The nonce makes every document unlike any other: a swap whose reply was lost is recognised by it.
    """

    run: str
    host: str
    process: str
    until: float
    nonce: str
    flow_run: str = ""

    @classmethod
    def taken(cls, owner: Owner, now: float) -> Self:
        """Return the lease that `owner` takes, or renews, at Unix time `now`."""
        return cls(owner.run, owner.host, owner.process, now + LEASE_SECONDS, uuid.uuid4().hex, owner.flow_run)

    @property
    def taken_at(self) -> datetime:
        """When it was taken or last renewed."""
        return datetime.fromtimestamp(self.until - LEASE_SECONDS, UTC)

    @property
    def expires_at(self) -> datetime:
        """When it ends if it isn't renewed."""
        return datetime.fromtimestamp(self.until, UTC)

    def is_held(self, now: float) -> bool:
        """Whether its run may act on it for the next seconds, with room for clocks that differ."""
        return now < self.until - _MARGIN_SECONDS

    def is_free(self, now: float, here: Owner) -> bool:
        """Whether nobody holds it any more: it has expired, or its run is seen to be dead from `here`."""
        if now > self.until + _MARGIN_SECONDS:
            return True
        return Owner(self.run, self.host, self.process).is_dead_neighbour_of(here)

    def __str__(self) -> str:
        """Name its run and machine."""
        return f"run {self.run[:8]} on {self.host}"


class Renewal:
    """A thread that renews a lease every five seconds; it stops the run once the lease is lost."""

    def __init__(self, campaign: str, renew: Callable[[], None], stop: StopSignal) -> None:
        self._renew = renew
        self._stop = stop
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease-{campaign}", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Renew no more; returns when the thread has ended."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_RENEW_SECONDS):
            try:
                self._renew()
            except StoreUnavailableError:
                continue  # the lease isn't held meanwhile, and is again once the store takes a renewal
            except (LeaseLostError, StoreError, InputError) as error:
                self._stop.set(Stop(StopCause.LEASE_LOST, str(error)))
                return


def _namespace() -> str:
    """Tell this machine's boot and process namespace from others; empty where /proc doesn't say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}".replace(":", "")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot (proc(5), field 22): a process id may be used again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
