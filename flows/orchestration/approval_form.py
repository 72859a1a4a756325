"""The approval form in Prefect, on the page of a paused or suspended flow run.

A run of a deployment is suspended: its process ends, its worker is free, and the answer starts it again from the top.
Any other run is paused: its process waits. Only a clear yes in time, with a name, is a yes. A run that is resumed
without a decision asks again: Prefect's dialog can be sent empty.
"""

import functools
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NoReturn, TypeVar, cast
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterType
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import Pause, PrefectHTTPStatusError
from prefect.input import RunInput
from prefect.input.run_input import keyset_from_paused_state
from prefect.settings import PREFECT_API_URL
from prefect.states import Paused, Suspended
from pydantic import Field, ValidationError

from globe_sms.flows.orchestration.answer_due import delete_answer_due, schedule_answer_due
from globe_sms.flows.orchestration.approval_page import AnswerNeededError, ApprovalPage, Stage
from globe_sms.tasks.campaign.approval import NOBODY, Answer, Decision
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.page_blocks import Block, Link, Page, Words
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import question_page
from globe_sms.tasks.vocabulary.buttons import RESUME
from globe_sms.tasks.vocabulary.durations import in_words, moment
from globe_sms.tasks.vocabulary.errors import GlobeSmsError, InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

_LOOK_SECONDS: Final = 2.0
_LONGER_SECONDS: Final = 86_400  # so the server's own limit, which fails the run, comes long after ours
_RESUMING: Final = "Resuming"  # the server's state of a suspended run that somebody has answered
_NO_DECISION: Final = "The last answer had no decision, so you are asked again: choose approve or decline."
_NO_NAME: Final = "The last answer approved it without a name, so you are asked again: enter yours, too."

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _only_answers(schema: dict[str, Any]) -> None:
    """Offer no empty decision, and require none: the form's own message about a missing one says nothing."""
    schema.update(enum=["approve", "decline"], position=0)
    schema.pop("default", None)


class CampaignApproval(RunInput):
    """The fields of the form: a decision, and who made it."""

    decision: Annotated[
        Literal["", "approve", "decline"],
        Field(
            title="Decision",
            description="Choose one. approve: send it now. decline: send nothing.",
            json_schema_extra=_only_answers,
        ),
    ] = ""
    name: Annotated[
        str,
        Field(
            title="Your name",
            description="Kept with the campaign. An approval needs it.",
            max_length=100,
            json_schema_extra={"position": 1},
        ),
    ] = ""


class FlowRunPage(ApprovalPage):
    """The page of this flow run."""

    def __init__(self, flow_run: FlowRun) -> None:
        self._flow_run = flow_run

    @property
    def suspends(self) -> bool:
        """Whether it's a run of a deployment."""
        return self._flow_run.deployment_id is not None

    def was_suspended(self, key: str) -> bool:
        """Whether this run was suspended for the answer under this key earlier.

        False after a retry: Prefect then forgets that the run was suspended, and would suspend it again.
        """
        return self.suspends and bool(_asked_keys(self._flow_run, key))

    def suspend(self, preview: Preview, seconds: int, key: str) -> Answer:
        """Return the answer in the run that it starts; before, and where it's unclear, have this run suspended."""
        asked = _asked_keys(self._flow_run, key)
        if not asked:
            raise self._needs_answer(preview, key, time.time() + seconds, "")
        run, last = self._flow_run, asked[-1]
        with get_client(sync_client=True) as client:
            asked_at, answered_at = _times_of_wait(client.read_flow_run_states(run.id), asked[0])
            delete_answer_due(client, run, last)
        given = _read_answer(CampaignApproval, run.id, keyset_from_paused_state(Suspended(pause_key=last)))
        until = asked_at + seconds
        if answered_at > until or (given.decision == "" and time.time() >= until):
            return _no_answer(seconds)
        if not (why := _what_is_missing(given)):
            return _answer(given)
        raise self._needs_answer(preview, _next_key(key, asked), until, why)

    def pause(self, preview: Preview, seconds: int, stage: Stage) -> Answer:
        """Wait in this process until somebody answers on the paused run.

        Raises:
            InputError: the run has a temporary Prefect server, where nobody can answer.
        """
        if not PREFECT_API_URL.value():
            raise InputError(
                "this campaign needs approval, but its run has a temporary Prefect server, where nobody can be asked. "
                "Set PREFECT_API_URL to your Prefect server, or send it with `globe-sms send`."
            )
        run, deadline, until = self._flow_run.id, time.monotonic() + seconds, time.time() + seconds
        asked: list[str] = []
        why = ""
        with get_client(sync_client=True) as client:
            while True:
                asked.append(_next_key(stage.value, asked))
                state: State[Any] = Paused(
                    timeout_seconds=seconds + _LONGER_SECONDS, pause_key=asked[-1], message=_waiting(until, why)
                )
                form, keys = self._form(client, preview, why), _keep_keys(state)
                client.set_flow_run_state(run, state)
                form.save(keys, flow_run_id=run)  # pyright: ignore[reportArgumentType]  # a keyset, as Prefect makes it
                if not _resumed(client, run, deadline):
                    return _no_answer(seconds)
                given = _read_answer(form, run, keys)
                if not (why := _what_is_missing(given)):
                    return _answer(given)

    def _needs_answer(self, preview: Preview, key: str, until: float, why: str) -> AnswerNeededError:
        def suspend() -> NoReturn:
            with get_client(sync_client=True) as client:
                _suspend(client, self._flow_run, self._form(client, preview, why), _suspended(key, until, why), until)

        return AnswerNeededError(until, suspend)

    def _form(self, client: SyncPrefectClient, preview: Preview, why: str) -> type[CampaignApproval]:
        page = _link_to_page(client, self._flow_run)
        said = [Words(why, strong=True)] if why else []
        blocks = (*said, *question_page(preview, *page).in_words(in_form_words).blocks)
        return CampaignApproval.with_initial_data(description=as_markdown(Page("", blocks)))


def suspend_last(flow_function: _Function) -> _Function:
    """Suspend the run, if it needs an answer, once all that it has opened is closed."""

    @functools.wraps(flow_function)
    def suspending(**parameters: Any) -> Any:
        try:
            return flow_function(**parameters)
        except AnswerNeededError as needed:
            suspend = needed.suspend
        return suspend()

    return cast("_Function", suspending)


def _suspend(
    client: SyncPrefectClient, run: FlowRun, form: type[CampaignApproval], state: State[Any], until: float
) -> NoReturn:
    """Suspend the run, with its form.

    Raises:
        GlobeSmsError: Prefect refused.
        prefect.exceptions.Pause: the run is suspended; its process must end.
    """
    key = str(state.state_details.pause_key)
    keys = _keep_keys(state)
    with suppress(HTTPError, PrefectHTTPStatusError):  # without it the run waits for the server's own limit
        schedule_answer_due(client, run, key, until)
    result = client.set_flow_run_state(run.id, state)
    if result.status is not SetStateStatus.ACCEPT or result.state is None:
        delete_answer_due(client, run, key)
        reason = getattr(result.details, "reason", None) or result.status
        raise GlobeSmsError(f"this campaign needs approval, but Prefect didn't suspend the run ({reason}).")
    # Last: with the state the server deletes what it has of an earlier question under this key.
    form.save(keys, flow_run_id=run.id)  # pyright: ignore[reportArgumentType]  # a keyset, as Prefect makes it
    raise Pause(state=result.state)


def _suspended(key: str, until: float, why: str) -> State[Any]:
    seconds = max(0, round(until - time.time())) + _LONGER_SECONDS
    return Suspended(timeout_seconds=seconds, pause_key=key, message=_waiting(until, why))


def _keep_keys(state: State[Any]) -> dict[str, str]:
    """Name the inputs of a paused state in it, and return their keys."""
    keys = {str(name): str(key) for name, key in keyset_from_paused_state(state).items()}
    state.state_details.run_input_keyset = keys
    return keys


def _asked_keys(run: FlowRun, key: str) -> list[str]:
    """Return the keys of a question that was asked, and asked again, in their order."""
    known = run.empirical_policy.pause_keys or ()
    asked: list[str] = []
    while (following := _next_key(key, asked)) in known:
        asked.append(following)
    return asked


def _next_key(key: str, asked: Sequence[str]) -> str:
    return key if not asked else f"{key}-{len(asked) + 1}"


def _times_of_wait(states: Sequence[State[Any]], key: str) -> tuple[float, float]:
    """Return when the run was first suspended with this key, and when it was resumed last; Unix times."""
    asked = [_at(state) for state in states if state.is_paused() and state.state_details.pause_key == key]
    since = max(asked, default=time.time())
    resumed = [_at(state) for state in states if state.name == _RESUMING and _at(state) >= since]
    return since, max(resumed, default=time.time())


def _at(state: State[Any]) -> float:
    timestamp: datetime = state.timestamp
    return timestamp.timestamp()


def _read_answer(form: type[CampaignApproval], run: UUID, keys: Any) -> CampaignApproval:
    """Return what was filled in; an answer that isn't one of the form's is an empty one."""
    try:
        return cast("CampaignApproval", form.load(keys, flow_run_id=run))
    except (ValidationError, ValueError, TypeError):
        return CampaignApproval()


def _what_is_missing(given: CampaignApproval) -> str:
    """Say why an answer isn't clear; empty if it is."""
    if not given.decision:
        return _NO_DECISION
    return _NO_NAME if given.decision == "approve" and not given.name.strip() else ""


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


def _link_to_page(client: SyncPrefectClient, run: FlowRun) -> list[Block]:
    """Return a link from the run's page to the campaign's, which has the whole preview; nothing if there's none."""
    with suppress(HTTPError, PrefectHTTPStatusError):
        of_run = ArtifactFilter(
            flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]), type=ArtifactFilterType(any_=["markdown"])
        )
        found = client.read_artifacts(artifact_filter=of_run)
        if found:
            return [Link("The whole preview", f"../../artifacts/artifact/{found[0].id}")]
    return []


def _answer(given: CampaignApproval) -> Answer:
    decision = Decision.APPROVED if given.decision == "approve" else Decision.DECLINED
    return Answer(decision, mask_numbers_in(given.name.strip()) or "somebody", "in Prefect")


def _no_answer(seconds: int) -> Answer:
    return Answer(Decision.DECLINED, NOBODY, f"nobody answered in {in_words(seconds)}")


def _waiting(until: float, why: str) -> str:
    return f"{why}{' ' if why else ''}Waiting for approval until {moment(until)}. To answer, {RESUME}."
