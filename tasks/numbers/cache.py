"""Compiled tables kept between runs, in the user's cache folder; without one, everything works and compiles anew."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import phonenumbers
import polars as pl

_FORMAT: Final = 2  # to be raised with every change of what is compiled


def cache_folder() -> Path | None:
    """Return `$XDG_CACHE_HOME/globe-sms` or `~/.cache/globe-sms`; None where there is no home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "globe-sms"
    except RuntimeError:
        return None


def read_rows(folder: Path | None, name: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
    """Return rows that were kept under a name, None where there are none that can be read."""
    if folder is None:
        return None
    try:
        rows = pl.read_parquet(_path(folder, name), glob=False)
    except (OSError, pl.exceptions.PolarsError):
        return None
    return rows if rows.schema == schema else None


def keep_rows(folder: Path | None, name: str, rows: pl.DataFrame) -> None:
    """Keep rows under a name, whole or not at all. That nothing can be written there is no error."""
    if folder is None:
        return
    with contextlib.suppress(OSError, pl.exceptions.PolarsError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{name}-", suffix=".part", delete=False) as part:
            try:
                rows.write_parquet(part)
                part.close()
                Path(part.name).replace(_path(folder, name))
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise


def _path(folder: Path, name: str) -> Path:
    return folder / f"numbers-{_FORMAT}-{phonenumbers.__version__}-{name}.parquet"
