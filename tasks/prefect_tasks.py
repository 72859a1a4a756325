"""The steps as Prefect tasks, for runs that are recorded on a Prefect server."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, ParamSpec, TypeVar, cast

from prefect import task, unmapped
from prefect.assets import Asset, materialize
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Completed

from globe_sms.tasks.sending.shard import Shard
from globe_sms.tasks.steps.check_canary import check_canary
from globe_sms.tasks.steps.plan_campaign import plan_campaign
from globe_sms.tasks.steps.preview_campaign import preview_campaign
from globe_sms.tasks.steps.read_ledger import read_ledger
from globe_sms.tasks.steps.send_chunks import send_shard
from globe_sms.tasks.steps.track_delivery import (
    purge_old_campaigns,
    query_gateway,
    read_delivery_receipts,
    write_deliveries,
)
from globe_sms.tasks.steps.write_results import write_campaign_results
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_NAMES: Final[Mapping[Callable[..., Any], str]] = {
    plan_campaign: "plan-campaign",
    read_ledger: "read-ledger",
    preview_campaign: "preview-campaign",
    check_canary: "check-canary",
    write_campaign_results: "write-results",
    read_delivery_receipts: "read-delivery-receipts",
    query_gateway: "query-gateway",
    write_deliveries: "write-deliveries",
    purge_old_campaigns: "purge-old-campaigns",
}
_TASKS: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    step: task(name=name, cache_policy=NO_CACHE, persist_result=False)(step) for step, name in _NAMES.items()
}


def task_of(step: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Return the task of a step: called within a flow run, it's recorded as a task run."""
    return cast("Callable[_Parameters, _Result]", _TASKS[step])


def writing_task_of(
    step: Callable[_Parameters, _Result], written: Sequence[Asset], made_of: Sequence[Asset]
) -> Callable[_Parameters, _Result]:
    """Return the task of a step that writes assets, at least one."""
    asset = materialize(*written, name=_NAMES[step], asset_deps=[*made_of], cache_policy=NO_CACHE, persist_result=False)
    return cast("Callable[_Parameters, _Result]", asset(step))


def _send_run_name() -> str:
    from prefect.runtime import task_run

    indexes = task_run.parameters["indexes"]
    return f"send-{indexes[0]}" if len(indexes) == 1 else f"send-{indexes[0]}-to-{indexes[-1]}"


@task(name="send-chunks", task_run_name=_send_run_name, cache_policy=NO_CACHE, persist_result=False)
@redact_errors()
def send_chunks(indexes: tuple[int, ...], shard: Shard) -> State:
    """Send chunks: turn, claim, call, send record for each. Prefect never retries it: the ledger decides what may be.

    Prefect carries the chunks' numbers only; what is sent is read from the plan.
    """
    outcome = shard.send(indexes)
    return Completed(name=outcome.name, message=outcome.message)


def send_shard_in_task_runs(shard: Shard, say: Callable[[str], None]) -> None:
    """Send a shard by `send_chunks`, mapped over its groups of chunks: see `send_shard`."""
    runs: list[PrefectFuture[State]] = []

    def launch(window: Sequence[tuple[int, ...]]) -> None:
        runs.extend(send_chunks.map(window, unmapped(shard)))

    send_shard(shard, say, launch, lambda seconds: not wait(runs, timeout=seconds).not_done)
