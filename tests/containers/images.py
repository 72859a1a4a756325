"""The images of the tests: ours, built here, and those it is built on or runs beside, pulled or made here.

Where no registry of images can be reached, bases are made of Debian's packages. They answer to the same commands as
the ones they replace, though not in the same versions. All that is built here is named `localhost/globe-sms-tests/...`
and stays for the next time; `podman image rm` removes it.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from globe_sms.deployments.prefect_yaml import SHIPPED
from tests.containers.podman import Podman

DEPLOYMENTS: Final = SHIPPED.resolve().parent
PROJECT: Final = DEPLOYMENTS.parent
NAMES: Final = "localhost/globe-sms-tests"
OURS: Final = f"{NAMES}/globe-sms:0.1.0"
SANDBOX: Final = f"{NAMES}/globe-sms-sandbox:0.1.0"
_HERE: Final = Path(__file__).parent
_DEBIAN: Final = "bookworm"
# What pip reads from its own files and from the environment, and a build needs as well.
_OF_THE_BUILD: Final = frozenset(
    {
        "cert",
        "constraint",
        "default-timeout",
        "extra-index-url",
        "find-links",
        "index-url",
        "no-index",
        "proxy",
        "retries",
        "timeout",
        "trusted-host",
    }
)


def base_images(podman: Podman, folder: Path) -> dict[str, str]:
    """Return the images of compose.yaml's variables, each from the environment, from its registry or made here."""
    wanted = {"PYTHON_IMAGE": "python", "POSTGRES_IMAGE": "postgres", "REDIS_IMAGE": "redis"}
    shipped = _shipped_images()
    found: dict[str, str] = {}
    for variable, name in wanted.items():
        found[variable] = os.environ.get(variable) or _pulled(podman, shipped[variable]) or _made(podman, name, folder)
    return found


def build_ours(podman: Podman, base: str, folder: Path) -> None:
    """Build the image and the sandbox's, with pip's configuration of this machine."""
    secret = folder / "pip.conf"
    settings = _pip_settings()
    secret.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    places = [f"--volume={path}:{path}:ro" for path in sorted(set(_places(settings)))]
    options = (f"--build-arg=BASE={base}", f"--secret=id=pip.conf,src={secret}", *places)
    dockerfile = DEPLOYMENTS / "image" / "Dockerfile"
    podman.build(dockerfile, PROJECT, OURS, *options)
    podman.build(dockerfile, PROJECT, SANDBOX, "--target=sandbox", *options)


def _shipped_images() -> dict[str, str]:
    compose: Mapping[str, Any] = yaml.safe_load((DEPLOYMENTS / "compose.yaml").read_text())
    services = compose["services"]
    written = (
        services["server"]["build"]["args"]["BASE"],
        services["postgres"]["image"],
        services["redis"]["image"],
    )
    # As in ${REDIS_IMAGE:-redis:7.4-bookworm}.
    return dict(each.removeprefix("${").removesuffix("}").split(":-", 1) for each in written)


def _pulled(podman: Podman, image: str) -> str | None:
    full = f"docker.io/library/{image}"
    if podman.has_image(full) or podman.attempt("pull", "--quiet", full).returncode == 0:
        return full
    return None


def _made(podman: Podman, name: str, folder: Path) -> str:
    python = f"{NAMES}/python:{_DEBIAN}"
    if not podman.has_image(python):
        _make_python(podman, python, folder)
    if name == "python":
        return python
    image = f"{NAMES}/{name}:{_DEBIAN}"
    context = _HERE / "debian"
    podman.choose_runtime(python)
    podman.build(context / f"{name}.Dockerfile", context, image, f"--build-arg=BASE={python}")
    return image


def _make_python(podman: Podman, image: str, folder: Path) -> None:
    program = shutil.which("mmdebstrap")
    if program is None:
        pytest.skip(
            "the base images can't be pulled, and mmdebstrap isn't installed to make them (as root: apt-get install "
            "mmdebstrap); or name your own in PYTHON_IMAGE, POSTGRES_IMAGE and REDIS_IMAGE"
        )
    archive = folder / "python.tar"
    # As the slim images are made: no documentation, no translations, /usr merged.
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "man", "locale")]
    subprocess.run(
        [
            program,
            "--variant=minbase",
            "--quiet",
            "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
            *left_out,
            "--include=usr-is-merged,python3,python3-venv,python3-pip,ca-certificates",
            '--customize-hook=ln -s python3 "$1/usr/bin/python"',
            '--customize-hook=rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
            _DEBIAN,
            archive,
            *_debian_sources(),
        ],
        check=True,
    )
    podman.call("import", str(archive), image)
    archive.unlink()


def _debian_sources() -> list[Path]:
    """This machine's own, where it is of the same Debian: they can be reached."""
    mine = Path("/etc/apt/sources.list.d/debian.sources")
    return [mine] if mine.exists() and _DEBIAN in mine.read_text() else []


def _pip_settings() -> dict[str, str]:
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    settings: dict[str, str] = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        name = key.split(".", 1)[1]
        if name in _OF_THE_BUILD:
            settings[name] = " ".join(str(ast.literal_eval(value)).split())
    return settings


def _places(settings: Mapping[str, str]) -> Iterator[str]:
    for word in (word for value in settings.values() for word in value.split()):
        # The files of an index lie beside its pages.
        path = Path(word.removeprefix("file://")).parent if word.startswith("file://") else Path(word)
        if path.is_absolute() and path.exists():
            yield str(path)
