"""Prefect's server as deployments/compose.yaml runs it: its API and its services apart, on PostgreSQL and Redis."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import yaml

from globe_sms.deployments.prefect_yaml import SHIPPED
from globe_sms.deployments.sandbox.child_process import Child, free_ports
from tests.chaos.command_process import PROGRAMS
from tests.waiting import LONGEST_WAIT, await_event

_REDIS = "redis-server"


class SplitServer:
    """The servers of compose.yaml with its settings and its commands, up when this returns. A context manager."""

    def __init__(self, database: str) -> None:
        program = _redis_program()
        self._home = Path(tempfile.mkdtemp(prefix="globe-sms-split-"))
        redis_port, self._port = free_ports(2)
        self.url = f"http://127.0.0.1:{self._port}/api"
        compose: dict[str, Any] = yaml.safe_load(SHIPPED.with_name("compose.yaml").read_text())
        self._services = compose["services"]
        self._settings = {
            name: value.replace("redis://redis:6379", f"redis://127.0.0.1:{redis_port}")
            for name, value in self._services["server"]["environment"].items()
            if "$" not in value
        } | {
            "PREFECT_API_DATABASE_CONNECTION_URL": database,
            "PREFECT_SERVER_API_AUTH_STRING": "someone:a-password",
            "PREFECT_HOME": str(self._home),
            "PREFECT_SERVER_UI_ENABLED": "false",
        }
        redis = [str(program), "--port", str(redis_port), "--bind", "127.0.0.1", "--dir", str(self._home), "--save", ""]
        self._children = [Child(redis, output=self._home / "redis.out", remove=[], folder=self._home)]
        subprocess.run(
            self._command("migrate"), check=True, capture_output=True, env=self._whole(), timeout=LONGEST_WAIT
        )
        self._start("server")
        self._start("services")
        client = httpx.Client(base_url=self.url, trust_env=False)
        await_event(lambda: _answers(client), "Prefect's API")
        client.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which clients reach it."""
        return {
            "PREFECT_API_URL": self.url,
            "PREFECT_API_AUTH_STRING": "someone:a-password",
            "PREFECT_HOME": str(self._home),
        }

    def logs(self) -> str:
        """What the API and the services have printed."""
        return "".join((self._home / f"{name}.out").read_text() for name in ("server", "services"))

    def _start(self, service: str) -> None:
        output = self._home / f"{service}.out"
        self._children.append(
            Child(self._command(service), environment=self._settings, output=output, remove=[], folder=self._home)
        )

    def _command(self, service: str) -> list[str]:
        program, *arguments = self._services[service]["command"]
        port = ["--port", str(self._port)] if service == "server" else []
        return [str(PROGRAMS / program), *("127.0.0.1" if part == "0.0.0.0" else part for part in arguments), *port]  # noqa: S104  # what compose has

    def _whole(self) -> dict[str, str]:
        return {**os.environ, **self._settings}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._children):
            child.stop()
        shutil.rmtree(self._home, ignore_errors=True)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/ready").is_success
    except httpx.HTTPError:
        return False


def _redis_program() -> Path:
    if shutil.which(_REDIS) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update", "--quiet"], ["apt-get", "install", "--yes", "--quiet", _REDIS]):
            subprocess.run(
                command, check=False, capture_output=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            )
    found = shutil.which(_REDIS)
    if found is None:
        pytest.skip(f"Redis is not installed (apt-get install {_REDIS}), and only root can install it")
    return Path(found)
