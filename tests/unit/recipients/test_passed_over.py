"""Files of a folder that are no lists by their names are passed over and counted; tables are refused."""

from pathlib import Path

import polars as pl
import pytest
from list_files import no_s3

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.recipients import PassedOver, find_lists
from globe_sms.tasks.vocabulary.errors import InputError

LIST = b"phone\n1\n"


def put(folder: Path, *names: str, body: bytes = LIST) -> None:
    """Write files, with their folders."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)


def found(folder: Path, pattern: str = "", *, every_file: bool = False) -> tuple[list[str], PassedOver | None]:
    """Return the names of the lists in a folder or a glob, and what was passed over."""
    sources = find_lists([f"{folder}/{pattern}"], no_s3, every_file=every_file)
    told = [source.passed_over for source in sources if source.passed_over is not None]
    assert len(told) <= 1
    return [source.uri.removeprefix(f"{folder}/") for source in sources], told[0] if told else None


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("_SUCCESS", "_SUCCESS"),
        ("_temporary/0/_temporary/attempt_1/part-1.parquet", "_temporary/"),
        (".spark-staging-1/part-1.parquet", ".spark-staging-1/"),
        ("deep/.hidden.csv", "deep/.hidden.csv"),
        ("list.csv~", "list.csv~"),
        ("~$list.xlsx", "~$list.xlsx"),
        (".part-1.parquet.crc", ".part-1.parquet.crc"),
        ("part-1.csv.crc", "part-1.csv.crc"),
        ("0001_manifest", "0001_manifest"),
        ("manifest", "manifest"),
        ("query.csv.metadata", "query.csv.metadata"),
        ("Thumbs.db", "Thumbs.db"),
        ("deep_$folder$", "deep_$folder$"),
        (".globe-sms/probe-1", ".globe-sms/"),
    ],
)
def test_what_is_no_list_by_its_name_is_passed_over(name: str, part: str, tmp_path: Path) -> None:
    """In a folder and in a glob; the lists beside it are read, and partitions are lists."""
    put(tmp_path, name, "_day=1/a.csv", "deep/b.csv")
    told = f"{tmp_path}/"
    assert found(tmp_path) == (["_day=1/a.csv", "deep/b.csv"], PassedOver(told, 1, (part,)))
    lists, passed_over = found(tmp_path, "**/*")
    assert lists == ["_day=1/a.csv", "deep/b.csv"]
    assert passed_over is not None
    assert passed_over.names == (part,)


def test_empty_lists_beside_others_are_counted_too(tmp_path: Path) -> None:
    """The first few are named."""
    put(tmp_path, "a.csv", *(f"_{number}" for number in range(7)))
    put(tmp_path, "b.csv", body=b"")
    lists, passed_over = found(tmp_path)
    assert lists == ["a.csv"]
    assert passed_over == PassedOver(f"{tmp_path}/", 8, ("_0", "_1", "_2", "_3", "_4"))
    (tmp_path / "_0").rename(tmp_path / "0")
    assert found(tmp_path, "?.csv")[1] == PassedOver(f"{tmp_path}/?.csv", 1, ("b.csv (empty)",))


def test_a_name_that_is_spelt_out_is_read(tmp_path: Path) -> None:
    """The file itself, or a glob with its first letter."""
    put(tmp_path, "_a.csv", ".b.csv", "c.csv")
    for pattern in ("_a.csv", "_*.csv", "_?.csv", "**/_a*"):
        assert found(tmp_path, pattern) == (["_a.csv"], None)
    assert found(tmp_path, ".*") == ([".b.csv"], None)


def test_every_file_of_opt_outs_is_read(tmp_path: Path) -> None:
    """A list of opt-outs isn't missed for its name; only known marker files are."""
    put(tmp_path, "_opt-outs.csv", ".hidden/more.csv", "_SUCCESS", ".list.crc")
    assert found(tmp_path, every_file=True) == ([".hidden/more.csv", "_opt-outs.csv"], None)


def test_where_all_is_passed_over_it_is_said(tmp_path: Path) -> None:
    """With the names, and what to do."""
    put(tmp_path, "_a.csv", "_b.csv")
    with pytest.raises(InputError, match=r"everything there was passed over.*\(_a\.csv, _b\.csv\): .*name the file"):
        found(tmp_path)


@pytest.mark.parametrize("beside", ["plan.parquet", "plans/1.parquet", RESULTS_KEY])
def test_a_results_folder_inside_the_lists_is_passed_over(beside: str, tmp_path: Path) -> None:
    """A list that has the name of a campaign's file isn't."""
    put(tmp_path, "a.csv", f"out/c-1/{DOCUMENT_KEY}", f"out/c-1/{beside}", "out/c-1/claims/0-0", f"b/{beside}")
    lists, passed_over = found(tmp_path)
    assert lists == ["a.csv", f"b/{beside}"]
    assert passed_over is not None
    assert passed_over.names == ("out/c-1/",)
    assert found(tmp_path, "**/*")[0] == lists
    with pytest.raises(InputError, match="everything there was passed over"):
        found(tmp_path / "out" / "c-1")


@pytest.mark.parametrize(
    ("sign", "kind"),
    [
        ("_delta_log/00000000000000000000.json", r"a Delta table.*name it as a table, delta\+{place}$"),
        ("metadata/00001-a.metadata.json", r"an Iceberg table.*name it as a table, iceberg\+{place}$"),
        (".hoodie/hoodie.properties", "a Hudi table.*export it to parquet or CSV"),
    ],
)
@pytest.mark.parametrize("inside", ["", "tables/t1/"])
@pytest.mark.parametrize("every_file", [False, True])
def test_a_tables_folder_is_refused(sign: str, kind: str, inside: str, every_file: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    """Its files hold deleted rows: the message names it and says how it's read. Its file itself can be named."""
    put(tmp_path, f"{inside}{sign}")
    pl.DataFrame({"phone": [1]}).write_parquet(tmp_path / inside / "part.parquet")
    for pattern in ("", "**/*.parquet", f"{inside}p*"):
        with pytest.raises(InputError, match=kind.format(place=f"{tmp_path}/{inside}".rstrip("/"))) as caught:
            found(tmp_path, pattern, every_file=every_file)
        assert str(caught.value).startswith(f"{tmp_path}/{inside}".rstrip("/"))
    assert found(tmp_path, f"{inside}part.parquet") == ([f"{inside}part.parquet"], None)


@pytest.mark.parametrize(
    ("sign", "part"),
    [
        ("_delta_log/00000000000000000000.json", "day=1/"),
        ("_delta_log/00000000000000000000.json", "day=1/hour=2/"),
        ("metadata/00001-a.metadata.json", "data/day=1/"),
        (".hoodie/hoodie.properties", "day=1/"),
        ("2026/01/.hoodie_partition_metadata", "2026/01/"),
    ],
)
def test_a_partition_of_a_table_is_refused_like_the_table(sign: str, part: str, tmp_path: Path) -> None:
    """The deleted rows are in its files, too; a partition outside of a table is read."""
    put(tmp_path, f"table/{sign}", f"table/{part}a.csv", f"plain/{part}a.csv")
    for pattern in ("", "*.csv"):
        with pytest.raises(InputError, match="table, whose files still hold deleted rows"):
            found(tmp_path, f"table/{part}{pattern}")
        assert found(tmp_path, f"plain/{part}{pattern}")[0] == [f"plain/{part}a.csv"]
