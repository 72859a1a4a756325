"""How long one waits for an answer about campaigns: `campaigns`, `show` and `explain`, each a process of its own.

    python -m tests.benchmarks.bench_inquiry [--rows 1000000] [--campaigns 300]

One campaign of a million rows in calls of 250, sent and tracked, and 300 small ones, on a real S3 server on this
machine and in a local directory. Each time is the median of three runs, from the start of the process to its end.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from globe_sms.deployments.sandbox.s3_server import S3Server
from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import PlanFigures, PlanInputs, Summary, plan_key
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.campaign.send_record import Attempt, Claim, SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA, Origin
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.plan_rows import plan_rows
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.store import LocalStore, S3Store, Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.statuses import STATUSES, Delivery
from globe_sms.tasks.vocabulary.stop_signal import StopSignal
from tests.benchmarks.printed_table import print_table, say

NUMBERS_A_CALL = 250
PARTS_OF_THE_ARCHIVE = 50
SETTINGS = {"recipients": ["s3://lists/a.parquet"], "message": "Hello", "type": "NOTIFY", "numbers_per_call": 250}
BEGAN = datetime(2026, 11, 24, 9, tzinfo=UTC)
WRITERS = 16
RUNS = 3


def keep_campaign(store: Store, name: str, rows: int, scratch: Path) -> None:
    """Leave a campaign as a run and its tracking leave it: all accepted, all delivered."""
    with Campaign(store, name, stop=StopSignal()) as campaign:
        campaign.open(SETTINGS)
        digits = pl.int_range(6_581_000_000, 6_581_000_000 + rows, eager=True)
        judged = pl.LazyFrame(
            {
                "source": ["s3://lists/a.parquet"] * rows,
                "row": pl.int_range(rows, eager=True, dtype=pl.UInt64),
                "recipient": digits.cast(pl.String),
                "e164": digits,
                "region": ["SG"] * rows,
            }
        ).with_columns(status=pl.lit(None, dtype=pl.Enum(STATUSES)), reason=pl.lit(None, dtype=pl.String))
        plan = FrozenPlan(plan_rows(judged, NUMBERS_A_CALL, "plan", scratch))
        campaign.store.put_file(plan_key(plan.id), plan.path)
        chunks = plan.chunk_count()
        inputs = PlanInputs(numbers_per_call=NUMBERS_A_CALL)
        campaign.adopt(PlanFigures(id=plan.id, inputs=inputs, rows=plan.counts(), chunks=chunks), SETTINGS, ())
        campaign.begin_sending()
        ledger = Ledger(campaign.store, Spill(scratch / "spill", campaign.store.uri))

        def send(chunk: int) -> None:
            at = BEGAN.timestamp() + chunk
            ledger.claim(Claim(chunk, 0, "r" * 32, "host", at, at, "f" * 64))
            size = min(NUMBERS_A_CALL, rows - chunk * NUMBERS_A_CALL)
            first = chunk * NUMBERS_A_CALL
            attempt = Attempt(f"{name}-{chunk}-1", at + 0.5, "accepted", "OK", f"request-{chunk}", "")
            ledger.settle(
                SendRecord(
                    chunk=chunk,
                    submission=0,
                    run="r" * 32,
                    settlement=Settlement.ACCEPTED,
                    reason=None,
                    code="OK",
                    description="The SMS Send Request was accepted",
                    request_id=f"request-{chunk}",
                    sent_at=at,
                    fingerprint="f" * 64,
                    message_ids={place: f"{10**17 + first + place}" for place in range(size)},
                    attempts=(attempt,),
                )
            )

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(send, range(chunks)))
        archive = DeliveryArchive(campaign.store, scratch)
        states = pl.DataFrame({"digits": digits}).select(
            message_id=(10**17 + pl.int_range(pl.len())).cast(pl.String),
            phone_number=pl.format("+{}", "digits"),
            task_id=pl.format("{}-{}-1", pl.lit(name), pl.int_range(pl.len()) // NUMBERS_A_CALL),
            delivery=pl.lit(Delivery.DELIVERED.value),
            delivery_code=pl.lit("DELIVERED"),
            delivered_at=pl.lit(BEGAN + timedelta(minutes=5)),
            submitted_at=pl.lit(BEGAN),
            parts=pl.lit(1),
            carrier=pl.lit("Singtel"),
            origin=pl.lit(Origin.QUERY.value),
            seen_at=pl.lit(BEGAN + timedelta(hours=1)),
        )
        for part in states.cast(STATE_SCHEMA).iter_slices(-(-rows // min(PARTS_OF_THE_ARCHIVE, rows))):
            archive.append(part)
        path, counts = account_for(plan, ledger, campaign.store, scratch, campaign=name, not_sent="stopped", segments=1)
        campaign.store.put_file(RESULTS_KEY, path)
        campaign.update(
            summary=Summary(
                campaign=name, results=campaign.store.uri, counts=counts, calls=chunks, seconds=float(chunks)
            ),
            deliveries={"delivered": rows, "undelivered": 0, "expired": 0, "pending": 0},
        )


def timed(command: list[str], environment: Mapping[str, str]) -> float:
    """Run a command; return its seconds."""
    began = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).with_name("globe-sms")), *command],
        env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - began


def main() -> None:
    """Make the campaigns, ask, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--campaigns", type=int, default=300)
    given = options.parse_args()
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="globe-sms-bench-") as folder, S3Server("bench") as server:
        os.environ.update(server.environment)
        client = S3Access.from_environment().client()
        large = f"+{6_581_000_000 + given.rows // 2}"
        places: dict[str, Callable[[str], Store]] = {
            "local": lambda name: LocalStore(Path(folder) / name),
            "S3": lambda name: S3Store(client, "bench", name),
        }
        for place, open_store in places.items():
            for name, rows_each, campaigns in (("large", given.rows, 1), ("many", 20, given.campaigns)):
                say(f"{place}: making {campaigns} campaigns of {rows_each:,} rows")
                for number in range(campaigns):
                    scratch = Path(folder) / "scratch" / place / name / str(number)
                    scratch.mkdir(parents=True)
                    keep_campaign(open_store(name), f"c{number}", rows_each, scratch)
            for what, command in (
                ("--help", ["--help"]),
                (f"campaigns, {given.campaigns}", ["campaigns", open_store("many").uri]),
                (f"show, {given.rows:,} rows", ["show", "c0", "--results", open_store("large").uri]),
                (f"explain, {given.rows:,} rows", ["explain", large, "--results", open_store("large").uri]),
                (
                    f"explain, {given.campaigns} campaigns",
                    ["explain", "+6581000003", "--results", open_store("many").uri],
                ),
            ):
                say(f"{place}: {what}")
                taken = [timed(command, server.environment) for _ in range(RUNS)]
                rows.append([what, place, f"{statistics.median(taken):.2f}", f"{max(taken):.2f}"])
    print_table("Questions, from start to end of the process", ["command", "place", "seconds", "longest"], rows)


if __name__ == "__main__":
    main()
