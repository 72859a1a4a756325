"""Send what's left of a campaign in shards: a child flow run for every 2,000 task runs."""

from collections.abc import Callable
from typing import Any, cast

from prefect import Flow, get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner

from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.flows.orchestration.stretch import stretch_of_sending
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.campaign_run import CampaignRun
from globe_sms.tasks.open_campaign_run import open_sender
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.send_chunks import send_shard
from globe_sms.tasks.sending.chunk_queue import ChunkQueue, HoursQueue, PlanOrderQueue, ShardQueue
from globe_sms.tasks.sending.chunk_reader import ChunkReader
from globe_sms.tasks.sending.shard import Shard, shard_chunks, thread_count
from globe_sms.tasks.vocabulary.durations import moment


def send_shards(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, observer: RunObserver) -> None:
    """Send the chunks that are left, shard after shard, until all are sent or the run is stopped.

    A dry run sends nothing, and nor does a campaign whose end (`--until`) has come. A campaign of one shard needs no
    child flow run. A shard whose child flow run fails to start is sent from the parent's: a Prefect server that's busy
    or gone costs memory and records, never a call.
    """
    if run.config.dry_run or run.has_ended or not remaining.chunks:
        return
    with stretch_of_sending(run, plan, remaining, observer) as left:
        _send_shards(run, plan, left, observer)


def _send_shards(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, observer: RunObserver) -> None:
    if run.stop.stop is not None or not remaining.chunks:
        return
    observer.sending(run.progress)
    log = get_run_logger()
    rate = run.config.calls_per_second
    size = shard_chunks(rate)
    shards = -(-len(remaining.chunks) // size)
    queue = _chunk_queue(run, plan, remaining)
    histories = dict(remaining.histories)
    read = ChunkReader(plan, run.exclusions, run.stop, run.progress)
    with open_sender(run) as sender:
        number = 0
        while run.stop.stop is None and not queue.is_over:
            number += 1
            with Shard(sender, ShardQueue(queue, size), read, histories, rate) as shard:
                if shards > 1:
                    try:
                        _shard_flow(shard, rate)(run.campaign.id, number, max(number, shards))
                    except Exception as error:  # noqa: BLE001  # Prefect's client raises many kinds when its server fails
                        kind = type(error).__name__
                        log.warning("Prefect did not record shard %d of %d (%s)", number, shards, kind)
                if not shard.began:
                    send_shard(shard)
    if run.call_size.found is not None:
        log.warning("The gateway refused larger calls: use --numbers-per-call %d from now on.", run.call_size.found)


def _chunk_queue(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> ChunkQueue:
    """Return the chunks in plan order, or, with quiet hours, as their recipients' hours come."""
    hours = run.config.quiet_hours
    if hours is None or plan.layout is None:
        return PlanOrderQueue(remaining.chunks, end=run.end)
    log = get_run_logger()

    def say(opens: float, chunks: int) -> None:
        log.info(
            "%s: %d calls wait for the hours %s of their recipients, the next one until %s",
            *(run.campaign.id, chunks, hours, moment(opens)),
        )

    return HoursQueue(
        remaining.chunks,
        plan.layout,
        hours,
        longest_wait=run.config.hours_wait_seconds,
        calls_per_second=run.config.calls_per_second,
        stop=run.stop,
        progress=run.progress,
        say=say,
        end=run.end,
    )


def _shard_flow(shard: Shard, calls_per_second: float) -> Callable[[str, int, int], None]:
    """Return the flow that sends the shard. The shard isn't a parameter, because Prefect would try to record it."""

    def run_shard(campaign: str, shard_number: int, shards: int) -> None:  # noqa: ARG001  # shown in the UI
        send_shard(shard)

    return Flow(
        run_shard,
        name="send-shard",
        flow_run_name="{campaign}-{shard_number}-of-{shards}",
        task_runner=cast("Any", ThreadPoolTaskRunner(max_workers=thread_count(calls_per_second))),
        validate_parameters=False,
        persist_result=False,
    )
