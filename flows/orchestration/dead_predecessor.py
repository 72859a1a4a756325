"""A run that takes a campaign over from a dead one ends that one's flow run too.

Prefect leaves the flow run of a killed process `Running`, and its deployment's slot taken, until its heartbeats are
missed. The campaign's lease expires in 20 s, so a run that takes over knows earlier.
"""

from contextlib import suppress
from typing import Final
from uuid import UUID

from httpx import HTTPError
from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Crashed

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.lease import Lease

_AT_WORK: Final = {StateType.RUNNING, StateType.CANCELLING}


def end_dead_predecessor(campaign: Campaign) -> None:
    """Set the flow run that held the campaign before this run, and died, to Crashed; that frees its slot.

    A flow run that has ended, or that was started again since, is left alone. So is everything if the server doesn't
    answer: it's only Prefect's record of the run.
    """
    before = campaign.predecessor
    if before is None or before.flow_run in {"", campaign.owner.flow_run}:
        return
    # A server that the earlier run wasn't recorded on doesn't know it.
    with suppress(ObjectNotFound, PrefectHTTPStatusError, HTTPError):
        if _crashed(before, campaign.id):
            get_run_logger().warning(
                "%s: the flow run %s held this campaign and is gone; it's marked as crashed, and this run goes on",
                *(campaign.id, before.flow_run),
            )


def _crashed(before: Lease, campaign: str) -> bool:
    run = UUID(before.flow_run)
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run).state
        if state is None or state.type not in _AT_WORK or state.timestamp > before.taken_at:
            return False
        client.set_flow_run_state(
            run,
            Crashed(
                message=f"Its process or machine is gone: it last held campaign {campaign!r} at "
                f"{before.taken_at:%H:%M:%S} UTC, and another run has taken the campaign over. What it sent is "
                "recorded; nobody is texted twice."
            ),
        )
    return True
