"""Folders of parquet files that are columns, as Spark, Athena and Redshift write them."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.recipients import COUNTRY, ReadOptions, find_lists, open_lists, rows_of
from globe_sms.tasks.recipients.partitions import partitions_of
from globe_sms.tasks.store.s3_access import S3Access


def no_s3() -> S3Access:
    raise AssertionError("nothing is on S3")


def write(folder: Path, file: str, **columns: Any) -> None:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_parquet(path)


def read(folder: Path, *columns: str) -> list[tuple[Any, ...]]:
    found = find_lists([str(folder)], no_s3, options=ReadOptions(finds_region=True))
    opened = open_lists(found, number_column=None, s3=no_s3, columns=columns)
    rows = rows_of(opened, s3=no_s3, columns=columns).collect(engine="streaming")
    return rows.select("row", "recipient", *columns, COUNTRY).rows()


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("s3://b=x/sms/country=SG/day=2026-11-30/part=0.parquet", (("country", "SG"), ("day", "2026-11-30"))),
        ("s3://b/segment=a%2Fb%20c/x=1/x=2/p.parquet", (("segment", "a/b c"), ("x", "2"))),
        ("/lake/team=__HIVE_DEFAULT_PARTITION__/empty=/p.parquet", (("team", None), ("empty", ""))),
        ("/lake/=1/part.parquet", ()),
    ],
)
def test_columns_are_named_by_folders_only(uri: str, found: tuple[tuple[str, str | None], ...]) -> None:
    assert partitions_of(uri) == found


def test_partitions_are_columns_like_any_other(tmp_path: Path) -> None:
    """A country is found by its name, and zeros stay; Spark's marks beside the files aren't lists."""
    write(tmp_path, "country=SG/code=007/part-00000-a.c000.snappy.parquet", phone=["81234567", "81234568"])
    write(tmp_path, "country=MY/code=__HIVE_DEFAULT_PARTITION__/part-00001-b.c000.snappy.parquet", phone=["123456789"])
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "country=SG" / "._part.crc").touch()
    assert read(tmp_path, "code") == [
        (0, "123456789", None, "MY"),
        (0, "81234567", "007", "SG"),
        (1, "81234568", "007", "SG"),
    ]
    assert read(tmp_path / "country=SG", "code")[0] == (0, "81234567", "007", "SG")


def test_a_column_of_the_file_goes_before_the_folders(tmp_path: Path) -> None:
    """A folder never changes a number."""
    write(tmp_path, "phone=6580000000/day=1/p.parquet", phone=["+6581234567"], name=["Anna"])
    assert read(tmp_path, "name", "day") == [(0, "+6581234567", "Anna", "1", None)]
