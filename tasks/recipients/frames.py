"""Recipient lists that are frames: written to a parquet file, a frame is a list like any other."""

from collections.abc import Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import polars as pl

from globe_sms.tasks.vocabulary.errors import InputError

_ROWS: Final = 1 << 18  # of a row group: the file's bytes depend on it, and must be those of the same rows alone
_PANDAS_INDEX: Final = "__index_level_"


@runtime_checkable
class ArrowStream(Protocol):
    """A table that hands over its rows by Arrow's C stream interface: pandas, pyarrow, DuckDB and others.

    Source: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a capsule with an ArrowArrayStream."""
        ...


Frame = pl.DataFrame | pl.LazyFrame | ArrowStream
Recipients = str | Path | Frame | Sequence[str | Path | Frame]
"""What a campaign can be sent to: URIs or paths of lists, and frames."""


def is_frame(value: object) -> bool:
    """Whether it's a frame of rows, and not a name of something."""
    is_column = isinstance(value, pl.Series | Mapping)
    return isinstance(value, pl.LazyFrame) or (isinstance(value, ArrowStream) and not is_column)


def write_frame(frame: Frame, folder: Path) -> Path:
    """Write a frame to a parquet file in `folder` and return its path; its name is the SHA-256 of the content.

    The same rows and columns give the same file. A lazy frame is written as it streams; pandas' index isn't a column.

    Raises:
        InputError: the frame can't be read, or written as parquet.
    """
    try:
        return write_rows(_lazy(frame), folder)
    except ImportError as error:
        raise InputError(f"recipients: the frame needs a package to hand over its rows: {error}") from None
    except (pl.exceptions.PolarsError, TypeError, ValueError, OSError) as error:
        raise InputError(f"recipients: the frame can't be read as a list: {_first_line(error)}") from None


def write_rows(rows: pl.LazyFrame, folder: Path) -> Path:
    """Write rows to a parquet file in `folder` as they stream, and return its path, named after its SHA-256."""
    path = folder / "rows.parquet"
    rows.sink_parquet(path, compression="lz4", row_group_size=_ROWS, statistics=False, engine="streaming")
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return path.rename(folder / f"{digest}.parquet")


def _lazy(frame: Any) -> pl.LazyFrame:
    if isinstance(frame, pl.LazyFrame):
        return frame
    rows = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)
    return rows.select(name for name in rows.columns if not name.startswith(_PANDAS_INDEX)).lazy()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
