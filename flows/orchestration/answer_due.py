"""Ends the wait of a suspended run that nobody answers: a run of the same deployment that is scheduled for that time.

No process waits while a run is suspended, and the server fails a suspended run whose time is up, without a word about
the campaign. So the run schedules another one, which resumes it when the time is up; resumed without an answer, it ends
as Declined, with its report. The answer, if one comes, deletes the scheduled run.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterIdempotencyKey
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed, Scheduled

_MARK: Final = "globe-sms-answer-due"


def schedule_answer_due(client: SyncPrefectClient, run: FlowRun, pause_key: str, until: float) -> None:
    """Have the suspended run resumed at this Unix time, if it's still suspended with this key then."""
    if run.deployment_id is None:
        return
    client.create_flow_run_from_deployment(
        run.deployment_id,
        parameters=run.parameters,
        state=Scheduled(scheduled_time=datetime.fromtimestamp(until, UTC)),
        name=f"{run.name}: declined unless answered",
        tags=run.tags,
        idempotency_key=_mark(run.id, pause_key),
    )


def delete_answer_due(client: SyncPrefectClient, run: FlowRun, pause_key: str) -> None:
    """Delete what was scheduled for the end of the wait, if it hasn't started."""
    mine = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=[_mark(run.id, pause_key)]))
    for due in client.read_flow_runs(flow_run_filter=mine):
        if due.state is not None and due.state.is_scheduled():
            client.delete_flow_run(due.id)


def is_answer_due(run: FlowRun) -> bool:
    """Whether this run was scheduled for the end of another one's wait; then it sends nothing itself."""
    return (run.idempotency_key or "").startswith(f"{_MARK}:")


def end_wait(run: FlowRun) -> State[None]:
    """Resume the run that this one was scheduled for, unless it was answered; return this run's state."""
    _, waiting, pause_key = (run.idempotency_key or "").split(":", 2)
    with get_client(sync_client=True) as client:
        try:
            found = client.read_flow_run(UUID(waiting))
        except ObjectNotFound:
            return Completed(message="The run that waited for an answer was deleted.")
        state = found.state
        if state is None or not state.is_paused() or state.state_details.pause_key != pause_key:
            return Completed(message=f"{found.name} isn't waiting any more, so there's nothing to do.")
        client.resume_flow_run(found.id, run_input={})
        return Completed(message=f"Nobody answered in time, so {found.name} goes on to end as declined.")


def _mark(run: UUID, pause_key: str) -> str:
    return f"{_MARK}:{run}:{pause_key}"
