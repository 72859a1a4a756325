"""The approval form in Prefect, on the page of a paused or suspended flow run.

A run of a deployment is suspended: its process ends, its worker is free, and the answer starts it again from the top.
Any other run is paused: its process waits. Only a clear yes in time is a yes.
"""

import time
from contextlib import suppress
from typing import Annotated, Any, Final, Literal, cast
from uuid import UUID

from httpx import HTTPError
from prefect import suspend_flow_run
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import PrefectHTTPStatusError
from prefect.input import RunInput, delete_flow_run_input, read_flow_run_input
from prefect.input.run_input import keyset_from_paused_state
from prefect.settings import PREFECT_API_URL
from prefect.states import Paused, Suspended
from pydantic import Field, ValidationError

from globe_sms.flows.orchestration.approval_page import ApprovalPage, Stage
from globe_sms.flows.orchestration.this_flow_run import this_flow_run
from globe_sms.tasks.campaign.approval import NOBODY, Answer, Decision
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import question_page
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

_LOOK_SECONDS: Final = 2.0
_LONGER_SECONDS: Final = 3_600  # so the server's own limit, which fails the run, comes after ours


class CampaignApproval(RunInput):
    """The fields of the form: a decision, and who made it."""

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
            description="Kept with the campaign.",
            pattern=r"\S",
            max_length=100,
            json_schema_extra={"position": 1},
        ),
    ]


class FlowRunPage(ApprovalPage):
    """The page of this flow run."""

    def __init__(self, flow_run: FlowRun) -> None:
        self._flow_run = flow_run

    @property
    def suspends(self) -> bool:
        """Whether it's a run of a deployment."""
        return self._flow_run.deployment_id is not None

    def was_suspended(self, key: str) -> bool:
        """Whether this run was suspended for the answer under this key earlier."""
        return was_suspended(self._flow_run, key)

    def suspend(self, preview: Preview, seconds: int, key: str) -> Answer:
        """Suspend this run until somebody answers; in the run that the answer starts, return the answer."""
        return suspend_for_answer(preview, seconds, key)

    def pause(self, preview: Preview, seconds: int, stage: Stage) -> Answer:
        """Wait in this process until somebody answers on the paused run."""
        return pause_for_answer(preview, seconds, stage)


def was_suspended(run: FlowRun, key: str) -> bool:
    """Whether this flow run of a deployment was suspended for the answer under this key (`Stage.key`) earlier.

    False after a retry: Prefect then forgets that the run was suspended, and would suspend it again.
    """
    return run.deployment_id is not None and key in (run.empirical_policy.pause_keys or ())


def suspend_for_answer(preview: Preview, seconds: int, key: str) -> Answer:
    """Suspend this flow run until somebody answers; in the run that the answer starts, return the answer.

    Raises:
        prefect.exceptions.Pause: the run is suspended; its process must end.
    """
    if not was_suspended(this_flow_run(), key):
        _delete_old_form(this_flow_run().id, key)
    try:
        given = suspend_flow_run(wait_for_input=_form(preview), timeout=seconds, key=key)
    except (ValidationError, ValueError, RuntimeError) as error:
        return _no_answer(f"the run was resumed without a clear answer ({type(error).__name__})")
    return _answer(given)


def pause_for_answer(preview: Preview, seconds: int, stage: Stage) -> Answer:
    """Wait in this process until somebody answers on the paused flow run.

    Raises:
        InputError: the run has a temporary Prefect server, where nobody can answer.
    """
    if not PREFECT_API_URL.value():
        raise InputError(
            "this campaign needs approval, but its run has a temporary Prefect server, where nobody can be asked. Set "
            "PREFECT_API_URL to your Prefect server, or send it with `globe-sms send`."
        )
    run = this_flow_run().id
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
            return _no_answer(f"the run was resumed without a clear answer ({type(error).__name__})")


def _resumed(client: SyncPrefectClient, run: UUID, deadline: float) -> bool:
    """Check every two seconds whether the run was resumed; False at the deadline, or once somebody ended the run."""
    while True:
        with suppress(HTTPError, PrefectHTTPStatusError):  # a server that's down may come back in time
            state = client.read_flow_run(run).state
            if state is None or not state.is_paused():
                return state is not None and state.is_running()
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(_LOOK_SECONDS, left))


def _delete_old_form(run: UUID, pause_key: str) -> None:
    """Delete the question and answer from before a retry: Prefect keeps only one of each under a key."""
    for key in keyset_from_paused_state(Suspended(pause_key=pause_key)).values():
        if read_flow_run_input(key, flow_run_id=run) is not None:
            delete_flow_run_input(key, flow_run_id=run)


def _form(preview: Preview) -> type[CampaignApproval]:
    return CampaignApproval.with_initial_data(description=as_markdown(question_page(preview).in_words(in_form_words)))


def _answer(given: CampaignApproval) -> Answer:
    decision = Decision.APPROVED if given.decision == "approve" else Decision.DECLINED
    return Answer(decision, mask_numbers_in(given.name.strip()), "in Prefect")


def _no_answer(why: str) -> Answer:
    return Answer(Decision.DECLINED, NOBODY, why)
