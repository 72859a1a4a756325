"""Debian's Chromium for the browser test: found, or installed where this may be done."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

_PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-noto-color-emoji")
_OPTIONS = (
    "--no-sandbox",  # root may not start it otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str:
    """Return the path of Chromium; install it first where it is missing, this is root and apt-get is there.

    Skips the test, with the reason, where that cannot be done.
    """
    found = shutil.which("chromium")
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("no Chromium: `apt-get install chromium` as root, then run this test again")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *_PACKAGES]):
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
        if ended.returncode != 0:
            pytest.skip(f"no Chromium: {' '.join(command)} failed: {ended.stderr.strip()[-300:]}")
    return shutil.which("chromium") or pytest.skip("no Chromium: apt-get installed none")


def start_chromium(playwright: Playwright) -> Browser:
    """Start it without a screen."""
    return playwright.chromium.launch(executable_path=Path(find_chromium()), args=list(_OPTIONS))
