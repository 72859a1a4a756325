"""What stands behind the browser: Prefect's server with its UI, and the flow served as a deployment."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from globe_sms.deployments import serve
from globe_sms.deployments.prefect_yaml import SHIPPED
from globe_sms.deployments.sandbox.child_process import Child, free_ports
from globe_sms.tasks.campaign.options.flow_parameters import group_options
from tests.waiting import LONGEST_WAIT, await_event

_PREFECT = Path(sys.executable).with_name("prefect")
_ROOT = Path(__file__).parents[2]


_SPECIFICATION: dict[str, Any] = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
_LAST = _SPECIFICATION["deployments"][-1]["name"]


class PrefectSite:
    """A Prefect server with its UIs on loopback, and the shipped deployments; a context manager."""

    def __init__(self, environment: Mapping[str, str], results: str, calls_per_second: float) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="globe-sms-prefect-"))
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        file = self._home / "prefect.yaml"
        file.write_text(_deployments(results, calls_per_second), encoding="utf-8")
        self._client = httpx.Client(base_url=f"{self.url}/api", trust_env=False, timeout=LONGEST_WAIT)
        settings = {
            "PREFECT_HOME": str(self._home),
            "PREFECT_API_URL": f"{self.url}/api",
            "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "1",
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "DO_NOT_TRACK": "1",
        }
        self._children = [
            Child(
                [str(_PREFECT), "server", "start", "--host", "127.0.0.1", "--port", str(port)],
                environment=settings,
                output=self._home / "server.out",
                remove=[self._home],
            )
        ]
        try:
            await_event(self._is_up, "Prefect's server")
            self._children.append(
                Child(
                    [sys.executable, "-m", serve.__name__, str(file)],
                    environment={**settings, **environment},
                    output=self._home / "serve.out",
                    remove=[],
                    folder=_ROOT,
                )
            )
            await_event(lambda: self.deployment is not None, "the deployment")
        except BaseException:
            self.stop()
            raise

    @property
    def deployment(self) -> dict[str, Any] | None:
        """The deployment `manual`, once all are registered."""
        return self.deployments().get("manual")

    def deployments(self) -> dict[str, dict[str, Any]]:
        """The deployments by name; none until the last one is registered."""
        found = {each["name"]: each for each in self.ask("POST", "/deployments/filter", {})}
        return found if _LAST in found else {}

    def start(self, **parameters: Any) -> str:
        """Start a run of the deployment, as the form does, and return its id."""
        assert self.deployment is not None
        given = {"parameters": group_options(parameters)}
        made = self.ask("POST", f"/deployments/{self.deployment['id']}/create_flow_run", given)
        return str(made["id"])

    def run(self, run: str) -> dict[str, Any]:
        """Return a flow run."""
        return self.ask("GET", f"/flow_runs/{run}")

    def runs(self) -> list[dict[str, Any]]:
        """Return all flow runs, the latest first."""
        return self.ask("POST", "/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC"})

    def artifacts(self, run: str) -> dict[str, dict[str, Any]]:
        """Return the artifacts of a run by key."""
        found = self.ask("POST", "/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
        return {artifact["key"]: artifact for artifact in found}

    def log(self, run: str) -> list[str]:
        """Return the lines of a run's log, the oldest first."""
        query = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
        return [line["message"] for line in self.ask("POST", "/logs/filter", query)]

    def events(self, prefix: str) -> list[dict[str, Any]]:
        """Return the events whose names begin so."""
        query = {"filter": {"event": {"prefix": [prefix]}}, "limit": 50}
        return self.ask("POST", "/events/filter", query)["events"]

    def answer(self, run: str, **given: Any) -> dict[str, Any]:
        """Answer what a suspended run asks, as the form does; the form is there a moment after the state."""
        keys = self.run(run)["state"]["state_details"]["run_input_keyset"]
        if keys is not None:
            form = f"/flow_runs/{run}/input/{keys['schema']}"
            await_event(lambda: self._client.get(form).is_success, "the form")
        return self.ask("POST", f"/flow_runs/{run}/resume", {"run_input": given})

    def wait_for(self, run: str, *names: str) -> dict[str, Any]:
        """Wait until the run is in a state of one of these names, and return it."""
        self.until(lambda: self.run(run)["state_name"] in names, f"{names}")
        return self.run(run)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something; what the deployment has printed comes with the failure."""
        try:
            await_event(condition, what)
        except TimeoutError as error:
            raise TimeoutError(
                f"{error}\n{self.printed[-4_000:]}\n{[run['state_name'] for run in self.runs()]}"
            ) from None

    @property
    def printed(self) -> str:
        """What the served deployment has printed."""
        path = self._home / "serve.out"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the server; a busy SQLite answers 503, and is asked again."""
        answers: list[httpx.Response] = []

        def answered() -> bool:
            answers.append(self._client.request(method, path, json=body))
            return answers[-1].status_code != httpx.codes.SERVICE_UNAVAILABLE

        await_event(answered, "an answer of Prefect's server")
        answers[-1].raise_for_status()
        return answers[-1].json() if answers[-1].content else None

    def stop(self) -> None:
        """End both and remove what they wrote."""
        self._client.close()
        for child in reversed(self._children):
            child.stop()

    def _is_up(self) -> bool:
        with suppress(httpx.HTTPError):
            return self._client.get("/health").is_success
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _deployments(results: str, calls_per_second: float) -> str:
    """The shipped file, with this site's results and rate for campaigns by hand, and no limit of runs at once."""
    for spec in _SPECIFICATION["deployments"]:
        spec["concurrency_limit"] = None
        if spec["name"] == "manual":
            spec["parameters"] |= {"results": results, "account_and_rate": {"calls_per_second": calls_per_second}}
    return yaml.safe_dump(_SPECIFICATION)
