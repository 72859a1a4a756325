"""What the tests of containers share; they run only in `make containers`."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.containers.images import base_images, build_ours
from tests.containers.podman import Podman
from tests.containers.team import Team

# They need an engine, a gigabyte of packages and a quarter of an hour.
collect_ignore_glob = [] if os.environ.get("GLOBE_SMS_CONTAINERS") else ["*"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the session's files."""
    return tmp_path_factory.mktemp("containers")


@pytest.fixture(scope="session")
def bases(folder: Path) -> tuple[Podman, dict[str, str]]:
    """The engine, and the images that ours is built on and runs beside."""
    podman = Podman(folder)
    images = base_images(podman, folder)
    runtime = podman.choose_runtime(images["PYTHON_IMAGE"])
    print(f"{podman.call('--version').decode().strip()} with {runtime}; {images}")
    return podman, images


@pytest.fixture(scope="session")
def podman(bases: tuple[Podman, dict[str, str]], folder: Path) -> Podman:
    """The engine, once it has built the images."""
    engine, images = bases
    build_ours(engine, images["PYTHON_IMAGE"], folder)
    return engine


@pytest.fixture(scope="session")
def team(podman: Podman, bases: tuple[Podman, dict[str, str]], folder: Path) -> Generator[Team]:
    """The whole site: PostgreSQL, Redis, Prefect's server, two workers, the receipts endpoint, the sandbox."""
    with Team(podman, bases[1], folder) as team:
        team.start_sandbox()
        team.up("receipts")
        team.up("services")
        team.up("worker", scale=2)
        yield team
