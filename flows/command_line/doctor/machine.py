"""Checks of this machine: the versions that are installed, and the folders that a run writes to."""

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from globe_sms.flows.command_line.doctor.finding import Verdict
from globe_sms.tasks.campaign.records_kept_locally import spill_folder

_PACKAGE: Final = "globe-sms"
_TOLD: Final = ("polars", "prefect", "boto3", "phonenumbers", "pydantic", "sqlalchemy", "fastapi")
_GIB: Final = 2**30
_ENOUGH: Final = 2 * _GIB  # a plan and its results take a gigabyte per few million rows
_LITTLE: Final = _GIB // 4


def check_versions() -> Iterator[tuple[Verdict, str]]:
    """Tell the versions, and which don't fit what this package needs."""
    told = ", ".join(f"{name} {found}" for name in _TOLD if (found := _version(name)) is not None)
    yield (
        Verdict.OK,
        (
            f"{_PACKAGE} {_version(_PACKAGE)}, Python {platform.python_version()}, {told}; "
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
        ),
    )
    for line in requires(_PACKAGE) or ():
        needed = Requirement(line)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        found = _version(needed.name)
        if found is None or not needed.specifier.contains(found, prereleases=True):
            installed = "isn't installed" if found is None else f"{found} is installed"
            said = f"{needed.name} {installed}, but {needed.name}{needed.specifier} is needed"
            yield Verdict.WRONG, f"{said}: install {_PACKAGE} again, in an environment of its own"


def check_folders(environ: Mapping[str, str]) -> Iterator[tuple[Verdict, str]]:
    """Tell whether the scratch folder and the folder for send records can be written, and how much is free."""
    scratch = Path(tempfile.gettempdir())
    yield from _folder("the scratch folder", scratch, "TMPDIR", "plans and results are built there")
    kept = spill_folder(environ, Path.home())
    yield from _folder("the folder for send records", kept, "XDG_STATE_HOME", "they are kept there while S3 is away")
    waiting = sum(1 for path in kept.rglob("records/*") if path.is_file()) if kept.is_dir() else 0
    if waiting:
        yield (
            Verdict.NOTE,
            f"{waiting:,} send records wait in {kept} for their store: run their campaigns again here",
        )


def _folder(what: str, path: Path, variable: str, why: str) -> Iterator[tuple[Verdict, str]]:
    parent = next(each for each in (path, *path.parents) if each.exists())
    if not os.access(parent, os.W_OK | os.X_OK):
        yield Verdict.WRONG, f"{what} {path} can't be written ({why}): set {variable} to a folder that can"
        return
    free = shutil.disk_usage(parent).free
    said = f"{what} {path} can be written, {free / _GIB:,.1f} GiB free"
    if free >= _ENOUGH:
        yield Verdict.OK, said
        return
    advice = f"{why}, a gigabyte per few million rows: free some, or set {variable} to a folder on another disk"
    yield Verdict.WRONG if free < _LITTLE else Verdict.NOTE, f"{said}; {advice}"


def _version(name: str) -> str | None:
    try:
        return re.sub(r"[^\w.+!-]", "", version(name))
    except PackageNotFoundError:
        return None
