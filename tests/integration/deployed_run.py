"""A run of a deployment on a real Prefect server, which this process carries out as a worker does."""

import contextlib
import uuid
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
from prefect import Flow
from prefect.exceptions import Pause
from prefect.flow_engine import load_flow_run, run_flow

from globe_sms.deployments.deployed_flows import schema_of
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.campaign.options.flow_parameters import group_options
from tests.integration.prefect_operator import ask

APPROVE = {"run_input": {"decision": "approve", "name": "Mei Tan"}}


class Deployed:
    """One run of a deployment; its methods do what a worker would."""

    def __init__(
        self,
        api: httpx.Client,
        of_deployment: Mapping[str, Any] | None = None,
        flow: Flow[Any, Any] = send_campaign,
        **parameters: Any,
    ) -> None:
        self._api = api
        self._flow = flow
        flow_id = ask(api, "POST", "/flows/", {"name": flow.name})["id"]
        body = {
            "name": f"tests-{uuid.uuid4().hex}",
            "flow_id": flow_id,
            "parameters": group_options(of_deployment or {}),
            "parameter_openapi_schema": schema_of(flow),
        }
        deployment = ask(api, "POST", "/deployments/", body)["id"]
        given = group_options(parameters) if flow is send_campaign else parameters
        run = {"parameters": given, "state": {"type": "PENDING"}, "enforce_parameter_schema": False}
        self.id: str = ask(api, "POST", f"/deployments/{deployment}/create_flow_run", run)["id"]

    def run(self) -> str:
        """Run it to its end, or to its question; return the name of its state."""
        with contextlib.suppress(Pause):
            run_flow(self._flow, flow_run=load_flow_run(UUID(self.id)), return_type="state")
        return self.state["name"]

    @property
    def state(self) -> dict[str, Any]:
        """Its state: type, name and message."""
        return ask(self._api, "GET", f"/flow_runs/{self.id}")["state"]

    def approve(self) -> str:
        """Say yes, and run it as a worker does then."""
        assert ask(self._api, "POST", f"/flow_runs/{self.id}/resume", APPROVE)["status"] == "ACCEPT"
        return self.run()

    def answer(self, **given: str) -> str:
        """Answer so, and run it as a worker does then."""
        answer = {"run_input": given} if given else {}
        assert ask(self._api, "POST", f"/flow_runs/{self.id}/resume", answer)["status"] == "ACCEPT"
        return self.run()

    def answers_due(self) -> list[str]:
        """Return the runs that are scheduled for the end of its wait."""
        named = {"name": {"like_": "declined unless answered"}}
        found = ask(self._api, "POST", "/flow_runs/filter", {"flow_runs": named})
        return [run["id"] for run in found if self.id in run["idempotency_key"]]

    def suspend(self) -> None:
        """Press Pause: Prefect's UI suspends the run."""
        state = {"type": "PAUSED", "name": "Suspended", "state_details": {"pause_reschedule": True}}
        assert ask(self._api, "POST", f"/flow_runs/{self.id}/set_state", {"state": state})["status"] == "ACCEPT"

    def resume(self) -> None:
        """Press Resume."""
        assert ask(self._api, "POST", f"/flow_runs/{self.id}/resume", {})["status"] == "ACCEPT"

    def question(self) -> str:
        """Return what it asks."""
        keys = ask(self._api, "GET", f"/flow_runs/{self.id}")["state"]["state_details"]["run_input_keyset"]
        return str(ask(self._api, "GET", f"/flow_runs/{self.id}/input/{keys['description']}"))

    def retry(self) -> str:
        """Press Retry, and run it as a worker does then."""
        again = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}}
        assert ask(self._api, "POST", f"/flow_runs/{self.id}/set_state", again)["status"] == "ACCEPT"
        return self.run()

    def artifacts(self) -> dict[str, str]:
        """Return the artifacts of the run by key."""
        wanted = {"artifacts": {"flow_run_id": {"any_": [self.id]}}}
        return {each["key"]: each["data"] for each in ask(self._api, "POST", "/artifacts/filter", wanted)}
