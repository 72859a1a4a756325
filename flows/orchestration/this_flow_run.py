"""The flow run that this process carries out."""

from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext


def this_flow_run() -> FlowRun:
    """Return the flow run of this process, as Prefect has recorded it.

    Raises:
        RuntimeError: called outside a flow run.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("call this within a flow run")
    return context.flow_run
