"""Prefect's server in a process of its own: one that the whole suite shares, and others that tests kill."""

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


class PrefectApi:
    """A running Prefect server, asked by its API; `home` is where its runs keep what they keep."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=LONGEST_WAIT)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a run is recorded here."""
        return {"PREFECT_API_URL": self.url, "PREFECT_HOME": str(self.home)}

    def is_up(self) -> bool:
        """Whether it answers."""
        with suppress(httpx.HTTPError):
            return self._client.get("/health").is_success
        return False

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
        """Ask no more."""
        self._client.close()


class PrefectServer(PrefectApi):
    """A Prefect server of the suite's own on loopback; it ends with this process.

    A context manager, which waits until it's up; `environment` has further settings of the server.
    """

    def __init__(self, **environment: str) -> None:
        (port,) = free_ports(1)
        super().__init__(f"http://127.0.0.1:{port}/api", Path(tempfile.mkdtemp(prefix="globe-sms-prefect-")))
        self._child = Child(
            [str(PROGRAMS / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            environment={
                "PREFECT_HOME": str(self.home),
                "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                "PREFECT_SERVER_UI_ENABLED": "false",
                "DO_NOT_TRACK": "1",
                **environment,
            },
            output=self.home / "server.out",
            remove=[self.home],
        )

    def wait(self) -> None:
        """Wait until it's up."""
        await_event(lambda: not self._child.alive or self.is_up(), "Prefect's server")
        assert self._child.alive, self._child.output.read_text()[-1000:]

    def kill(self) -> None:
        """End it with SIGKILL; its port refuses connections when this returns."""
        self._child.send(signal.SIGKILL)
        self._child.wait_until_gone(LONGEST_WAIT)

    def start_again(self) -> None:
        """Start it again after `kill`, on the same port with the same database."""
        self._child.start_again()
        self.wait()

    def stop(self) -> None:
        """End it and remove what it wrote."""
        super().stop()
        self._child.stop()

    def __enter__(self) -> Self:
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
