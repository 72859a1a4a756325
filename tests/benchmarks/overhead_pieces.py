"""The CPU time of each piece of sending a chunk, in one process; `bench_overhead.py` starts it and prints the table.

python -m tests.benchmarks.overhead_pieces LIST --results s3://... --chunks 200 --numbers-per-call 250 --server PID

Prints one JSON object: for each piece the CPU seconds a chunk of this process and of Prefect's server. Each piece is
run once before it is measured, so that imports, connections and caches do not count.
"""

import argparse
import json
import os
import time
from collections.abc import Callable

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner

from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.flows.orchestration.executor import Executor
from globe_sms.flows.orchestration.prefect_executor import PrefectExecutor
from globe_sms.flows.orchestration.shards import send_shards
from globe_sms.flows.orchestration.this_flow_run import this_flow_run
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.campaign.send_record import Attempt, Claim, SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.runs.open_campaign_run import open_run, open_sender
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.sending.shard import thread_count
from globe_sms.tasks.steps.plan_campaign import plan_campaign
from globe_sms.tasks.steps.read_ledger import read_ledger
from tests.benchmarks.measured_campaigns import MESSAGE
from tests.benchmarks.measured_process import cpu_seconds

CALLS_PER_SECOND = 100.0
_QUIET_SHARE = 0.05
_MOST_QUIET_SECONDS = 120


def main() -> None:
    """Measure the pieces apart, then all together."""
    parser = argparse.ArgumentParser()
    parser.add_argument("list")
    parser.add_argument("--results", required=True)
    parser.add_argument("--chunks", type=int, required=True)
    parser.add_argument("--numbers-per-call", type=int, required=True)
    parser.add_argument("--server", type=int, required=True, help="the process id of Prefect's server")
    options = parser.parse_args()

    def config(campaign: str) -> CampaignConfig:
        return CampaignConfig.checked(
            recipients=(options.list,),
            message=MESSAGE,
            type="NOTIFY",
            results=options.results,
            campaign=campaign,
            numbers_per_call=options.numbers_per_call,
            repeat_after="0",  # the same people get the same text again
            calls_per_second=CALLS_PER_SECOND,
        )

    found: dict[str, tuple[float, float]] = {}

    def measure(piece: str, work: Callable[[int], object]) -> None:
        work(max(2, options.chunks // 10))
        _await_quiet(options.server)
        own, server = time.process_time(), cpu_seconds(options.server)
        work(options.chunks)
        own = time.process_time() - own
        _await_quiet(options.server)
        found[piece] = (own / options.chunks, (cpu_seconds(options.server) - server) / options.chunks)

    measure("task run", _map_empty_tasks)
    with open_run(config("pieces")) as run, open_sender(run) as sender:
        plan = plan_campaign(run)
        chunks = list(plan.chunks(0, options.chunks - 1))
        send_records = _Receipts(run, [len(chunk.phone_numbers) for chunk in chunks])
        measure("turn", lambda count: _take_turns(sender, count))
        measure("claim and receipt", send_records.write)
        batches = [sender.texts.batch(chunk, f"pieces-{chunk.index}-1") for chunk in chunks]
        measure("call", lambda count: [sender.gateway.send(batch) for batch in batches[:count]])

    def record(send: Callable[[Executor], None]) -> None:
        @flow(task_runner=ThreadPoolTaskRunner(max_workers=thread_count(CALLS_PER_SECOND)), persist_result=False)
        def send_part() -> None:
            send(PrefectExecutor(RunObserver(), this_flow_run()))

        send_part()

    def measure_all(piece: str, campaign: str, carry_out: Callable[[Callable[[Executor], None]], None]) -> None:
        with open_run(config(campaign)) as run:
            plan = plan_campaign(run)
            remaining = read_ledger(run, plan)
            first, rest = remaining.chunks[: options.chunks // 10], remaining.chunks[options.chunks // 10 :]
            parts = iter((first, rest))
            measured = len(rest) / options.chunks

            def send(executor: Executor) -> None:
                send_shards(run, plan, RemainingChunks(next(parts), (), remaining.histories, 0), executor)

            measure(piece, lambda _: carry_out(send))
            own, server = found[piece]
            found[piece] = own / measured, server / measured

    measure_all("all together", "together", record)
    measure_all("all together, without Prefect", "alone", lambda send: send(Executor(RunObserver())))
    print(json.dumps(found))


def _map_empty_tasks(count: int) -> None:
    @task(cache_policy=NO_CACHE, persist_result=False)
    def do_nothing(_index: int) -> None:
        """Do nothing."""

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=thread_count(CALLS_PER_SECOND)), persist_result=False)
    def map_all() -> None:
        wait(do_nothing.map(range(count)))

    map_all()


def _take_turns(sender: Sender, count: int) -> None:
    for _ in range(count):
        sender.pacer.depart(sender.pacer.take())


class _Receipts:
    """Claims and receipts of submissions that never were, each time with new numbers."""

    def __init__(self, run: CampaignRun, sizes: list[int]) -> None:
        self._run = run
        self._sizes = sizes
        self._submission = 0

    def write(self, count: int) -> None:
        owner = self._run.campaign.owner
        for chunk, size in enumerate(self._sizes[:count]):
            claim = Claim(chunk, self._submission, owner.run, owner.host, time.time(), time.time(), "0" * 64)
            assert self._run.ledger.claim(claim)
            self._run.ledger.settle(
                SendRecord(
                    chunk=chunk,
                    submission=self._submission,
                    run=owner.run,
                    settlement=Settlement.ACCEPTED,
                    reason=None,
                    code="OK",
                    description="success",
                    request_id="F655A8D5-B967-440B-8683-DAD6FF8DE990",
                    sent_at=time.time(),
                    fingerprint="0" * 64,
                    message_ids={place: f"1{place:017d}" for place in range(size)},
                    attempts=(Attempt(f"pieces-{chunk}-1", time.time(), "accepted", "OK", None, ""),),
                )
            )
        self._submission += 1


def _await_quiet(server: int) -> None:
    """Wait until Prefect's server has recorded what it was told."""
    for _ in range(_MOST_QUIET_SECONDS):
        before = cpu_seconds(server)
        time.sleep(1.0)
        if cpu_seconds(server) - before < _QUIET_SHARE:
            return


if __name__ == "__main__":
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
    main()
