"""Send what is left of a campaign, a child flow run for each shard of 2,000 task runs."""

from collections.abc import Callable
from typing import Any, cast

from prefect import Flow, get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner

from tasks.dispatch import Shard, map_in_windows, shard_chunks, thread_count
from tasks.plan import FrozenPlan
from tasks.run import Run, open_sender
from tasks.steps import Todo


def send_shards(run: Run, plan: FrozenPlan, todo: Todo) -> None:
    """Send the chunks that are left, shard after shard, until they are sent or the run is stopped.

    A campaign of one shard needs no child flow run, and a shard that gets none is sent from the parent's: a Prefect
    server that is busy or gone costs memory and records, never a call.
    """
    log = get_run_logger()
    rate = run.order.calls_per_second
    size = shard_chunks(rate)
    shards = [todo.chunks[first : first + size] for first in range(0, len(todo.chunks), size)]
    with open_sender(run) as sender:
        for number, indexes in enumerate(shards, start=1):
            with Shard(sender, indexes, plan.open_chunks, todo.histories, rate) as shard:
                if len(shards) > 1:
                    try:
                        _shard_flow(shard, rate)(run.campaign.id, number, len(shards))
                    except Exception as error:  # noqa: BLE001  # whatever Prefect's client raises when its server fails
                        kind = type(error).__name__
                        log.warning("Prefect did not record shard %d of %d (%s)", number, len(shards), kind)
                if not shard.began:
                    map_in_windows(shard)
            if run.stop.stop is not None:
                return


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
