"""The ways in which somebody is asked whether a campaign may be sent, each with somebody who answers."""

import json
from typing import Any, Protocol

from globe_sms.tasks.campaign.options.flow_parameters import group_options
from tests.chaos.campaign_under_test import Campaign, Stage
from tests.chaos.command_process import Command
from tests.waiting import await_event

FIRST, AFTER_CANARY = "approval", "approval-after-canary"  # Prefect's keys of the two questions
_PAUSED = "PAUSED"
_DEPLOYMENT = "chaos"
_PROGRAM = """
import json, sys
from globe_sms.flows.send_campaign import send_campaign
send_campaign(**json.loads(sys.argv[1]), return_state=True)
"""


class Asked(Protocol):
    """A campaign that is run with the same command again and again, and asks; `command` is its latest process."""

    command: Command

    def start(self) -> None:
        """Run the campaign, or run it again."""
        ...

    def await_question(self, key: str) -> bool:
        """Wait until the run asks this question; False if it ended without it."""
        ...

    def answer(self, *, yes: bool) -> None:
        """Answer the question; the run goes on."""
        ...


class AtTerminal:
    """`globe-sms send` at a terminal."""

    def __init__(self, stage: Stage, campaign: Campaign) -> None:
        self._stage, self._campaign = stage, campaign
        self.start()

    def start(self) -> None:
        """Start the command at a terminal of its own."""
        self.command = self._stage.start(self._campaign, terminal=True)

    def await_question(self, key: str) -> bool:
        """Wait for the question on the screen: before the canary's fate was told, or after."""

        def asks() -> bool:
            before, told, after = self.command.stderr.partition("The canary's")
            return "[y/N]" in (after if key == AFTER_CANARY else before) and bool(told) is (key == AFTER_CANARY)

        return self._stage.await_event(asks, self.command, f"the question {key}")

    def answer(self, *, yes: bool) -> None:
        """Type it."""
        self.command.type("y" if yes else "n")


class InPrefect:
    """A program that calls the flow, and whose run pauses in Prefect until somebody presses Resume."""

    def __init__(self, stage: Stage, campaign: Campaign) -> None:
        self._stage, self._campaign = stage, campaign
        self._run = ""
        self.start()

    def start(self) -> None:
        """Start the program, and learn which run is its own."""
        known = self._runs()
        self.command = self._stage.start_program(
            self._campaign, "python", "-c", _PROGRAM, json.dumps(flow_parameters(self._campaign))
        )
        self._stage.await_event(lambda: self._runs() > known, self.command, "a run in Prefect")
        (self._run,) = self._runs() - known

    def await_question(self, key: str) -> bool:
        """Wait until its run is paused for it."""
        return self._stage.await_event(lambda: self._is_paused(key), self.command, f"the question {key}")

    def answer(self, *, yes: bool) -> None:
        """Fill in the form and press Resume."""
        self._resume(yes=yes)

    def _runs(self) -> set[str]:
        return {run["id"] for run in self._stage.prefect.flow_runs(self._campaign.id)}

    def _is_paused(self, key: str) -> bool:
        state = self._stage.prefect.ask("GET", f"/flow_runs/{self._run}")["state"]
        asked = str(state["state_details"]["pause_key"])  # a suspended run's first question names its plan, too
        return state["type"] == _PAUSED and (asked == key or asked.startswith(f"{key}-of-"))

    def _resume(self, *, yes: bool) -> None:
        form = {"decision": "approve" if yes else "decline", "name": "Chaos"}
        path = f"/flow_runs/{self._run}/resume"

        def taken() -> bool:  # the form is there a moment after the state
            return self._stage.prefect.ask("POST", path, {"run_input": form})["status"] == "ACCEPT"

        await_event(taken, "the answer")


class Deployed(InPrefect):
    """Runs of a deployment: each ends where it asks, and the answer starts it again from the top."""

    def start(self) -> None:
        """Start a run of the deployment, in a process of its own."""
        body = {"parameters": flow_parameters(self._campaign), "state": {"type": "PENDING"}}
        deployment = _deployment(self._stage)
        self._run = self._stage.prefect.ask("POST", f"/deployments/{deployment}/create_flow_run", body)["id"]
        self._execute()

    def await_question(self, key: str) -> bool:
        """Wait until its run is suspended for it, and its process has ended."""
        self._stage.await_event(lambda: self._is_paused(key), self.command, f"the question {key}")
        return self._is_paused(key)

    def answer(self, *, yes: bool) -> None:
        """Fill in the form and press Resume; start the run again, as a worker does."""
        self.command.wait()
        self._resume(yes=yes)
        self._execute()

    def retry(self) -> None:
        """Press Retry on a run that has ended, or whose process was lost."""
        for state in ("CRASHED", "SCHEDULED"):
            body = {"state": {"type": state}, "force": state == "CRASHED"}
            done = self._stage.prefect.ask("POST", f"/flow_runs/{self._run}/set_state", body)
            assert done["status"] == "ACCEPT", done
        self._execute()

    def _execute(self) -> None:
        self.command = self._stage.start_program(self._campaign, "python", "-m", "prefect.engine", self._run)


def flow_parameters(campaign: Campaign) -> dict[str, Any]:
    """What the flow gets for what the command line gets."""
    options = (option.removeprefix("--").partition("=") for option in campaign.options)
    flat: dict[str, Any] = {
        "recipients": [str(campaign.list)],
        "message": "Chaos",
        "type": "NOTIFY",
        "results": campaign.results,
        "campaign": campaign.id,
        "numbers_per_call": campaign.numbers_per_call,
        "calls_per_second": campaign.calls_per_second,
        **{name.replace("-", "_"): json.loads(value) if is_valued else True for name, is_valued, value in options},
    }
    return group_options(flat)


def _deployment(stage: Stage) -> str:
    """Return the id of the flow's deployment, which is made where there is none."""
    flow = stage.prefect.ask("POST", "/flows/", {"name": "send-campaign"})["id"]
    what = {
        "name": _DEPLOYMENT,
        "flow_id": flow,
        "entrypoint": "globe_sms.flows.send_campaign.send_campaign",
        "pull_steps": [],
    }
    return stage.prefect.ask("POST", "/deployments/", what)["id"]
