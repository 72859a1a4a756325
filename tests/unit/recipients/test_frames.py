"""Recipient lists that are frames."""

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from globe_sms.tasks.recipients.frames import is_frame, write_frame
from globe_sms.tasks.vocabulary.errors import InputError

ROWS = pl.DataFrame({"phone": ["+6581234567", "+6581234568", None], "name": ["Anna", None, "Zoë"], "age": [1, 2, 3]})


class HandedOver:
    """A table of another library: all that is known of it is Arrow's stream."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._rows.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "frame",
    [
        ROWS,
        ROWS.lazy(),
        pl.concat([ROWS[:1], ROWS[1:]], rechunk=False),
        ROWS.lazy().filter(pl.col("age") > 0),
        HandedOver(ROWS),
        HandedOver(ROWS.with_columns(pl.int_range(3).alias("__index_level_0__"))),
    ],
    ids=["eager", "lazy", "in pieces", "a query", "of another library", "with pandas' index"],
)
def test_the_same_rows_are_the_same_file(frame: Any, tmp_path: Path) -> None:
    assert is_frame(frame)
    path = write_frame(frame, tmp_path)
    assert path == write_frame(ROWS, tmp_path)
    assert pl.read_parquet(path).equals(ROWS)
    assert path != write_frame(ROWS.reverse(), tmp_path)


def test_a_query_of_duckdb_is_a_frame(tmp_path: Path) -> None:
    with duckdb.connect() as database:
        found = database.sql("select '+6581234567' as phone, 7 as points")
        assert pl.read_parquet(write_frame(found, tmp_path)).rows() == [("+6581234567", 7)]


@pytest.mark.parametrize("value", ["s3://lists/a.csv", ROWS["phone"], {"phone": ["+6581234567"]}, 6581234567, None])
def test_what_has_no_columns_and_rows_is_no_frame(value: object) -> None:
    assert not is_frame(value)


class Broken:
    """A table that can't be handed over."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise self._error


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (Broken(ImportError("pyarrow is missing")), "needs a package to hand over its rows: pyarrow is missing"),
        (Broken(ValueError("closed\nat line 3")), "can't be read as a list: closed$"),
        (ROWS.lazy().select("nobody"), "can't be read as a list: .*nobody"),
        (pl.scan_csv("no-such-file.csv"), "can't be read as a list: .*no-such-file"),
    ],
)
def test_a_frame_that_cannot_be_read_is_refused_in_one_line(frame: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says) as caught:
        write_frame(frame, tmp_path)
    assert "\n" not in str(caught.value)
