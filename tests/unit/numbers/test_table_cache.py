"""The cache of compiled tables: in any state, and shared by any processes, it never changes a verdict."""

import ast
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import phonenumbers
import polars as pl
import pytest
from table_verdicts import rows_of

from globe_sms.tasks.numbers.lookup_table import SCHEMA
from globe_sms.tasks.numbers.region_table import cached_table, compiled_table
from globe_sms.tasks.numbers.table_cache import TableCache, cache_folder, edition_of, installed_edition

LONG = os.environ.get("GLOBE_SMS_CONFORMANCE") == "long"
ROWS = pl.DataFrame([(1000, 0, 1), (1001, 5, 2)], SCHEMA, orient="row")
RECIPIENTS = ["+6581234567", "6561234567", "none"]
REASONS = [None, "not_mobile", "not_a_number"]


def test_the_installed_metadata_has_an_edition() -> None:
    """Made of its version and the content of its files."""
    edition = installed_edition()
    assert edition is not None
    assert edition.startswith(f"{phonenumbers.__version__}-")


def test_another_version_or_content_is_another_edition(tmp_path: Path) -> None:
    """One digit in one pattern is enough, and restoring the old content restores the old edition."""
    data = tmp_path / "data"
    shutil.copytree(Path(phonenumbers.__file__).parent / "data", data, ignore=shutil.ignore_patterns("__pycache__"))
    version = phonenumbers.__version__
    assert edition_of(data, version) == installed_edition()
    assert edition_of(data, "99.0.0") != installed_edition()
    region = data / "region_SG.py"
    text = region.read_text(encoding="utf-8")
    region.write_text(text.replace("8", "9", 1), encoding="utf-8")
    assert edition_of(data, version) != installed_edition()
    region.write_text(text, encoding="utf-8")
    assert edition_of(data, version) == installed_edition()


@pytest.mark.skipif(not LONG, reason="compiles a table, as others do: make conformance")
def test_changed_metadata_is_compiled_again_without_a_code_change(table_folder: Path, tmp_path: Path) -> None:
    """Like after `pip install -U phonenumbers`: another version and pattern, the same cache folder."""
    compiled_table(None, table_folder)
    assert [row[3] for row in rows_of(["+6561234567"], None, table_folder)] == ["not_mobile"]
    package = tmp_path / "phonenumbers"
    unused = shutil.ignore_patterns("__pycache__", "geodata", "carrierdata", "tzdata")
    shutil.copytree(Path(phonenumbers.__file__).parent, package, ignore=unused)
    _edit(package / "__init__.py", f'__version__ = "{phonenumbers.__version__}"', '__version__ = "99.1.2"')
    _edit(package / "data" / "region_SG.py", "mobile=PhoneNumberDesc(national_number_pattern='", "|6123\\\\d{4}")
    before = set(table_folder.iterdir())
    code = f"""
import phonenumbers, pathlib
from table_verdicts import rows_of
print(phonenumbers.__version__, rows_of(["+6561234567", "+6561224567"], None, pathlib.Path({str(table_folder)!r})))
"""
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.stdout.startswith("99.1.2 "), ran.stderr
    first, second = ast.literal_eval(ran.stdout.removeprefix("99.1.2 "))
    assert (first[0], first[3]) == ("+6561234567", None)
    assert (second[0], second[3]) == ("+6561224567", "not_mobile")
    assert {"99.1.2" in file.name for file in set(table_folder.iterdir()) - before} == {True}


def _edit(file: Path, before: str, what: str) -> None:
    """Replace the version's line with `what`, or add it to the pattern that starts there."""
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1
    start = text.index(before) + len(before)
    if what.startswith("__version__"):
        text = text.replace(before, what)
    else:
        end = text.index("'", start)
        text = text[:end] + what + text[end:]
    file.write_text(text, encoding="utf-8")


def test_without_an_edition_nothing_is_cached(tmp_path: Path) -> None:
    """Metadata that can't be read as files (a zip archive) has no edition."""
    assert edition_of(tmp_path / "none", "9.0.43") is None
    cache = TableCache(tmp_path, None)
    cache.write("shared", ROWS)
    assert cache.read("shared", SCHEMA) is None
    assert list(tmp_path.iterdir()) == []


def test_rows_are_found_again(tmp_path: Path) -> None:
    """In a new folder; other names, schemas and editions find nothing."""
    folder = tmp_path / "a" / "b"
    cache = TableCache(folder, "1.0-00")
    assert cache.read("shared", SCHEMA) is None
    cache.write("shared", ROWS)
    cache.write("shared", ROWS)
    found = cache.read("shared", SCHEMA)
    assert found is not None
    assert found.equals(ROWS)
    assert [file.suffix for file in folder.iterdir()] == [".table"]
    assert cache.read("SG", SCHEMA) is None
    assert cache.read("shared", {"start": pl.Int64()}) is None
    assert TableCache(folder, "1.1-00").read("shared", SCHEMA) is None


@pytest.mark.parametrize("damage", ["empty", "cut", "one bit", "foreign"])
def test_a_damaged_file_counts_as_missing(table_folder: Path, tmp_path: Path, damage: str) -> None:
    """It's detected before polars reads it, and compiled and written again."""
    compiled_table(None, table_folder)
    shutil.copytree(table_folder, tmp_path / "tables")
    folder = tmp_path / "tables"
    for file in folder.glob("*-none.table"):
        content = bytearray(file.read_bytes())
        if damage == "one bit":
            content[len(content) // 2] ^= 1
        damaged = {"empty": b"", "cut": bytes(content[:-100]), "foreign": b"PAR1 no more PAR1"}
        file.write_bytes(damaged.get(damage, bytes(content)))
    assert cached_table.__wrapped__(None, folder) is None
    assert compiled_table.__wrapped__(None, folder) is not None
    assert cached_table.__wrapped__(None, folder) is not None


@pytest.mark.parametrize("folder", ["a file", "below a file", "none"])
def test_an_unusable_folder_changes_nothing(tmp_path: Path, folder: str) -> None:
    """Without a usable folder, nothing is cached and nothing fails."""
    file = tmp_path / "file"
    file.touch()
    cache = TableCache({"a file": file, "below a file": file / "folder", "none": None}[folder], "1.0-00")
    cache.write("shared", ROWS)
    assert cache.read("shared", SCHEMA) is None
    assert file.read_bytes() == b""


@pytest.mark.skipif(not LONG, reason="compiles a table, as others do: make conformance")
def test_a_list_is_validated_without_a_usable_folder(tmp_path: Path) -> None:
    """The table is compiled and used from memory."""
    file = tmp_path / "file"
    file.touch()
    assert [row[3] for row in rows_of(RECIPIENTS, None, file)] == REASONS


def test_concurrent_writers_and_readers_see_complete_files(tmp_path: Path) -> None:
    """Each of many concurrent writers leaves a complete file, and readers find all rows or none."""
    cache = TableCache(tmp_path, "1.0-00")
    rows = pl.DataFrame({"start": range(20_000), "difference": 0, "code": 1}, schema=SCHEMA)
    begin = threading.Barrier(4)

    def write() -> None:
        begin.wait()
        for _ in range(20):
            cache.write("shared", rows)

    def read() -> list[bool]:
        begin.wait()
        found = [cache.read("shared", SCHEMA) for _ in range(40)]
        return [frame.equals(rows) for frame in found if frame is not None]

    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(write), pool.submit(write), pool.submit(read), pool.submit(read)]
        assert all(all(task.result() or []) for task in tasks)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_folder_is_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the XDG location, or below the home directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "globe-sms"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "globe-sms"
