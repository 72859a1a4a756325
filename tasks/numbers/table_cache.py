"""Compiled tables kept between runs, in the user's cache folder; without one, everything works and compiles anew.

A file is found again only by what it was compiled from: the version of `phonenumbers` and the content of its
metadata. It begins with the SHA-256 of the rest, is written beside its place and moved there whole: a damaged file is
as good as none, and processes that share the folder do not disturb each other.
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

_FORMAT: Final = 2  # to be raised with every change of what is compiled
_DIGEST_BYTES: Final = 32


def cache_folder() -> Path | None:
    """Return `$XDG_CACHE_HOME/globe-sms` or `~/.cache/globe-sms`; None where there is no home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "globe-sms"
    except RuntimeError:
        return None


@cache
def installed_edition() -> str | None:
    """Return the edition of the installed metadata; None where its files cannot be read. Some 10 ms, once."""
    return edition_of(Path(phonenumbers.__file__).parent / "data", phonenumbers.__version__)


def edition_of(data: Path, version: str) -> str | None:
    """Return a name for metadata: the version, and a digest of what stands in its folder."""
    digest = hashlib.sha256()
    try:
        files = sorted(path for path in data.iterdir() if path.is_file())
        for path in files:
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    except OSError:
        return None
    return f"{version}-{digest.hexdigest()[:16]}" if files else None


class Shelf:
    """The kept tables of one edition of the metadata in one folder; where either is None, nothing is kept."""

    def __init__(self, folder: Path | None, edition: str | None) -> None:
        self._folder = folder
        self._edition = edition

    def read(self, name: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
        """Return rows that were kept under a name, None where there are none that can be read."""
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

    def keep(self, name: str, rows: pl.DataFrame) -> None:
        """Keep rows under a name, whole or not at all. That nothing can be written there is no error."""
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
