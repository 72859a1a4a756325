"""The demo runs where the home directory can't be written, and where another user has run it."""

import tempfile
from pathlib import Path

import pytest

from globe_sms.deployments.sandbox.demo import writable_folder


def test_a_folder_that_cannot_be_made_is_a_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can is made, with those above it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert writable_folder(tmp_path / "home" / ".cache").is_dir()
    (tmp_path / "file").touch()
    found = writable_folder(tmp_path / "file" / ".cache")
    assert found.is_dir()
    assert found.parent == tmp_path
