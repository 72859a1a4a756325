"""Install what the project needs from requirements.lock into a new virtual environment, each file checked by its hash.

    python deployments/image/install_locked.py --extras server,docker --into /opt/globe-sms

requirements.lock also has what only developers need; this takes the part that the project and the given extras need.
The image is built with it, and `make sbom` lists what it installs. It uses the standard library and the pip of the
Python that runs it, with pip's own settings, and puts no pip into the environment.
"""  # noqa: INP001  # a script, not a module of the package

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable, Iterator
from email.parser import BytesParser
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement

_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==.*?(?<!\\)$", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Read the command line and install."""
    parser = argparse.ArgumentParser(description="Install the project's packages from requirements.lock.")
    parser.add_argument("--into", type=Path, required=True, help="the virtual environment to make")
    parser.add_argument("--extras", default="", help="the project's extras, separated by commas")
    parser.add_argument("--build-system", action="store_true", help="install what builds the project, instead")
    parser.add_argument("--project", type=Path, default=Path(), help="the folder with requirements.lock")
    options = parser.parse_args()
    pyproject = tomllib.loads((options.project / "pyproject.toml").read_text())
    wanted: list[str]
    if options.build_system:
        wanted = pyproject["build-system"]["requires"]
    else:
        wanted = pyproject["project"]["dependencies"]
        for extra in filter(None, options.extras.split(",")):
            wanted += pyproject["project"]["optional-dependencies"][extra]
    lock = (options.project / "requirements.lock").read_text()
    install(wanted, {_normal(entry[1]): entry[0] for entry in _ENTRY.finditer(lock)}, options.into)


def install(wanted: Iterable[str], lock: dict[str, str], into: Path) -> None:
    """Install the requirements and all that they need; `lock` has a package's lines by its name.

    Raises:
        subprocess.CalledProcessError: pip refused; it has said why.
        KeyError: a package isn't in the lock.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheels, lines = Path(folder) / "wheels", Path(folder) / "lines"
        new, known = set(_with_extras(wanted, "")), set[tuple[str, str]]()
        while new:
            lines.write_text("\n".join(lock[name] for name in sorted({name for name, _ in new})))
            # Checked by hash before anything of it runs: a few packages have no wheel, and are built here.
            _pip("wheel", "--require-hashes", "--no-deps", f"--wheel-dir={wheels}", f"--requirement={lines}")
            needs = {_normal(wheel.name.split("-")[0]): _needs(wheel) for wheel in wheels.iterdir()}
            known |= new
            new = {each for name, extra in new for each in _with_extras(needs.get(name, ()), extra)} - known
        venv.create(into, symlinks=True)
        python = f"--python={into / 'bin' / 'python'}"
        _pip(python, "install", "--no-index", "--no-deps", *(str(wheel) for wheel in sorted(wheels.iterdir())))


def _with_extras(requirements: Iterable[str], extra: str) -> Iterator[tuple[str, str]]:
    """Yield the packages that hold for this machine and the extra, each by itself and with each of its extras."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield from ((_normal(requirement.name), each) for each in ("", *requirement.extras))


def _needs(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(archive.read(metadata)).get_all("Requires-Dist", [])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], check=True)  # noqa: S603  # pip


if __name__ == "__main__":
    main()
