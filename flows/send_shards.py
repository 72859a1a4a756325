"""Send what is left of a campaign, a child flow run for each shard of 2,000 task runs."""

from collections.abc import Callable
from typing import Any, cast

from prefect import Flow, get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner

from tasks.dispatch import Shard, map_in_windows, shard_chunks, thread_count
from tasks.durations import moment
from tasks.plan import FrozenPlan
from tasks.run import Run, open_sender
from tasks.steps import Todo
from tasks.supply import InOrder, Part, Supply, WhenOpen


def send_shards(run: Run, plan: FrozenPlan, todo: Todo) -> None:
    """Send the chunks that are left, shard after shard, until they are sent or the run is stopped.

    A campaign of one shard needs no child flow run, and a shard that gets none is sent from the parent's: a Prefect
    server that is busy or gone costs memory and records, never a call.
    """
    log = get_run_logger()
    rate = run.order.calls_per_second
    size = shard_chunks(rate)
    shards = -(-len(todo.chunks) // size)
    supply = _supply(run, plan, todo)
    histories = dict(todo.histories)
    with open_sender(run) as sender:
        number = 0
        while run.stop.stop is None and not supply.is_over:
            number += 1
            with Shard(sender, Part(supply, size), plan.open_chunks, histories, rate) as shard:
                if shards > 1:
                    try:
                        _shard_flow(shard, rate)(run.campaign.id, number, max(number, shards))
                    except Exception as error:  # noqa: BLE001  # whatever Prefect's client raises when its server fails
                        kind = type(error).__name__
                        log.warning("Prefect did not record shard %d of %d (%s)", number, shards, kind)
                if not shard.began:
                    map_in_windows(shard)


def _supply(run: Run, plan: FrozenPlan, todo: Todo) -> Supply:
    """Return the chunks in plan order, or as their recipients' hours come."""
    hours = run.order.quiet_hours
    if hours is None or plan.cut is None:
        return InOrder(todo.chunks)
    log = get_run_logger()

    def say(opens: float, chunks: int) -> None:
        log.info(
            "%s: %d calls wait for the hours %s of their recipients, the next until %s",
            *(run.campaign.id, chunks, hours, moment(opens)),
        )

    return WhenOpen(
        todo.chunks,
        plan.cut,
        hours,
        longest_wait=run.order.hours_wait_seconds,
        calls_per_second=run.order.calls_per_second,
        stop=run.stop,
        tally=run.tally,
        say=say,
    )


def _shard_flow(shard: Shard, calls_per_second: float) -> Callable[[str, int, int], None]:
    """Make the shard's flow. The shard stands in a closure: as a parameter Prefect would try to store it."""

    def send_shard(campaign: str, shard_number: int, shards: int) -> None:  # noqa: ARG001  # shown in the UI
        map_in_windows(shard)

    return Flow(
        send_shard,
        name="send-shard",
        flow_run_name="{campaign}-{shard_number}-of-{shards}",
        task_runner=cast("Any", ThreadPoolTaskRunner(max_workers=thread_count(calls_per_second))),
        validate_parameters=False,
        persist_result=False,
    )
