"""Send what's left of a campaign in shards: in Prefect a child flow run for every 2,000 task runs, else all at once."""

from globe_sms.flows.orchestration.executor import Executor
from globe_sms.flows.orchestration.stretch import stretch_of_sending
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.runs.open_campaign_run import open_sender
from globe_sms.tasks.sending.chunk_queue import ChunkQueue, HoursQueue, PlanOrderQueue, ShardQueue
from globe_sms.tasks.sending.chunk_reader import ChunkReader
from globe_sms.tasks.sending.shard import Shard
from globe_sms.tasks.vocabulary.durations import moment


def send_shards(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, executor: Executor) -> None:
    """Send the chunks that are left, shard after shard, until all are sent or the run is stopped.

    A dry run sends nothing, and nor does a campaign whose end (`--until`) has come.
    """
    if run.config.dry_run or run.has_ended or not remaining.chunks:
        return
    with stretch_of_sending(run, plan, remaining, executor) as left:
        _send_shards(run, plan, left, executor)


def _send_shards(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, executor: Executor) -> None:
    if run.stop.stop is not None or not remaining.chunks:
        return
    executor.observer.sending(run.progress)
    rate = run.config.calls_per_second
    size = executor.shard_size(rate)
    shards = -(-len(remaining.chunks) // size)
    queue = _chunk_queue(run, plan, remaining, executor)
    histories = dict(remaining.histories)
    read = ChunkReader(plan, run.exclusions, run.stop, run.progress)
    with open_sender(run) as sender:
        number = 0
        while run.stop.stop is None and not queue.is_over:
            number += 1
            with Shard(sender, ShardQueue(queue, size), read, histories, rate) as shard:
                executor.send_shard(shard, run.campaign.id, number, max(number, shards))
    if run.call_size.found is not None:
        said = "The gateway refused larger calls: use --numbers-per-call %d from now on."
        executor.log.warning(said, run.call_size.found)


def _chunk_queue(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, executor: Executor) -> ChunkQueue:
    """Return the chunks in plan order, or, with quiet hours, as their recipients' hours come."""
    hours = run.config.quiet_hours
    if hours is None or plan.layout is None:
        return PlanOrderQueue(remaining.chunks, end=run.end)

    def say(opens: float, chunks: int) -> None:
        executor.log.info(
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
