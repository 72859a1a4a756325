"""A separate cache of compiled tables for the tests of this folder."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def table_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the tests share compiled tables."""
    return tmp_path_factory.mktemp("cache") / "globe-sms"  # as `cache_folder` names it below XDG_CACHE_HOME


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
