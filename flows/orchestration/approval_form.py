"""Ask through Prefect whether a campaign may be sent: a form on the paused or suspended flow run.

A run of a deployment is suspended: its process ends, its worker is free, and the answer starts it anew from the top.
Any other run is paused: its process waits. Whatever is not a clear yes in time is a no.
"""

import time
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, cast
from uuid import UUID

from httpx import HTTPError
from prefect import suspend_flow_run
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.input import RunInput, delete_flow_run_input, read_flow_run_input
from prefect.input.run_input import keyset_from_paused_state
from prefect.settings import PREFECT_API_URL
from prefect.states import Paused, Suspended
from pydantic import Field, ValidationError

from globe_sms.tasks.campaign.approval import NOBODY, Answer, Decision
from globe_sms.tasks.reports.page_markup import as_markdown
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import question_page
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

_LOOK_SECONDS: Final = 2.0
_LONGER_SECONDS: Final = 3_600  # the server's own limit comes later than ours: it would fail the run


class Stage(StrEnum):
    """When somebody is asked; Prefect keeps a question and its answer under this key."""

    FIRST = "approval"
    AFTER_CANARY = "approval-after-canary"


class CampaignApproval(RunInput):
    """The form: a decision, and who made it."""

    decision: Annotated[
        Literal["approve", "decline"],
        Field(
            title="Decision",
            description="approve: send it now. decline: send nothing.",
            json_schema_extra={"position": 0},
        ),
    ]
    name: Annotated[
        str,
        Field(
            title="Your name",
            description="It is kept with the campaign.",
            pattern=r"\S",
            max_length=100,
            json_schema_extra={"position": 1},
        ),
    ]


def this_run() -> FlowRun:
    """Return the flow run of this process.

    Raises:
        RuntimeError: there is none.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("this belongs into a flow run")
    return context.flow_run


def asked_before(run: FlowRun, stage: Stage) -> bool:
    """Whether this flow run was suspended for an answer earlier; then its answer counts, whatever others answered.

    Not in a run that is retried: Prefect forgets then that it was suspended, and would suspend it again.
    """
    return run.deployment_id is not None and stage.value in (run.empirical_policy.pause_keys or ())


def suspend_for_answer(preview: Preview, seconds: int, stage: Stage) -> Answer:
    """Suspend this flow run until somebody answers; in the run that the answer starts, return the answer.

    Raises:
        prefect.exceptions.Pause: the run is suspended; its process is to end.
    """
    if not asked_before(this_run(), stage):
        _forget_the_form(this_run().id, stage)
    try:
        given = suspend_flow_run(wait_for_input=_form(preview), timeout=seconds, key=stage.value)
    except (ValidationError, ValueError, RuntimeError) as error:
        return _no_answer(f"the run went on without a clear answer ({type(error).__name__})")
    return _answer(given)


def pause_for_answer(preview: Preview, seconds: int, stage: Stage) -> Answer:
    """Wait in this process until somebody answers on the paused flow run.

    Raises:
        InputError: the run has a temporary Prefect server, where nobody can answer.
    """
    if not PREFECT_API_URL.value():
        raise InputError(
            "this campaign needs an approval, and its run has a temporary Prefect server where nobody can be asked: "
            "set PREFECT_API_URL to your server, send it by `globe-sms send`, or leave approve_above "
            "empty."
        )
    run = this_run().id
    form = _form(preview)
    state: State[Any] = Paused(timeout_seconds=seconds + _LONGER_SECONDS, pause_key=stage.value)
    keys = keyset_from_paused_state(state)
    state.state_details.run_input_keyset = {str(name): key for name, key in keys.items()}
    with get_client(sync_client=True) as client:
        form.save(keys, flow_run_id=run)
        client.set_flow_run_state(run, state)
        if not _resumed(client, run, time.monotonic() + seconds):
            return _no_answer(f"nobody answered in {in_words(seconds)}")
        try:
            return _answer(cast("CampaignApproval", form.load(keys, flow_run_id=run)))
        except (ValidationError, ValueError) as error:
            return _no_answer(f"the run went on without a clear answer ({type(error).__name__})")


def _resumed(client: SyncPrefectClient, run: UUID, deadline: float) -> bool:
    """Look every two seconds whether the run goes on; False at the deadline, or when somebody ended the run."""
    while True:
        with suppress(HTTPError, PrefectHTTPStatusError):  # a server that is away may come back in time
            state = client.read_flow_run(run).state
            if state is None or not state.is_paused():
                return state is not None and state.is_running()
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(_LOOK_SECONDS, left))


def _forget_the_form(run: UUID, stage: Stage) -> None:
    """Remove what was asked and answered before the run was retried: Prefect keeps one of each under a key."""
    for key in keyset_from_paused_state(Suspended(pause_key=stage.value)).values():
        if read_flow_run_input(key, flow_run_id=run) is not None:
            delete_flow_run_input(key, flow_run_id=run)


def _form(preview: Preview) -> type[CampaignApproval]:
    return CampaignApproval.with_initial_data(description=as_markdown(question_page(preview)))


def _answer(given: CampaignApproval) -> Answer:
    decision = Decision.APPROVED if given.decision == "approve" else Decision.DECLINED
    return Answer(decision, mask_numbers_in(given.name.strip()), "in Prefect")


def _no_answer(why: str) -> Answer:
    return Answer(Decision.DECLINED, NOBODY, why)
