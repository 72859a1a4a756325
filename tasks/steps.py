"""The steps of a campaign, each a thin Prefect task over the modules that do the work."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import phonenumbers
import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.errors import LeaseLostError, StoreUnavailableError
from tasks.ledger import ChunkState, History
from tasks.order import OnUnknown
from tasks.plan import FrozenPlan
from tasks.planning import plan_lists
from tasks.report import CampaignReport, ReasonCount
from tasks.results import RESULTS_KEY, gather, make_results, write_results
from tasks.run import Run
from tasks.statuses import Status
from tasks.stopping import StopCause
from tasks.store import Store

_STORE_PATIENCE = 120.0
_SUMMED_UP = (Status.DUPLICATE, Status.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Todo:
    """What is left to present: chunks that were never taken, and unknown ones that are to be sent again."""

    chunks: tuple[int, ...]
    resent: tuple[int, ...]
    histories: Mapping[int, History]
    numbers: int


@task(name="plan-campaign", cache_policy=NO_CACHE, persist_result=False)
def plan_campaign(run: Run) -> FrozenPlan:
    """Read the lists, judge every row, mark duplicates, cut chunks, freeze; or load what was frozen before.

    Raises:
        InputError: a list cannot be read as it stands; nothing was frozen.
    """
    frozen = FrozenPlan.load(run.order.fingerprint(), run.store, run.scratch)
    if frozen is None:
        frozen, sources = plan_lists(run.order, run.store, run.s3, run.scratch, run.sources)
        run.campaign.update(lists=[{"uri": source.uri, "identity": source.identity} for source in sources])
    run.campaign.update(
        plan={
            "rows": frozen.counts(),
            "chunks": frozen.chunk_count(),
            "phonenumbers": phonenumbers.__version__,
        }
    )
    return frozen


@task(name="read-ledger", cache_policy=NO_CACHE, persist_result=False)
def read_ledger(run: Run, plan: FrozenPlan) -> Todo:
    """Say which chunks are left, from two listings of the ledger."""
    run.ledger.recover()
    histories = run.ledger.histories()
    resend = run.order.on_unknown is OnUnknown.RESEND
    states = {index: histories.get(index, History()).state for index in range(plan.chunk_count())}
    resent = tuple(index for index, state in states.items() if state is ChunkState.UNKNOWN and resend)
    wanted = {ChunkState.OPEN, ChunkState.UNKNOWN} if resend else {ChunkState.OPEN}
    chunks = tuple(index for index, state in states.items() if state in wanted)
    left = pl.LazyFrame({"chunk": chunks}, schema={"chunk": pl.UInt32})
    numbers = plan.scan().join(left, on="chunk", how="semi").select(pl.len()).collect(engine="streaming").item()
    run.tally.expect(numbers)
    return Todo(chunks, resent, histories, numbers)


@task(name="write-results", cache_policy=NO_CACHE, persist_result=False)
def write_campaign_results(run: Run, plan: FrozenPlan, resent: int) -> CampaignReport:
    """Join plan and ledger into results.parquet, put it beside them, and sum the campaign up in campaign.json.

    Raises:
        LeaseLostError: another run has taken the campaign over.
    """
    stop = run.stop.stop
    if stop is not None and stop.cause is StopCause.LEASE_LOST:
        raise LeaseLostError(stop.message)  # the results are for the run that took over to write
    histories = run.ledger.histories()
    reason = "dry_run" if run.order.dry_run else "stopped" if stop is None else str(stop.cause)

    def results(rows: pl.LazyFrame, chunks: range) -> pl.LazyFrame:
        block = {index: histories[index] for index in chunks if index in histories}
        return make_results(rows, gather(block, run.ledger.receipts(block)), run.campaign.id, reason)

    path, counts = write_results(plan, results, run.scratch)
    _put(run.store, path)
    standing = run.tally.standing
    report = CampaignReport(
        campaign=run.campaign.id,
        uri=f"{run.store.uri}/{RESULTS_KEY}",
        counts=counts,
        reasons=_reasons(path),
        calls=standing.calls,
        throttled=standing.throttled,
        resent=resent,
        seconds=run.tally.seconds,
        rate=standing.rate,
        dry_run=run.order.dry_run,
        stop=stop,
        s3=run.s3,
    )
    run.campaign.update(
        summary={
            **report.summary(),
            "throttled": report.throttled,
            "resent_chunks": report.resent,
            "stopped": None if stop is None else stop.message,
        }
    )
    return report


def _reasons(path: Path) -> tuple[ReasonCount, ...]:
    summed_up = pl.col("status").cast(pl.String).is_in([str(status) for status in _SUMMED_UP])
    counted = (
        pl.scan_parquet(path, glob=False)
        .group_by("status", pl.when(~summed_up).then(pl.col("reason")).alias("reason"))
        .len()
        .sort("status", "len", "reason", descending=[False, True, False], nulls_last=True)
        .collect()
    )
    return tuple(ReasonCount(status, reason, rows) for status, reason, rows in counted.iter_rows())


def _put(store: Store, path: Path) -> None:
    deadline = time.monotonic() + _STORE_PATIENCE
    while True:
        try:
            return store.put_file(RESULTS_KEY, path)
        except StoreUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)
