"""The sandbox gateway in a child process, and the handle with which tests and the demo control it."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from globe_sms.deployments.sandbox.child_process import Child, ChildServer, free_ports
from globe_sms.deployments.sandbox.delivery_handle import DeliveriesControl
from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival, Stats
from globe_sms.deployments.sandbox.gateway.fault_rules import FaultRule, Latency
from globe_sms.deployments.sandbox.gateway.settings import GatewaySettings

_WHAT = "the gateway"


class GatewayControl(DeliveriesControl):
    """Controls a running gateway, from any process on this machine.

    Raises:
        httpx.HTTPError: the gateway isn't running, or the request is wrong.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # Ignore the environment's proxies for loopback.
        self._client = httpx.Client(base_url=f"{endpoint}/_sandbox", trust_env=False, timeout=30.0)

    def set_latency(self, low: float, high: float | None = None, *, seed: int = 0) -> None:
        """Make each answer take `low` to `high` seconds, uniformly drawn; with one bound, exactly that."""
        latency = Latency(low=low, high=low if high is None else high, seed=seed)
        self._client.put("/latency", content=latency.model_dump_json()).raise_for_status()

    def delay_arrivals(self, low: float, high: float | None = None, *, seed: int = 0) -> None:
        """Delay each call's arrival by `low` to `high` seconds, like a network whose delay varies."""
        delay = Latency(low=low, high=low if high is None else high, seed=seed)
        self._client.put("/arrival-delay", content=delay.model_dump_json()).raise_for_status()

    def add_fault(self, kind: str | FaultRule, **options: Any) -> None:
        """Add a fault rule after the existing ones; the options are the fields of `FaultRule`."""
        rule = kind if isinstance(kind, FaultRule) else FaultRule(kind=kind, **options)
        self._client.post("/faults", content=rule.model_dump_json()).raise_for_status()

    def clear_faults(self) -> None:
        """Remove all fault rules; the latency stays."""
        self._client.delete("/faults").raise_for_status()

    def faults(self) -> list[FaultRule]:
        """Return the active fault rules."""
        answer = self._client.get("/faults").raise_for_status()
        return [FaultRule.model_validate(rule) for rule in answer.json()["faults"]]

    def log(self) -> list[Arrival]:
        """Return every arrival since the start or the last reset, in the order of the log."""
        return list(self.iterate_log())

    def iterate_log(self) -> Iterator[Arrival]:
        """Yield the arrivals one by one, for a log that doesn't fit into memory."""
        with self._client.stream("GET", "/log") as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line:
                    yield Arrival.read(line)

    def stats(self) -> Stats:
        """Return counts of the log."""
        return Stats.model_validate(self._client.get("/stats").raise_for_status().json())

    def reset(self) -> None:
        """Forget arrivals, deliveries and fault rules, and set latency and delay to 0; keep nonces and MessageIds."""
        self.clear_faults()
        self.set_latency(0)
        self.delay_arrivals(0)
        self._client.delete("/log").raise_for_status()

    def is_up(self) -> bool:
        """Return whether the gateway answers."""
        with suppress(httpx.HTTPError):
            return self._client.get("/health").is_success
        return False

    def close(self) -> None:
        """Close the connections to the gateway; the gateway keeps running."""
        self._client.close()


class GatewayServer(GatewayControl, ChildServer):
    """A gateway in its own child process, ready once constructed; a context manager.

    The child ends with this process, however that ends (see `child_guard`). The log of arrivals survives a `kill` and
    continues after `start_again`.
    """

    log_path: Path

    def __init__(self, settings: GatewaySettings, *, log: Path | None = None) -> None:
        """Start the gateway with its log of arrivals at `log`, or in a folder that is removed with it.

        Raises:
            TimeoutError: the gateway didn't start.
        """

        def make() -> Child:
            folder = Path(tempfile.mkdtemp(prefix="globe-sms-gateway-"))
            config = folder / "gateway.json"
            config.touch(mode=0o600)
            config.write_text(settings.model_dump_json())
            self.log_path = log.resolve() if log else folder / "arrivals.ndjson"
            (port,) = free_ports(1)
            super(GatewayServer, self).__init__(f"http://127.0.0.1:{port}")
            options = ("--config", str(config), "--port", str(port), "--log", str(self.log_path))
            return Child(
                [sys.executable, "-m", "globe_sms.deployments.sandbox.gateway", *options],
                output=folder / "gateway.out",
                remove=[folder],
            )

        self._start(make, self.is_up, _WHAT)

    def start_again(self) -> None:
        """Start it again after `kill`, on the same port, with the same accounts and log; nonces are forgotten."""
        self._child.start_again()
        self._wait(self.is_up, _WHAT)

    def stop(self) -> None:
        """Stop it and remove its folder; may be called twice."""
        self.close()
        self._child.stop()
