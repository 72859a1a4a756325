"""Caches compiled tables between runs in the user's cache folder; without one, each run compiles its tables.

A file's name holds what it was compiled from: the version of `phonenumbers` and a digest of its metadata. The file
starts with the SHA-256 of the rest, and is written elsewhere and renamed: a damaged file counts as missing, and
processes that share the folder don't interfere.
"""

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import phonenumbers
import polars as pl

_FORMAT: Final = 2  # increase it with every change of the compiled tables
_DIGEST_BYTES: Final = 32


def cache_folder() -> Path | None:
    """Return `$XDG_CACHE_HOME/globe-sms` or `~/.cache/globe-sms`; None without a home directory."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "globe-sms"
    except RuntimeError:
        return None


@cache
def installed_edition() -> str | None:
    """Return the edition of the installed metadata; None if its files can't be read. Takes about 10 ms, once."""
    return edition_of(Path(phonenumbers.__file__).parent / "data", phonenumbers.__version__)


def edition_of(data: Path, version: str) -> str | None:
    """Return a name for metadata: the version and a digest of the folder's content."""
    digest = hashlib.sha256()
    try:
        files = sorted(path for path in data.iterdir() if path.is_file())
        for path in files:
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    except OSError:
        return None
    return f"{version}-{digest.hexdigest()[:16]}" if files else None


class TableCache:
    """The cached tables of one edition of the metadata in one folder; nothing is cached if either is None."""

    def __init__(self, folder: Path | None, edition: str | None) -> None:
        self._folder = folder
        self._edition = edition

    def read(self, name: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
        """Return the rows cached under a name; None if there are none or they aren't readable."""
        path = self._path(name)
        if path is None:
            return None
        try:
            content = path.read_bytes()
            digest, body = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
            if hashlib.sha256(body).digest() != digest:
                return None
            rows = pl.read_parquet(io.BytesIO(body))
        except (OSError, pl.exceptions.PolarsError):
            return None
        return rows if rows.schema == schema else None

    def write(self, name: str, rows: pl.DataFrame) -> None:
        """Cache rows under a name, completely or not at all; a folder that isn't writable isn't an error."""
        path = self._path(name)
        if path is None:
            return
        buffer = io.BytesIO()
        rows.write_parquet(buffer)
        body = buffer.getvalue()
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{name}-", suffix=".part", delete=False) as part:
                try:
                    part.write(hashlib.sha256(body).digest() + body)
                    part.close()
                    Path(part.name).replace(path)
                except BaseException:
                    Path(part.name).unlink(missing_ok=True)
                    raise

    def _path(self, name: str) -> Path | None:
        if self._folder is None or self._edition is None:
            return None
        return self._folder / f"numbers-{_FORMAT}-{self._edition}-{name}.table"
