"""The image: how large it is, how soon it answers, and what isn't in it."""

import json
import re
import subprocess
import sys
import time

import pytest

from tests.containers.images import OURS, PROJECT
from tests.containers.podman import Podman

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_600)]

_MEGABYTES = 600
_SECONDS = 3.0
_READ_ONLY = ("run", "--rm", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")
_TIMED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""
_PROGRAMS = ("pip", "pip3", "easy_install", "uv", "cc", "gcc", "g++", "c++", "clang", "ld", "as", "make", "strip")
_DISTRIBUTIONS = "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()))"


def test_it_is_small(podman: Podman) -> None:
    size = int(podman.call("image", "inspect", "--format={{.Size}}", OURS)) / 1e6
    print(f"the image: {size:,.0f} MB")
    assert size <= _MEGABYTES


def test_it_answers_soon_on_a_file_system_that_cant_be_written(podman: Podman) -> None:
    """By the processor's time, so that a busy machine doesn't fail it; the time on the wall is printed."""
    begun = time.monotonic()
    version, seconds = podman.words(*_READ_ONLY, OURS, "python", "-c", _TIMED, "globe-sms", "--version")[1:]
    print(f"globe-sms --version: {float(seconds):.1f} s of a core, {time.monotonic() - begun:.1f} s with the container")
    assert version == "0.1.0"
    assert float(seconds) <= _SECONDS


def test_it_runs_as_a_user_with_no_rights(podman: Podman) -> None:
    assert podman.words(*_READ_ONLY, OURS, "id", "-u") == ["10001"]
    owned = podman.call("run", "--rm", "--user=0", OURS, "find", "/", "-xdev", "-perm", "/6000", "-user", "10001")
    assert owned == b""


def test_nothing_in_it_installs_or_compiles(podman: Podman) -> None:
    looked_for = "; ".join(f"command -v {program}" for program in _PROGRAMS)
    assert podman.call(*_READ_ONLY, OURS, "sh", "-c", f"{looked_for}; true") == b""
    for module in ("pip", "ensurepip", "setuptools"):
        assert podman.attempt(*_READ_ONLY, OURS, "python", "-c", f"import {module}").returncode != 0, module
    installed = ("find", "/", "-xdev", "-regex", r".*\(-packages\|bin\)/\(pip\|setuptools\)[0-9.-]*[^/]*")
    assert podman.call("run", "--rm", "--user=0", OURS, *installed) == b""


def test_the_bill_of_materials_lists_what_is_in_it(podman: Podman) -> None:
    """`make sbom` needs no engine: it installs what the image does."""
    as_it_is = f"--old-file={sys.prefix}/.ready"  # the environment of the tests isn't set up again by one of them
    subprocess.run(["make", as_it_is, "sbom", f"VENV={sys.prefix}"], check=True, cwd=PROJECT)
    written = PROJECT / "dist" / "globe-sms.cdx.json"
    listed = {f"{part['name']}=={part['version']}" for part in json.loads(written.read_text())["components"]}
    found = set(podman.words(*_READ_ONLY, OURS, "python", "-c", _DISTRIBUTIONS))
    # A few packages are needed by some versions of Python only, and the image's may be another than this one.
    conditional = set(re.findall(r"^(\S+==\S+) ; ", (PROJECT / "requirements.lock").read_text(), re.MULTILINE))
    assert (listed ^ found) - conditional == {"globe-sms==0.1.0"}
