"""An installed globe-sms, in a folder that has a `flows`, a `tasks` and a `deployments` of its own.

It is built and installed from this checkout, into environments that see this one's other packages: nothing is loaded
from a registry, and this checkout isn't on the path of what is tested.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from globe_sms.deployments.prefect_yaml import SHIPPED
from tests.waiting import LONGEST_WAIT

pytestmark = pytest.mark.slow

PROJECT = SHIPPED.resolve().parent.parent
FOLDERS = ("flows", "tasks", "deployments")
PICTURES = frozenset({".png", ".svg"})
FOREIGN = ("AWS_", "PREFECT_", "ALIBABA_", "GLOBE_SMS_", "PYTHON")
OFFLINE = ("--no-index", "--no-deps", "--disable-pip-version-check", "--quiet")


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a command in a folder, with nothing of this process's clouds, servers and paths; return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "DO_NOT_TRACK": "1", **environment},
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT,
        check=False,
    )
    assert ended.returncode == 0, f"{command}: {ended.stdout}\n{ended.stderr}"
    return ended.stdout


def build_wheel(source: Path, folder: Path) -> Path:
    """Build a wheel from a folder that holds pyproject.toml."""
    pip = (sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", folder)
    run(*pip, source, folder=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


class Environment:
    """A virtual environment in which one thing is installed, beside all packages of this one except globe-sms."""

    def __init__(self, folder: Path, *what: str | Path) -> None:
        self.folder = folder
        run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder.parent)
        self.python = folder / "bin" / "python"
        self.packages = Path(
            run(self.python, "-c", "import site; print(site.getsitepackages()[0])", folder=folder).strip()
        )
        # A path in a .pth file is put on the path, but its own .pth files aren't read: no editable install is seen.
        (self.packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
        before = set(self.packages.iterdir())
        pip = (sys.executable, "-m", "pip", "--python", self.python, "install", *OFFLINE, "--no-build-isolation")
        run(*pip, *what, folder=folder)
        self.added = {path.name for path in set(self.packages.iterdir()) - before}

    def program(self, name: str) -> Path:
        """One of its console scripts."""
        return self.folder / "bin" / name


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_wheel(PROJECT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    """An environment with the wheel."""
    return Environment(tmp_path_factory.mktemp("installed") / "env", wheel)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of somebody's own Prefect project, whose modules have our folders' names and can't be imported."""
    folder = tmp_path / "project"
    for name in ("flows/__init__.py", "tasks.py", "deployments/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("raise ImportError('this is not globe-sms')\n")
    return folder


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def ours(folder: Path) -> set[str]:
    """What a wheel must hold: every file of the three folders but pictures, as paths in the wheel."""
    found = (path for name in FOLDERS for path in (folder / name).rglob("*") if path.is_file())
    return {
        f"globe_sms/{path.relative_to(folder).as_posix()}"
        for path in found
        if "__pycache__" not in path.parts and path.suffix not in PICTURES
    }


def test_a_wheel_puts_one_package_into_site_packages(installed: Environment, wheel: Path) -> None:
    """With its types and every file that a deployment needs; no `flows`, `tasks` or `deployments` at the top."""
    (dist_info,) = installed.added - {"globe_sms"}
    assert dist_info.startswith("globe_sms-")
    assert dist_info.endswith(".dist-info")
    held = {name for name in contents(wheel) if not name.startswith(dist_info)}
    assert {name for name in held if Path(name).suffix not in PICTURES} == ours(PROJECT) | {
        "globe_sms/__init__.py",
        "globe_sms/py.typed",
    }
    assert {"globe_sms/deployments/prefect.yaml", "globe_sms/deployments/compose.yaml"} <= held


def test_an_sdist_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """What is published as a source distribution installs as the checkout does."""
    build = (sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path / "sdist")
    run(*build, folder=PROJECT)
    (sdist,) = (tmp_path / "sdist").iterdir()
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    (tmp_path / "wheel").mkdir()
    assert contents(build_wheel(source, tmp_path / "wheel")) == contents(wheel)


IMPORTS = """
import json, sys
from prefect.flows import load_flow_from_entrypoint
import globe_sms
from globe_sms import send_campaign
from globe_sms.deployments.prefect_yaml import SHIPPED, Specification

deployed = {spec.entrypoint for spec in Specification.read().deployments}
entrypoints = [*deployed, "globe_sms.flows.send_campaign.send_campaign"]
strangers = [name for name in ("flows", "tasks", "deployments") if name in sys.modules]
print(json.dumps({
    "files": [globe_sms.__file__, str(SHIPPED)],
    "flow": send_campaign.name,
    "loaded": sorted({load_flow_from_entrypoint(each).name for each in entrypoints}),
    "strangers": strangers,
}))
"""


def test_a_deployed_run_and_a_notebook_find_the_flow_in_such_a_folder(installed: Environment, project: Path) -> None:
    """By the entrypoints of prefect.yaml, which workers load, and by `from globe_sms import ...`."""
    package = installed.packages / "globe_sms"
    found = json.loads(run(installed.python, "-c", IMPORTS, folder=project))
    assert found == {
        "files": [str(package / "__init__.py"), str(package / "deployments" / "prefect.yaml")],
        "flow": "send-campaign",
        "loaded": [
            *("check-account", "explain-number", "resend-unknown", "send-campaign", "track-delivery", "try-campaign")
        ],
        "strangers": [],
    }


def test_a_notebook_finds_send_in_such_a_folder(installed: Environment, project: Path) -> None:
    run(installed.python, "-c", "from globe_sms import send; assert callable(send)", folder=project)


def test_the_command_works_in_such_a_folder(installed: Environment, project: Path, prefect_url: str) -> None:
    """Its help, and a campaign that is planned."""
    assert "send" in run(installed.program("globe-sms"), "--help", folder=project)
    (project / "list.csv").write_text("phone\n6581234567\n6581234568\n")
    options = ("--message=Hello", "--type=NOTIFY", "--results=out", "--dry-run", "--json")
    said = run(
        installed.program("globe-sms"), "send", "list.csv", *options, folder=project, PREFECT_API_URL=prefect_url
    )
    assert json.loads(said.splitlines()[-1])["counts"]["not_sent"] == 2


SANDBOX = """
import httpx
from globe_sms.deployments.sandbox.sandbox import Sandbox

with Sandbox(calls_per_second=1) as sandbox:
    httpx.get(f"{sandbox.gateway.endpoint}/_sandbox/health", trust_env=False).raise_for_status()
    print(sandbox.s3.endpoint)
"""


def test_the_sandbox_works_in_such_a_folder(installed: Environment, project: Path) -> None:
    """Its gateway and its S3 server, each a process, start and end there."""
    path = f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"  # the S3 server's program is a package's
    assert run(installed.python, "-c", SANDBOX, folder=project, PATH=path).startswith("http://127.0.0.1:")


COLLECTIONS = """
from importlib.metadata import entry_points
from prefect.blocks.core import Block
from prefect.plugins import load_prefect_collections
from prefect.utilities.dispatch import lookup_type

(ours,) = entry_points(group="prefect.collections", name="globe_sms")
print(ours.value)
load_prefect_collections()
print(lookup_type(Block, "alibaba-sms-account").__module__)
"""


def test_prefect_knows_the_block_once_the_package_is_installed(installed: Environment, project: Path) -> None:
    """Prefect loads what the group `prefect.collections` names."""
    named, block = run(installed.python, "-c", COLLECTIONS, folder=project).split()
    assert (named, block) == ("globe_sms.tasks.blocks", "globe_sms.tasks.blocks")


def test_an_edited_checkout_takes_effect_without_installing_again(tmp_path: Path, project: Path) -> None:
    """An editable install leads to the folders at the top of the checkout."""
    checkout = tmp_path / "checkout"
    left_out = shutil.ignore_patterns(".git", ".venv", "tests", "__pycache__")
    shutil.copytree(PROJECT, checkout, symlinks=True, ignore=left_out)
    editable = Environment(tmp_path / "env", "--editable", checkout)
    assert {name for name in editable.added if not name.endswith((".dist-info", ".pth"))} == set()
    asks = "import globe_sms.flows as flows; print(flows.EDITED, flows.__file__)"
    for edit in ("first", "second"):
        (checkout / "flows" / "__init__.py").write_text(f"EDITED = '{edit}'\n")
        said, file = run(editable.python, "-c", asks, folder=project).split()
        assert said == edit
        assert Path(file).resolve() == checkout / "flows" / "__init__.py"
