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


def is_flow_run() -> bool:
    """Whether this process carries out a flow run now."""
    return FlowRunContext.get() is not None


def is_deployed() -> bool:
    """Whether this is a run of a deployment, which somebody follows in Prefect's UI; False outside a flow run."""
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and context.flow_run.deployment_id is not None
