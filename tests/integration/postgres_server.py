"""A PostgreSQL server of the tests' own on loopback, from Debian's package."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import pytest

from globe_sms.deployments.sandbox.child_process import Child, free_ports
from tests.waiting import LONGEST_WAIT, await_event

_PACKAGE = "postgresql"


class Postgres:
    """A server with an empty database, up when this returns; it ends with this process. A context manager.

    PostgreSQL does not run as root: as root it runs as the user `postgres` that the package has made.
    """

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="globe-sms-postgres-"))
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data = self.folder / "data"
        subprocess.run(
            [*self._as_user, str(programs / "initdb"), "--auth=trust", "--username=prefect", "--no-sync", str(data)],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )
        (port,) = free_ports(1)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(self.folder),
            "fsync": "off",  # nothing is kept
        }
        self._child = Child(
            [
                *self._as_user,
                str(programs / "postgres"),
                "-D",
                str(data),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            output=self.folder / "postgres.out",
            remove=[self.folder],
            folder=self.folder,
        )
        ready = [str(programs / "pg_isready"), "--host=127.0.0.1", f"--port={port}", "--quiet"]
        await_event(lambda: not subprocess.run(ready, check=False).returncode, "PostgreSQL's start")
        self.url = f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.send(signal.SIGINT)  # the fast way of ending it in order, which gives its shared memory back
        self._child.wait_until_gone(LONGEST_WAIT)
        self._child.stop()


def postgres_programs() -> Path:
    """Return the folder of PostgreSQL's programs; as root they are installed where they are missing.

    Skips the test where they are missing and cannot be installed.
    """
    found = _find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update", "--quiet"], ["apt-get", "install", "--yes", "--quiet", _PACKAGE]):
            subprocess.run(
                command, check=False, capture_output=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            )
        found = _find()
    if found is None:
        pytest.skip(f"PostgreSQL is not installed (apt-get install {_PACKAGE}), and only root can install it")
    return found


def _find() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)
