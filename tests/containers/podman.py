"""Podman, as the tests of containers use it: whether it's there, and one call of it."""

import os
import resource
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.waiting import LONGEST_WAIT

INSTALL = "apt-get install podman buildah runc netavark aardvark-dns iptables catatonit fuse-overlayfs"
_RUNTIMES = ("crun", "runc")
_MOST = 16_384  # open files and processes of a container


class Podman:
    """An engine whose containers work on this machine, found by trying; its own settings are in `folder`."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("podman")
        if program is None:
            pytest.skip(f"podman isn't installed (as root: {INSTALL})")
        self._program = program
        self._settings = folder / "containers.conf"
        self._settings.touch()

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which podman, and what calls it, use these settings."""
        return {**os.environ, "CONTAINERS_CONF": str(self._settings)}

    def choose_runtime(self, image: str) -> str:
        """Take the first runtime that can run a container of the image here, and return its name; skip without one.

        A machine that is a container itself may have limits and control groups that one runtime accepts and another
        refuses.
        """
        refusals: list[str] = []
        # By default containers get more of these than some machines have to give.
        kinds = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        most = {name: min(resource.getrlimit(kind)[1], _MOST) for name, kind in kinds.items()}
        limits = ", ".join(f'"{name}={limit}:{limit}"' for name, limit in most.items())
        for runtime in filter(shutil.which, _RUNTIMES):
            self._settings.write_text(f'[containers]\ndefault_ulimits = [{limits}]\n[engine]\nruntime = "{runtime}"\n')
            tried = self.attempt("run", "--rm", image, "true")
            if tried.returncode == 0:
                return runtime
            refusals.append(f"{runtime}: {tried.stderr.decode().strip()[-300:]}")
        pytest.skip(f"podman can't run a container here (as root: {INSTALL}): {'; '.join(refusals) or 'no runtime'}")

    def attempt(self, *arguments: str, given: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
        """Call podman and return what it answered, also if it failed."""
        return subprocess.run(
            [self._program, *arguments], check=False, capture_output=True, input=given, env=self.environment
        )

    def call(self, *arguments: str, given: bytes | None = None) -> bytes:
        """Call podman and return its output; an error is an AssertionError with what it said."""
        done = self.attempt(*arguments, given=given)
        assert done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr.decode()[-3000:]}"
        return done.stdout

    def words(self, *arguments: str) -> list[str]:
        """Call podman and return its output's words."""
        return self.call(*arguments).decode().split()

    def has_image(self, image: str) -> bool:
        """Whether the image is on this machine."""
        return self.attempt("image", "exists", image).returncode == 0

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start podman as a process that stays."""
        return subprocess.Popen([self._program, *arguments], env=self.environment)

    def build(self, dockerfile: Path, context: Path, tag: str, *arguments: str) -> None:
        """Build an image, with the network of this machine."""
        self.call(
            "build",
            "--isolation=chroot",
            "--network=host",
            "--format=docker",
            f"--file={dockerfile}",
            f"--tag={tag}",
            *arguments,
            str(context),
        )


def compose(podman: Podman, program: Path, folder: Path, *arguments: str, files: Sequence[str]) -> str:
    """Call podman-compose in the folder of its files and return its output."""
    done = subprocess.run(
        [program, *(f"--file={file}" for file in files), *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=podman.environment,
        timeout=LONGEST_WAIT,
    )
    assert done.returncode == 0, f"podman-compose {' '.join(arguments)}: {done.stderr[-3000:]}"
    return done.stdout
