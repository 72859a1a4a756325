"""The stand-in gateway in a child process, and the handle by which tests and the demo control it."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from types import TracebackType
from typing import Any, Self

import httpx

from globe_sms.deployments.sandbox.child_process import Child, free_ports, wait_until
from globe_sms.deployments.sandbox.delivery_handle import DeliveriesControl
from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival, Stats
from globe_sms.deployments.sandbox.gateway.fault_rules import FaultRule, Latency
from globe_sms.deployments.sandbox.gateway.settings import GatewaySettings

_ATTEMPTS = 5
_START_SECONDS = 60.0


class GatewayControl(DeliveriesControl):
    """Talks to a running gateway's control endpoints; any process of this machine may.

    Raises:
        httpx.HTTPError: the gateway does not run, or the request is wrong.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # No proxy of the environment may stand between us and loopback.
        self._client = httpx.Client(base_url=f"{endpoint}/_sandbox", trust_env=False, timeout=30.0)

    def set_latency(self, low: float, high: float | None = None, *, seed: int = 0) -> None:
        """Let each answer take `low` to `high` seconds, drawn uniformly; with one bound exactly that."""
        latency = Latency(low=low, high=low if high is None else high, seed=seed)
        self._client.put("/latency", content=latency.model_dump_json()).raise_for_status()

    def add_fault(self, kind: str | FaultRule, **options: Any) -> None:
        """Put a fault rule in force, behind those there are; the options are the fields of `FaultRule`."""
        rule = kind if isinstance(kind, FaultRule) else FaultRule(kind=kind, **options)
        self._client.post("/faults", content=rule.model_dump_json()).raise_for_status()

    def clear_faults(self) -> None:
        """Take every fault rule out of force; the latency stays."""
        self._client.delete("/faults").raise_for_status()

    def faults(self) -> list[FaultRule]:
        """Give the rules in force."""
        answer = self._client.get("/faults").raise_for_status()
        return [FaultRule.model_validate(rule) for rule in answer.json()["faults"]]

    def log(self) -> list[Arrival]:
        """Give every arrival since the start or the last reset, in the order of the log's lines."""
        return list(self.iterate_log())

    def iterate_log(self) -> Iterator[Arrival]:
        """Give the arrivals one by one, for a log that is too large for memory."""
        with self._client.stream("GET", "/log") as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line:
                    yield Arrival.read(line)

    def stats(self) -> Stats:
        """Give the log in counts."""
        return Stats.model_validate(self._client.get("/stats").raise_for_status().json())

    def reset(self) -> None:
        """Forget arrivals, what became of them, and fault rules, and answer at once; nonces and MessageIds go on."""
        self.clear_faults()
        self.set_latency(0)
        self._client.delete("/log").raise_for_status()

    def is_up(self) -> bool:
        """Tell whether the gateway answers."""
        with suppress(httpx.HTTPError):
            return self._client.get("/health").is_success
        return False

    def close(self) -> None:
        """Close the connections to the gateway; the gateway goes on."""
        self._client.close()


class GatewayServer(GatewayControl):
    """A gateway in a child process of its own, up when this returns; a context manager.

    The child ends when this process does, however it ends (see `guard`). The log of arrivals survives a `kill` and is
    continued by `start_again`.
    """

    def __init__(self, settings: GatewaySettings, *, log: Path | None = None) -> None:
        """Start it with the log of arrivals at `log`, or in a folder that goes with it.

        Raises:
            TimeoutError: it did not come up.
        """
        for attempt in range(_ATTEMPTS):
            folder = Path(tempfile.mkdtemp(prefix="globe-sms-gateway-"))
            config = folder / "gateway.json"
            config.touch(mode=0o600)
            config.write_text(settings.model_dump_json())
            self.log_path = log.resolve() if log else folder / "arrivals.ndjson"
            (port,) = free_ports(1)
            super().__init__(f"http://127.0.0.1:{port}")
            self._child = Child(
                [
                    sys.executable,
                    "-m",
                    "globe_sms.deployments.sandbox.gateway",
                    "--config",
                    str(config),
                    "--port",
                    str(port),
                    "--log",
                    str(self.log_path),
                ],
                output=folder / "gateway.out",
                remove=[folder],
            )
            try:
                self._wait()
            except TimeoutError:
                self.stop()
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def _wait(self) -> None:
        wait_until(lambda: not self._child.alive or self.is_up(), seconds=_START_SECONDS, what="the gateway's start")
        if not self._child.alive:
            msg = f"the gateway did not start: {self._child.output.read_text()[-500:]}"
            raise TimeoutError(msg)

    @property
    def pid(self) -> int:
        """The process id of the gateway itself."""
        return self._child.pid

    def kill(self) -> None:
        """End it with SIGKILL; its port refuses connections when this returns."""
        self._child.send(SIGKILL)
        self._child.wait_until_gone()

    def suspend(self) -> None:
        """Freeze it: connections are taken by the kernel and nothing answers."""
        self._child.send(SIGSTOP)

    def resume(self) -> None:
        """Let a frozen gateway go on."""
        self._child.send(SIGCONT)

    def start_again(self) -> None:
        """Start it again after `kill`, on the same port, with the same accounts and log; nonces are forgotten."""
        self._child.start_again()
        self._wait()

    def stop(self) -> None:
        """Stop it and remove its folder; may be called twice."""
        self.close()
        self._child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
