"""One side of the measurements of lists, in a process of its own: what it does, how long, and its peak memory.

    python -m tests.benchmarks.list_workloads SIDE ...

S3 is found by AWS's variables. Prints one JSON object: seconds and cpu (CPU seconds of all threads), both without
imports and preparations, and peak (MB).
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from globe_sms.tasks.campaign.campaign_json import PLANS
from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.results.join_plan_and_ledger import make_results, write_results
from globe_sms.tasks.results.ledger_answers import Answers, gather
from globe_sms.tasks.store import S3Store
from globe_sms.tasks.store.s3_access import S3Access, split_uri
from tests.benchmarks.measured_process import peak_mb

ORDER = {"message": "hello", "type": MessageType.NOTIFY}
_DIGITS = r"regexp_replace(phone, '[^0-9]', '', 'g')"


@dataclass(frozen=True, slots=True)
class Spent:
    """What the work itself took: seconds, and CPU seconds of the process."""

    seconds: float
    cpu: float


class Watch:
    """Measures what the work takes from its making on."""

    def __init__(self) -> None:
        self._start, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> Spent:
        """Return what was spent since."""
        return Spent(time.perf_counter() - self._start, time.process_time() - self._cpu)


def copy(source: str, target: str) -> Spent:
    """Scan and sink an object, S3 to S3: the floor."""
    options = S3Access.from_environment().polars_options()
    watch = Watch()
    if source.endswith((".csv", "/")):
        rows = pl.scan_csv(source, infer_schema=False, **options)
    else:
        rows = pl.scan_parquet(source, **options)
    rows.sink_parquet(target, compression="zstd", engine="streaming", **options)
    return watch.spent()


def plan(source: str, results: str) -> Spent:
    """Make and freeze the plan of a list on S3, in a store on S3."""
    access = S3Access.from_environment()
    config = CampaignConfig.checked(recipients=(source,), results=results, number_column="phone", **ORDER)
    store = S3Store(access.client(), *split_uri(results))
    for key in store.list(PLANS):
        store.delete(key)
    with tempfile.TemporaryDirectory() as scratch:
        watch = Watch()
        make_plan(config, store, lambda: access, Path(scratch))
        return watch.spent()


def duckdb(source: str, target: str) -> Spent:
    """DuckDB: digits by one pattern, a filter by another, each number once. Local: its S3 part is a download."""
    import duckdb as database

    reader = f"read_csv('{source}', all_varchar = true)" if source.endswith(".csv") else f"read_parquet('{source}')"
    watch = Watch()
    database.sql(
        f"COPY (SELECT DISTINCT {_DIGITS} AS number FROM {reader} "  # noqa: S608  # paths of our own
        f"WHERE regexp_matches({_DIGITS}, '^[1-9][0-9]{{6,14}}$')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return watch.spent()


def send_records(results: str, target: str) -> Spent:
    """Write a receipt for each chunk of the frozen plan, all accepted, one JSON a line."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as scratch:
        found = _frozen(results, Path(scratch))
        count = found.chunk_count()
        with Path(target).open("wb") as file:
            for first in range(0, count, 2_000):
                chunks = found.chunks(first, min(count, first + 2_000) - 1)
                file.writelines(_receipt(chunk.index, len(chunk.phone_numbers)).encode() + b"\n" for chunk in chunks)
    return watch.spent()


def write(results: str, send_records: str) -> Spent:
    """Join the frozen plan with its receipts (read from a file, decoded as the ledger does), and put the results."""
    store = S3Store(S3Access.from_environment().client(), *split_uri(results))
    with tempfile.TemporaryDirectory() as scratch, Path(send_records).open("rb") as file:
        found = _frozen(results, Path(scratch))
        histories = {index: History((Settlement.ACCEPTED,)) for index in range(found.chunk_count())}
        watch = Watch()

        @lru_cache(maxsize=1)
        def answers_of(chunks: range) -> Answers:
            block = {index: histories[index] for index in chunks}
            return gather(block, _read(file, chunks))

        def joined(rows: pl.LazyFrame, chunks: range) -> pl.LazyFrame:
            return make_results(rows, answers_of(chunks), "campaign", "stopped", to_write=True)

        path, _ = write_results(found, joined, Path(scratch))
        store.put_file(RESULTS_KEY, path)
        return watch.spent()


def _frozen(results: str, scratch: Path) -> FrozenPlan:
    store = S3Store(S3Access.from_environment().client(), *split_uri(results))
    (key,) = store.list(PLANS)
    path = scratch / "plan.parquet"
    store.fetch(key, path)
    return FrozenPlan(path)


def _receipt(chunk: int, numbers: int) -> SendRecord:
    ids: Mapping[int, str] = {place: f"{place:04}{chunk:06}^12401{chunk * 250 + place:012}" for place in range(numbers)}
    return SendRecord(
        chunk=chunk,
        submission=0,
        run="0" * 32,
        settlement=Settlement.ACCEPTED,
        reason=None,
        code="OK",
        description="OK",
        request_id=f"B7700B8E-227E-5886-9564-{chunk:012X}",
        sent_at=1_795_000_000.0 + chunk,
        fingerprint="0" * 64,
        message_ids=ids,
    )


def _read(file: Iterator[bytes], chunks: range) -> Iterator[SendRecord]:
    for _ in chunks:
        yield SendRecord.decode(next(file))


SIDES = {"copy": copy, "plan": plan, "duckdb": duckdb, "receipts": send_records, "write": write}


def main() -> None:
    """Do one side and print its figures."""
    spent = SIDES[sys.argv[1]](*sys.argv[2:])
    # ru_maxrss would be the parent's peak where that has had more.
    print(json.dumps({"seconds": spent.seconds, "cpu": spent.cpu, "peak": peak_mb(os.getpid())}))


if __name__ == "__main__":
    main()
