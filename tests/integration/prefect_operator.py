"""A person who answers a paused run, through Prefect's API as its UI does."""

import threading
from contextlib import suppress
from typing import Any

import httpx

from tests.waiting import LONGEST_WAIT, await_event


def ask(api: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """Ask the server; a busy SQLite answers 503, and is asked again."""
    answers: list[httpx.Response] = []

    def answered() -> bool:
        answers.append(api.request(method, path, json=body))
        return answers[-1].status_code != httpx.codes.SERVICE_UNAVAILABLE

    await_event(answered, "an answer of Prefect's server")
    return answers[-1].raise_for_status().json()


class Operator:
    """Waits in a thread until the campaign's run is paused for a question, then does what it was told."""

    def __init__(
        self, api: httpx.Client, campaign: str, *, meanwhile: Any = None, key: str = "approval", **answer: str
    ) -> None:
        self.form: dict[str, Any] = {}
        self.description = ""
        self._api, self._campaign, self._meanwhile, self._answer = api, campaign, meanwhile, answer
        self._key = key
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _paused(self) -> list[dict[str, Any]]:
        wanted = {"name": {"any_": [self._campaign]}, "state": {"type": {"any_": ["PAUSED"]}}}
        with suppress(httpx.HTTPError):
            answer = self._api.post("/flow_runs/filter", json={"flow_runs": wanted})
            runs: list[dict[str, Any]] = answer.json() if answer.is_success else []
            return [run for run in runs if self._asks(run)]
        return []

    def _asks(self, run: dict[str, Any]) -> bool:
        """Whether a run asks this question; its form is there a moment after its state."""
        asked = run["state"]["state_details"]
        form = f"/flow_runs/{run['id']}/input/{asked['run_input_keyset']['description']}"
        return asked["pause_key"] == self._key and self._api.get(form).is_success

    def _work(self) -> None:
        await_event(lambda: bool(self._paused()), "a paused run")
        run = self._paused()[0]
        keys = run["state"]["state_details"]["run_input_keyset"]
        self.form = ask(self._api, "GET", f"/flow_runs/{run['id']}/input/{keys['schema']}")
        self.description = ask(self._api, "GET", f"/flow_runs/{run['id']}/input/{keys['description']}")
        if self._meanwhile is not None:
            self._meanwhile()
        ask(self._api, "POST", f"/flow_runs/{run['id']}/resume", {"run_input": self._answer})

    def done(self) -> None:
        """Wait for its end."""
        self._thread.join(LONGEST_WAIT)
        assert not self._thread.is_alive()
