"""The real processes of the suite, started, watched and ended: the command line and Prefect's server."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from globe_sms.deployments.sandbox.child_process import Child, free_ports, wait_until

PROGRAMS = Path(sys.executable).parent
_DIGITS = re.compile(r"\d{7,}")
_LONGEST_RUN = 240.0


class Command:
    """One run of `globe-sms` in a process (and session) of its own; what it prints goes to files.

    Its output is looked at when it has ended: no traceback, no secret, no whole phone number. `program` is another
    one of the environment's. At a `terminal` (a pseudo one) what it says and what is typed go through that.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        secrets: Collection[str],
        numbers: Collection[str],
        program: str = "globe-sms",
        terminal: bool = False,
    ) -> None:
        self._secrets = secrets
        self._numbers = frozenset(numbers)
        self._out, self._err = folder / "stdout", folder / "stderr"
        self._terminal = Terminal(self._err) if terminal else None
        with self._out.open("wb") as out, self._err.open("ab") as err:
            self._process = subprocess.Popen(
                [PROGRAMS / program, *arguments],
                stdin=subprocess.DEVNULL if self._terminal is None else self._terminal.end,
                stdout=out,
                stderr=err if self._terminal is None else self._terminal.end,
                env={**environment, "TERM": "dumb"},
                cwd=folder,
                start_new_session=True,
            )
        if self._terminal is not None:
            self._terminal.copy()

    @property
    def running(self) -> bool:
        """Whether it has not ended; a suspended one has not."""
        return self._process.poll() is None

    @property
    def code(self) -> int:
        """The exit code of a run that has ended; that of a killed one is -9."""
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def stdout(self) -> str:
        """What it has printed so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self) -> str:
        """What it has said so far."""
        return self._err.read_text(encoding="utf-8", errors="replace")

    def type(self, line: str) -> None:
        """Type a line at its terminal."""
        assert self._terminal is not None
        self._terminal.type(line)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and to whatever it has started, as a terminal does."""
        os.killpg(self._process.pid, number)

    def kill(self) -> float:
        """End it with SIGKILL and look at its output; return the monotonic time at which it was gone."""
        self.end()
        gone = time.monotonic()
        self.check_output()
        return gone

    def end(self) -> None:
        """End it with SIGKILL if it still runs, whatever it has printed."""
        with suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self._process.wait()
        self._hear_out()

    def ends_within(self, seconds: float) -> bool:
        """Wait so long for its end; say whether it came."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.running

    def wait(self, seconds: float = _LONGEST_RUN) -> int:
        """Wait for its end, look at its output and return its exit code.

        Raises:
            TimeoutError: it still runs.
        """
        if not self.ends_within(seconds):
            raise TimeoutError(f"still running after {seconds:g} s:\n{self.stderr}")
        self._hear_out()
        self.check_output()
        return self.code

    def _hear_out(self) -> None:
        """Wait until all that it has said at its terminal is in the file."""
        if self._terminal is not None:
            self._terminal.wait()

    def await_step(self, step: str, seconds: float = 120.0) -> bool:
        """Wait until it says that the step has begun; False if it ended before."""
        line = f"globe-sms: {step}"
        wait_until(lambda: not self.running or line in self.stderr, seconds=seconds, what=f"the step {step!r}")
        return self.running

    def check_output(self) -> None:
        """Assert that nothing was printed that must not be."""
        printed = self.stdout + self.stderr
        assert "Traceback" not in printed, printed[-4_000:]
        assert "should not have happened" not in printed, printed
        assert "prefect._internal" not in printed, f"Prefect's own troubles were printed:\n{printed[:2_000]}"
        assert not [secret for secret in self._secrets if secret in printed], "a secret was printed"
        for run in _DIGITS.findall(printed):
            windows = {run[at : at + size] for size in (8, 10) for at in range(len(run) - size + 1)}
            assert not windows & self._numbers, f"a whole phone number was printed: {printed}"


class Terminal:
    """A pseudo-terminal: `end` is what a process gets, and what the process says there is appended to a file."""

    def __init__(self, said: Path) -> None:
        self._ours, self.end = os.openpty()
        self._said = said.open("ab", buffering=0)
        self._thread = threading.Thread(target=self._copy, daemon=True)

    def copy(self) -> None:
        """Copy from here on; the process has its end by now."""
        os.close(self.end)
        self._thread.start()

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{line}\n".encode())

    def wait(self) -> None:
        """Wait until all is copied, which comes after the process's end."""
        self._thread.join(_LONGEST_RUN)

    def _copy(self) -> None:
        with self._said, suppress(OSError):  # how a pseudo-terminal ends
            while piece := os.read(self._ours, 65_536):
                self._said.write(piece)
        os.close(self._ours)


class PrefectServer:
    """A Prefect server of the suite's own on loopback, up when this returns; it ends with this process.

    A context manager; `environment` has further settings of the server.
    """

    def __init__(self, **environment: str) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="globe-sms-prefect-"))
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}/api"
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=30.0)
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
        wait_until(lambda: not self._child.alive or self.is_up(), seconds=180.0, what="Prefect's server")
        assert self._child.alive, self._child.output.read_text()[-1000:]

    def is_up(self) -> bool:
        """Whether it answers."""
        with suppress(httpx.HTTPError):
            return self._client.get("/health").is_success
        return False

    def kill(self) -> None:
        """End it with SIGKILL; its port refuses connections when this returns."""
        self._child.send(signal.SIGKILL)
        self._child.wait_until_gone()

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

        wait_until(answered, seconds=30.0, what="an answer of Prefect's server")
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
