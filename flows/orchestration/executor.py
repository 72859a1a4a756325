"""Who carries out a run: calls its steps, sends its shards, and knows whom to ask."""

import logging
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.flows.orchestration.approval_page import ApprovalPage
from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.sending.shard import Shard
from globe_sms.tasks.steps.send_chunks import send_shard

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

Log = logging.Logger | logging.LoggerAdapter[Any]


class Executor:
    """Carries out a run in this process alone; `prefect_executor` does it in a flow run.

    Attributes:
        observer: hears how the run goes.
        log: the run's log.
        approval_page: where people are asked who don't sit at this process's terminal; None without one.
        flow_run: the id of the flow run; empty without one.
    """

    log: Log
    approval_page: ApprovalPage | None = None
    flow_run: str = ""

    def __init__(self, observer: RunObserver) -> None:
        self.observer = observer
        self.log = logging.getLogger("globe_sms")
        self.log.addHandler(logging.NullHandler())  # where logging isn't set up, nothing is printed

    def call(
        self, step: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Call a step of the run, and return what it returns."""
        return step(*args, **kwargs)

    def shard_size(self, calls_per_second: float) -> int:  # noqa: ARG002  # nothing here grows with a shard
        """Return how many chunks to send in one go: all of them."""
        return sys.maxsize

    def send_shard(self, shard: Shard, campaign: str, number: int, shards: int) -> None:  # noqa: ARG002  # for records
        """Send a shard, the one with this number of so many."""
        send_shard(shard, self.observer.step)

    def took_over(self, campaign: Campaign) -> None:
        """End what is left of the dead run that this run took the campaign from, if there was one."""

    def check_lasting(self, what: str, place: str | None) -> None:
        """Refuse a place that is lost with the run; one in a terminal may use any.

        Raises:
            InputError: it would be lost.
        """
