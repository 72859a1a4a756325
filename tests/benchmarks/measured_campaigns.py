"""Where a measurement plays: the sandbox, a Prefect server, campaigns and their rivals, each in its own process."""

import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from globe_sms.deployments.sandbox.child_process import Child, free_ports, wait_until
from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.command_line.prefect_settings import set_prefect_defaults
from tests.benchmarks.benchmark_lists import NUMBERS, write_list
from tests.benchmarks.measured_process import Program, script

MESSAGE = "Your parcel arrives tomorrow between 9 and 12."
_FOREIGN = ("AWS_", "PREFECT_", "ALIBABA_", "GLOBE_")


class PrefectServer:
    """A Prefect server on loopback with a home of its own, up when this returns; ends with this process.

    Its settings are those that the product gives its own temporary server, and PREFECT_SERVER_* of the environment.
    """

    def __init__(self, home: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}/api"
        self.environment = {"PREFECT_API_URL": self.url, "PREFECT_HOME": str(home), "DO_NOT_TRACK": "1"}
        settings = {**os.environ, **self.environment, "PREFECT_SERVER_UI_ENABLED": "false"}
        set_prefect_defaults(settings)  # as the product sets its own
        self._child = Child(
            [str(script("prefect")), "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            environment=settings,
            output=home / "server.out",
            remove=[],
        )
        wait_until(lambda: not self._child.alive or self._is_up(), seconds=180.0, what="Prefect's server")
        if not self._child.alive:
            raise RuntimeError((home / "server.out").read_text(encoding="utf-8")[-2000:])

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._child.pid

    def limit_rate(self, name: str, slots: int, decay_per_second: float) -> None:
        """Create a global concurrency limit whose slots decay: what `rate_limit` needs."""
        httpx.post(
            f"{self.url}/v2/concurrency_limits/",
            json={"name": name, "limit": slots, "slot_decay_per_second": decay_per_second},
            trust_env=False,
        ).raise_for_status()

    def stop(self) -> None:
        """End it; may be called twice."""
        self._child.stop()


class Stage:
    """A sandbox and a Prefect server of its own; a context manager that ends every process it started.

    Without `prefect`, runs are recorded nowhere, as at a terminal. The other options are those of `Sandbox`. Every list
    has numbers that no other list of the stage has.
    """

    def __init__(self, *, prefect: bool = True, **options: Any) -> None:
        self._stack = ExitStack()
        self._count = itertools.count()
        self._next_number = NUMBERS.start
        self._prefect: PrefectServer | None = None
        try:
            self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="globe-sms-bench-")))
            self.sandbox = self._stack.enter_context(Sandbox(**options))
            if prefect:
                self.start_prefect()
        except BaseException:
            self._stack.close()
            raise

    @property
    def prefect(self) -> PrefectServer:
        """The Prefect server that programs started from now on record their runs on."""
        assert self._prefect is not None
        return self._prefect

    def start_prefect(self) -> None:
        """Start a Prefect server in the place of the one there is, if there is one."""
        if self._prefect is not None:
            self._prefect.stop()
        home = self.folder / f"prefect-{next(self._count)}"
        home.mkdir()
        self._prefect = PrefectServer(home)
        self._stack.callback(self._prefect.stop)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process on the stage: the sandbox's keys, the server, nothing of the user's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return {
            **kept,
            **self.sandbox.environment,
            **({"PREFECT_HOME": str(self.folder)} if self._prefect is None else self._prefect.environment),
            "PREFECT_LOGGING_LEVEL": "ERROR",
            "XDG_STATE_HOME": str(self.folder / "state"),
        }

    def numbers(self, count: int) -> range:
        """Take so many numbers that nobody on the stage has had."""
        first, self._next_number = self._next_number, self._next_number + count
        return range(first, self._next_number)

    def campaign(self, name: str, *, chunks: int, numbers_per_call: int, calls_per_second: float) -> list[str | Path]:
        """Write a list of so many chunks; return the command that sends it, results on S3."""
        path = self.folder / f"{name}.parquet"
        write_list(path, self.numbers(chunks * numbers_per_call))
        return [
            script("globe-sms"),
            "send",
            path,
            f"--message={MESSAGE}",
            "--type=NOTIFY",
            f"--results=s3://{self.sandbox.bucket}/campaigns",
            f"--campaign={name}",
            f"--numbers-per-call={numbers_per_call}",
            f"--calls-per-second={calls_per_second:g}",
            "--json",
        ]

    def rival(self, module: str, name: str, *options: str, calls: int, numbers_per_call: int) -> list[str | Path]:
        """Return the command of a rival in this folder, which makes so many calls with task ids `<name>-<call>-1`."""
        return [
            sys.executable,
            "-m",
            f"tests.benchmarks.{module}",
            f"--name={name}",
            f"--calls={calls}",
            f"--first-number={self.numbers(calls * numbers_per_call).start}",
            f"--numbers-per-call={numbers_per_call}",
            *options,
        ]

    def empty_map(self, *, tasks: int, threads: int) -> list[str | Path]:
        """Return the command that prints how many empty task runs a second Prefect's bare `.map` ends."""
        return [sys.executable, "-m", "tests.benchmarks.rival_empty_map", f"--tasks={tasks}", f"--threads={threads}"]

    def start(self, command: list[str | Path], environment: Mapping[str, str] | None = None) -> Program:
        """Start a process, with more in its environment if given; it is ended with the stage at the latest."""
        program = Program(
            command, {**self.environment, **(environment or {})}, self.folder / f"run-{next(self._count)}"
        )
        self._stack.callback(program.stop)
        return program

    def arrivals(self, names: Iterable[str]) -> dict[str, list[Arrival]]:
        """The gateway's log for some campaigns and rivals, by name, in order of arrival."""
        found: dict[str, list[Arrival]] = {name: [] for name in names}
        for arrival in self.sandbox.gateway.iterate_log():
            name = arrival.task_id.rsplit("-", 2)[0]
            if name in found:
                found[name].append(arrival)
        for arrivals in found.values():
            arrivals.sort(key=lambda arrival: arrival.monotonic)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
