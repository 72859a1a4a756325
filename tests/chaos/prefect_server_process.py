"""A Prefect server in a process of its own, which tests kill and start again."""

import signal
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from globe_sms.deployments.sandbox.child_process import Child, free_ports
from tests.chaos.command_process import PROGRAMS
from tests.waiting import LONGEST_WAIT, await_event


class PrefectServer:
    """A Prefect server of the suite's own on loopback, up when this returns; it ends with this process.

    A context manager; `environment` has further settings of the server.
    """

    def __init__(self, **environment: str) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="globe-sms-prefect-"))
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}/api"
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=LONGEST_WAIT)
        self._child = Child(
            [str(PROGRAMS / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            environment={
                "PREFECT_HOME": str(self._home),
                "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                "PREFECT_SERVER_UI_ENABLED": "false",
                "DO_NOT_TRACK": "1",
                **environment,
            },
            output=self._home / "server.out",
            remove=[self._home],
        )
        self._wait()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a run is recorded here."""
        return {"PREFECT_API_URL": self.url, "PREFECT_HOME": str(self._home)}

    def _wait(self) -> None:
        await_event(lambda: not self._child.alive or self.is_up(), "Prefect's server")
        assert self._child.alive, self._child.output.read_text()[-1000:]

    def is_up(self) -> bool:
        """Whether it answers."""
        with suppress(httpx.HTTPError):
            return self._client.get("/health").is_success
        return False

    def kill(self) -> None:
        """End it with SIGKILL; its port refuses connections when this returns."""
        self._child.send(signal.SIGKILL)
        self._child.wait_until_gone(LONGEST_WAIT)

    def start_again(self) -> None:
        """Start it again after `kill`, on the same port with the same database."""
        self._child.start_again()
        self._wait()

    def flow_runs(self, name: str) -> list[dict[str, Any]]:
        """The flow runs of that name, the latest first."""
        query = {"flow_runs": {"name": {"any_": [name]}}, "sort": "START_TIME_DESC"}
        return self.ask("POST", "/flow_runs/filter", query)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call its API and return the answer."""
        answers: list[httpx.Response] = []

        def answered() -> bool:
            answers.append(self._client.request(method, path, json=body))
            return answers[-1].status_code != httpx.codes.SERVICE_UNAVAILABLE  # a busy SQLite's

        await_event(answered, "an answer of Prefect's server")
        assert answers[-1].is_success, f"{method} {path}: {answers[-1].status_code} {answers[-1].text}"
        return answers[-1].json() if answers[-1].content else None

    def stop(self) -> None:
        """End it and remove what it wrote."""
        self._client.close()
        self._child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
