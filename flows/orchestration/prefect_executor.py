"""Carries out a run as a flow run: steps are task runs, shards are child flow runs, approval is asked on its page."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Flow, get_run_logger
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause
from prefect.task_runners import ThreadPoolTaskRunner

from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.flows.orchestration.approval_form import FlowRunPage
from globe_sms.flows.orchestration.dead_predecessor import end_dead_predecessor
from globe_sms.flows.orchestration.deployed_run import check_lasting
from globe_sms.flows.orchestration.executor import Executor
from globe_sms.flows.orchestration.lineage import Lineage, lineage_of
from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.prefect_tasks import send_shard_in_task_runs, task_of, writing_task_of
from globe_sms.tasks.sending.shard import Shard, shard_chunks
from globe_sms.tasks.steps.track_delivery import write_deliveries
from globe_sms.tasks.steps.write_results import write_campaign_results
from globe_sms.tasks.vocabulary.network_faults import network_fault

_WRITE_RESULTS = (write_campaign_results, write_deliveries)

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class PrefectExecutor(Executor):
    """Carries out a run in this flow run; make it within one."""

    def __init__(self, observer: RunObserver, flow_run: FlowRun) -> None:
        self.observer = observer
        self._flow_run = flow_run
        self.log = get_run_logger()
        self.approval_page = FlowRunPage(flow_run)
        self.flow_run = str(flow_run.id)

    def call(
        self, step: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Call the task of a step.

        The results are written even if somebody has paused the run meanwhile, though Prefect starts no task then.

        Raises:
            prefect.exceptions.Pause: the run was paused.
        """
        lineage = lineage_of(args[0]) if step in _WRITE_RESULTS else Lineage()
        recorded = writing_task_of(step, lineage.results, lineage.lists) if lineage.results else task_of(step)
        try:
            return recorded(*args, **kwargs)
        except Pause:
            if step is write_campaign_results:
                step(*args, **kwargs)
            raise

    def shard_size(self, calls_per_second: float) -> int:
        """Return how many chunks one flow run sends: those of 2,000 task runs."""
        return shard_chunks(calls_per_second)

    def send_shard(self, shard: Shard, campaign: str, number: int, shards: int) -> None:
        """Send a shard in a child flow run; in this one if it's the only shard.

        A shard whose child flow run fails to start is sent from the parent's: a Prefect server that's busy or gone
        costs memory and records, never a call.
        """
        if shards > 1:
            try:
                _shard_flow(shard, self.observer.step)(campaign, number, shards)
            except Exception as error:  # noqa: BLE001  # Prefect's client raises many kinds when its server fails
                said = "the Prefect server didn't record part %d of %d of the sending (%s); it was sent all the same"
                self.log.warning(said, number, shards, network_fault(error))
        if not shard.began:
            send_shard_in_task_runs(shard, self.observer.step)

    def took_over(self, campaign: Campaign) -> None:
        """Set the dead run's flow run to Crashed."""
        end_dead_predecessor(campaign)

    def check_lasting(self, what: str, place: str | None) -> None:
        """Refuse a place that is lost with a deployed run.

        Raises:
            InputError: it would be lost.
        """
        check_lasting(what, place, self._flow_run)


def _shard_flow(shard: Shard, say: Callable[[str], None]) -> Callable[[str, int, int], None]:
    """Return the flow that sends the shard. The shard isn't a parameter, because Prefect would try to record it."""

    def run_shard(campaign: str, shard_number: int, shards: int) -> None:  # noqa: ARG001  # shown in the UI
        send_shard_in_task_runs(shard, say)

    return Flow(
        run_shard,
        name="send-shard",
        flow_run_name="{campaign}-{shard_number}-of-{shards}",
        task_runner=cast("Any", ThreadPoolTaskRunner(max_workers=shard.threads)),
        validate_parameters=False,
        persist_result=False,
    )
