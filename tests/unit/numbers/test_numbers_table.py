"""The fast way of judging: equal to `phonenumbers` on everything, from the cache or without one."""

import logging
import os
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libphonenumber_verdicts import expected
from number_spellings import spellings

from tasks.numbers.cache import cache_folder, keep_rows, read_rows
from tasks.numbers.compiled import DisagreementError, check, compiled_table, kept_table
from tasks.numbers.judging import VERDICT_COLUMNS, Judge, add_verdicts, judge
from tasks.numbers.keys import keys_of
from tasks.numbers.reference import keep_patterns
from tasks.numbers.table import ASK_REFERENCE, PLAIN, PLUS, SCHEMA, Table, region_rows

LONG = os.environ.get("GLOBE_SMS_CONFORMANCE") == "long"
BATCH = 50_000
# Each has something that others have not: several international prefixes, carrier codes, transform rules, leading
# zeros, a shared country code with and without being its main region.
REGIONS_ALWAYS = (None, None, "SG", "GB")
REGIONS_LONG = (
    None, None, None, None, "SG", "GB", "JE", "IT", "SM", "VA", "US", "CA", "AG", "BR", "AR", "MX", "KR", "JP", "RU",
    "KZ", "AU", "CC", "DE", "LU", "FI", "HK", "CN", "ID", "GA", "CI", "HU", "CR", "UZ", "NF", "TZ",
)  # fmt: skip


def rows_of(recipients: list[str], default_region: str | None, folder: Path) -> list[tuple[object, ...]]:
    """Judge by the table, and give the verdicts as rows."""
    frame = pl.DataFrame({"recipient": recipients}, schema={"recipient": pl.String})
    return add_verdicts(frame, Judge(default_region, worth_a_table=0, folder=folder)).select(*VERDICT_COLUMNS).rows()


def disagreements(seed: int, default_region: str | None, count: int, folder: Path) -> list[tuple[object, ...]]:
    """Judge generated recipients, and return those of which `phonenumbers` says something else."""
    keep_patterns()
    source = spellings(seed)
    found: list[tuple[object, ...]] = []
    for _ in range(count // BATCH):
        recipients = list(islice(source, BATCH))
        rows = rows_of(recipients, default_region, folder)
        for recipient, row in zip(recipients, rows, strict=True):
            if row != expected(recipient, default_region):
                found.append((seed, default_region, recipient, row))
    return found


@pytest.mark.slow
@pytest.mark.timeout(0 if LONG else 300)
def test_the_table_agrees_with_libphonenumber(table_folder: Path) -> None:
    """No disagreement on generated recipients: 200,000, and 10 million in the long form (`make conformance`)."""
    seed = random.SystemRandom().randrange(2**32)
    regions = REGIONS_LONG if LONG else REGIONS_ALWAYS
    count = -(-10_000_000 // len(regions) // BATCH) * BATCH if LONG else BATCH
    sys.stdout.write(f"seed {seed}: {count * len(regions):,} recipients, {len(regions)} regions\n")
    jobs = [(seed + place, region, count, table_folder) for place, region in enumerate(regions)]
    if LONG:
        with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(disagreements, *zip(*jobs, strict=True)))
    else:
        results = [disagreements(*job) for job in jobs]
    assert [found for result in results for found in result] == []


@pytest.mark.slow
@pytest.mark.skipif(not LONG, reason="the long form, by make conformance")
@pytest.mark.timeout(0)
def test_a_table_can_be_compiled_for_every_region(table_folder: Path) -> None:
    """Each region's own rows agree with `phonenumbers` on one number of each."""
    shared = read_rows(table_folder, "shared", SCHEMA)
    assert shared is not None
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        own = region_rows(region)
        check(Table.of(pl.concat([shared, own])), region, own)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=20),
            st.text("0123456789+-. ()/\uff0b\uff10\uff11\u200b\u00a0;#x,eE\x00", max_size=24),
            st.from_regex(r"\A[+(\s]{0,2}[\d .()-]{3,22}(\.0)?[\s,;]?\Z"),
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([None, "SG", "GB"]),
)
def test_the_table_agrees_on_any_text(table_folder: Path, recipients: list[str], default_region: str | None) -> None:
    """Whatever the text, its verdict is that of `phonenumbers`."""
    assert rows_of(recipients, default_region, table_folder) == [expected(text, default_region) for text in recipients]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("+6581234567", f"{PLUS}6581234567"),
        ("006581234567", f"{PLAIN}006581234567"),
        (" (65) 8123-4567 ", f"{PLAIN}6581234567"),
        ("+65.8123.4567.0", f"{PLUS}6581234567"),
        ("Tel: +65 8123\u20114567,", f"{PLUS}6581234567"),
        ("\uff0b\uff16\uff15\uff181234567", f"{PLUS}6581234567"),
        ("++65 81234567", f"{PLUS}6581234567"),
        ("-6581234567", f"{PLAIN}6581234567"),
        ("\u202a65 81234567\u202c", f"{PLAIN}6581234567"),
        ("000", f"{PLAIN}000"),
        ("-000", f"{PLAIN}000"),
        ("+-000.0", f"{PLUS}000"),
        ("12", f"{ASK_REFERENCE}"),
        ("1234567890123456789", f"{ASK_REFERENCE}"),
        ("81234567 ext 5", f"{ASK_REFERENCE}"),
        ("65+81234567", f"{ASK_REFERENCE}"),
        ("6.58E+09", f"{ASK_REFERENCE}"),
        ("81234567#", f"{ASK_REFERENCE}"),
        ("0" * 300 + "1", f"{ASK_REFERENCE}"),
        ("65812" + " " * 250 + "34567", f"{ASK_REFERENCE}"),
        ("\u0666\u0665\u0668\u0661\u0662\u0663\u0664\u0665", f"{ASK_REFERENCE}"),
    ],
)
def test_plain_texts_have_keys_and_odd_ones_have_not(text: str, key: str) -> None:
    """A key tells the plus sign and the digits; what more there is to a text only the reference can say."""
    assert keys_of(pl.Series([text])).to_list() == [int(key)]


def test_a_list_is_judged_the_same_in_streaming_by_either_way(tmp_path: Path, table_folder: Path) -> None:
    """A lazy list over many batches, with nulls, equals the reference's verdicts in order."""
    texts: list[str | None] = [*islice(spellings(7), 5_000), None]
    path = tmp_path / "list.parquet"
    frame = pl.DataFrame({"recipient": texts * 3}, schema={"recipient": pl.String})
    frame.write_parquet(path, row_group_size=1_000)
    fast, slow = (
        Judge(None, worth_a_table=worth, folder=table_folder / sub) for worth, sub in ((0, "."), (10**9, "none"))
    )
    lazy = pl.scan_parquet(path)
    judged = [add_verdicts(lazy, way).collect(engine="streaming") for way in (fast, slow)]
    assert judged[0].equals(judged[1])
    assert judge(lazy, default_region=None).collect(engine="streaming").select(*VERDICT_COLUMNS).rows() == [
        expected(text, None) for text in texts * 3
    ]


def test_a_table_is_kept_and_found_again(table_folder: Path) -> None:
    """A table that was compiled is found in its folder, under the metadata's version."""
    table = compiled_table(None, table_folder)
    assert table is not None
    kept = kept_table.__wrapped__(None, table_folder)
    assert kept is not None
    assert kept.starts.equals(table.starts)
    assert {file.name.split("-")[2] for file in table_folder.glob("*.parquet")} == {phonenumbers.__version__}


def test_a_damaged_table_is_not_used(table_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A kept table that disagrees with `phonenumbers`, or cannot be read, is as good as none."""
    compiled_table(None, table_folder)
    shared, own = (read_rows(table_folder, name, SCHEMA) for name in ("shared", "none"))
    assert shared is not None
    assert own is not None
    keep_rows(tmp_path, "none", own)
    keep_rows(tmp_path, "shared", shared.with_columns(pl.col("difference") + 1))
    with caplog.at_level(logging.WARNING):
        assert kept_table.__wrapped__(None, tmp_path) is None
    assert "compiled anew" in caplog.text
    with pytest.raises(DisagreementError):
        check(Table.of(pl.concat([shared.with_columns(pl.col("difference") + 1), own])), None, shared)
    for file in tmp_path.glob("*.parquet"):
        file.write_bytes(b"PAR1 no more PAR1")
    assert kept_table.__wrapped__(None, tmp_path) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a place to keep tables, nothing is kept and nothing fails."""
    file = tmp_path / "file"
    file.touch()
    rows = pl.DataFrame(schema=SCHEMA)
    keep_rows(file / "folder", "shared", rows)
    keep_rows(None, "shared", rows)
    assert read_rows(file / "folder", "shared", SCHEMA) is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "globe-sms"


def test_a_kept_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """Rows are written beside their place and moved there; nothing else is left in the folder."""
    rows = pl.DataFrame([(1000, 0, 1)], SCHEMA, orient="row")
    keep_rows(tmp_path, "shared", rows)
    keep_rows(tmp_path, "shared", rows)
    assert [file.suffix for file in tmp_path.iterdir()] == [".parquet"]
    found = read_rows(tmp_path, "shared", SCHEMA)
    assert found is not None
    assert found.equals(rows)
