"""The log of arrivals, the tests' evidence: what arrived, when, and what was accepted.

One JSON object per line, on disk before the answer leaves, so killing the caller or the gateway loses none. `accepted`
says what really happened, whatever the caller was told.
"""

import json
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from globe_sms.deployments.sandbox.gateway.rate_window import busiest_second


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request and its outcome.

    `wall` (seconds since the epoch) and `monotonic` (seconds of the machine's monotonic clock) are the arrival of the
    headers; `duration` is the seconds until the answer leaves, including planned latency, and None for `hang`.
    `status` is None if no complete answer left. `admitted` says whether the call was signed and within the rate.
    `accepted` maps numbers to MessageIds; with `log_numbers: false` it, `numbers` and `failed` are empty, and only the
    counts are kept. `validity` is the call's ValidityPeriod in seconds.
    """

    sequence: int
    wall: float
    monotonic: float
    key_id: str
    nonce: str
    task_id: str
    request_id: str
    in_air: int
    admitted: bool
    code: str
    status: int | None
    fault: str | None
    duration: float | None
    count: int
    accepted_count: int
    failed_count: int
    sender: str
    numbers: list[str]
    accepted: dict[str, str]
    failed: list[str]
    messages: list[str] | None = None
    validity: int | None = None

    @classmethod
    def read(cls, line: str | bytes) -> "Arrival":
        """Parse a line of the log."""
        return cls(**json.loads(line))


class Stats(BaseModel):
    """Counts of the log; `max_*` cover all accounts together, `accounts` has each one."""

    model_config = ConfigDict(frozen=True)

    calls: int
    admitted: int
    throttled: int
    refused: int
    faults: int
    accepted_calls: int
    accepted_numbers: int
    accepted_twice: int
    max_in_second: int
    max_admitted_in_second: int
    max_in_air: int
    first_arrival: float | None
    last_arrival: float | None
    accounts: dict[str, dict[str, int]]


class ArrivalLog:
    """Appends arrivals to a file and keeps counts; an existing file is read and continued.

    Not thread-safe: it belongs to one event loop.
    """

    def __init__(self, path: Path, *, log_numbers: bool = True) -> None:
        self.path = path
        self._log_numbers = log_numbers
        self._forget()
        whole = 0
        if path.exists():
            with path.open("rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):  # the process was killed while it wrote
                        break
                    whole += len(line)
                    arrival = Arrival.read(line)
                    self._count(arrival, arrival.accepted)
        self._file = path.open("ab", buffering=0)
        self._file.truncate(whole)

    def _forget(self) -> None:
        self.sequence = 0
        self._totals: dict[str, int] = dict.fromkeys(
            ("admitted", "throttled", "refused", "faults", "accepted_calls", "accepted_numbers", "accepted_twice"), 0
        )
        self._seen: set[str] = set()
        self._times: dict[str, tuple[array[float], array[float]]] = {}
        self._max_in_air = 0

    def next_sequence(self) -> int:
        """Return the next arrival's sequence number; the first is 1."""
        self.sequence += 1
        return self.sequence

    def write(self, arrival: Arrival) -> None:
        """Count and write an arrival; it has left the process when this returns."""
        self._count(arrival, arrival.accepted)
        record: dict[str, Any] = {name: getattr(arrival, name) for name in Arrival.__slots__}
        if not self._log_numbers:
            record.update(numbers=[], accepted={}, failed=[])
        self._file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def _count(self, arrival: Arrival, accepted: dict[str, str]) -> None:
        self.sequence = max(self.sequence, arrival.sequence)
        totals = self._totals
        totals["admitted"] += arrival.admitted
        totals["throttled"] += arrival.code in {"Throttling.User", "QPS_LIMIT_CONTROL"}
        totals["refused"] += arrival.code != "OK" and not arrival.accepted_count
        totals["faults"] += arrival.fault is not None
        totals["accepted_calls"] += arrival.accepted_count > 0
        totals["accepted_numbers"] += arrival.accepted_count
        before = len(self._seen)
        self._seen.update(accepted)
        totals["accepted_twice"] += len(accepted) - (len(self._seen) - before)
        every, admitted = self._times.setdefault(arrival.key_id, (array("d"), array("d")))
        every.append(arrival.monotonic)
        if arrival.admitted:
            admitted.append(arrival.monotonic)
        self._max_in_air = max(self._max_in_air, arrival.in_air)

    def stats(self) -> Stats:
        """Return counts since the start or the last reset."""
        every = [time for times, _ in self._times.values() for time in times]
        return Stats(
            calls=len(every),
            **self._totals,
            max_in_second=busiest_second(every),
            max_admitted_in_second=busiest_second([time for _, times in self._times.values() for time in times]),
            max_in_air=self._max_in_air,
            first_arrival=min(every, default=None),
            last_arrival=max(every, default=None),
            accounts={
                key_id: {
                    "calls": len(times),
                    "admitted": len(admitted),
                    "max_in_second": busiest_second(times),
                    "max_admitted_in_second": busiest_second(admitted),
                }
                for key_id, (times, admitted) in self._times.items()
            },
        )

    def reset(self) -> None:
        """Forget every arrival, on disk too; duplicates are counted from zero."""
        self._file.truncate(0)
        self._forget()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
