"""The fast path agrees with `phonenumbers` on everything, with a cached table, a new one or none."""

import logging
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libphonenumber_verdicts import expected
from number_spellings import spellings
from table_verdicts import rows_of

from globe_sms.tasks.numbers.lookup_keys import keys_of
from globe_sms.tasks.numbers.lookup_table import ASK_REFERENCE, PLAIN, PLUS, SCHEMA, Table, catalogue, plain_verdict
from globe_sms.tasks.numbers.partial_numbers import Reread, Unlisted
from globe_sms.tasks.numbers.region_table import TableMismatchError, cached_table, check, compiled_table
from globe_sms.tasks.numbers.table_cache import TableCache, installed_edition
from globe_sms.tasks.numbers.table_shortcuts import with_shortcuts
from globe_sms.tasks.numbers.validation import VERDICT_COLUMNS, Validator, add_verdicts, validate


@settings(max_examples=120, deadline=None)
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
    """Any text gets the verdict of `phonenumbers`."""
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
        ("6581234567.0 ", f"{PLAIN}6581234567"),
        ("\t658.123.4567\r\n", f"{PLAIN}6581234567"),
        ("65.0 81234567", f"{PLAIN}65081234567"),
        ("65 8123\x1e4567", f"{ASK_REFERENCE}"),
        ("(6581234567.0)", f"{PLAIN}65812345670"),
        ("\u202a65 81234567\u202c", f"{PLAIN}6581234567"),
        ("000", f"{PLAIN}000"),
        ("-000", f"{PLAIN}000"),
        ("+-000.0", f"{PLUS}000"),
        ("12", f"{ASK_REFERENCE}"),
        ("1234567890123456789", f"{ASK_REFERENCE}"),
        ("81234567 ext 5", f"{PLAIN}81234567"),
        ("+65 8123 4567 Ext. 12.", f"{PLUS}6581234567"),
        ("81234567extension:12345678901234567890", f"{PLAIN}81234567"),
        ("81234567 ext 123456789012345678901", f"{ASK_REFERENCE}"),
        ("81234567 ext", f"{ASK_REFERENCE}"),
        ("81234567 ext 5#", f"{ASK_REFERENCE}"),
        ("81234567, ext 5", f"{ASK_REFERENCE}"),
        ("81234567 x5", f"{ASK_REFERENCE}"),
        ("65+81234567", f"{ASK_REFERENCE}"),
        ("6.58E+09", f"{ASK_REFERENCE}"),
        ("81234567#", f"{ASK_REFERENCE}"),
        ("0" * 300 + "1", f"{ASK_REFERENCE}"),
        ("65812" + " " * 250 + "34567", f"{ASK_REFERENCE}"),
        ("\u0666\u0665\u0668\u0661\u0662\u0663\u0664\u0665", f"{ASK_REFERENCE}"),
    ],
)
def test_plain_texts_have_keys_and_odd_ones_have_none(text: str, key: str) -> None:
    """A key holds the plus sign and the digits; only libphonenumber can read more from a text."""
    assert keys_of(pl.Series([text])).to_list() == [int(key)]


def test_texts_that_many_rows_share_have_the_keys_that_each_has_alone() -> None:
    """Few different ones are looked at once each; null, blank, words, and odd numbers among them."""
    texts = ["n/a", None, "", " ", "+49 (151) 23", "call 1234567", "1.0", "\uff0b49151", "12345678"]
    alone = [keys_of(pl.Series([text], dtype=pl.String)).item() for text in texts]
    assert keys_of(pl.Series(texts * 1_000)).to_list() == alone * 1_000


def test_a_streamed_list_gets_the_same_verdicts_with_and_without_a_table(tmp_path: Path, table_folder: Path) -> None:
    """A lazy list of many batches, with nulls, gets the reference's verdicts in order."""
    texts: list[str | None] = [*islice(spellings(7), 5_000), None]
    path = tmp_path / "list.parquet"
    frame = pl.DataFrame({"recipient": texts * 3}, schema={"recipient": pl.String})
    frame.write_parquet(path, row_group_size=1_000)
    fast, slow = (
        Validator(None, worth_a_table=worth, folder=table_folder / sub) for worth, sub in ((0, "."), (10**9, "none"))
    )
    lazy = pl.scan_parquet(path)
    validated = [add_verdicts(lazy, way).collect(engine="streaming") for way in (fast, slow)]
    assert validated[0].equals(validated[1])
    assert validate(lazy, default_region=None).collect(engine="streaming").select(*VERDICT_COLUMNS).rows() == [
        expected(text, None) for text in texts * 3
    ]


@pytest.mark.parametrize("default_region", [None, "SG", "GB"])
@pytest.mark.parametrize("most_rows", [1_000, 200_000])
def test_shortcuts_change_no_verdict(table_folder: Path, default_region: str | None, most_rows: int) -> None:
    """At both ends of every run, verdict and number equal those of the table without shortcuts."""
    compiled_table(default_region, table_folder)
    cache = TableCache(table_folder, installed_edition())
    rows = [cache.read(name, SCHEMA) for name in ("shared", default_region or "none")]
    plain = Table.of(pl.concat([part for part in rows if part is not None]))
    short = with_shortcuts(plain, most_rows)
    starts = pl.concat([plain.starts, short.starts]).unique().sort()
    starts = starts.filter(starts >= 1_000)
    keys = pl.concat([starts, short.ends_of(starts) - 1])
    (codes, values), (short_codes, short_values) = plain.look_up(keys), short.look_up(keys)
    assert codes.equals(short_codes)
    of_number = pl.Series([isinstance(entry, Unlisted) or _is_of_a_number(entry) for entry in catalogue()])
    is_number = of_number.gather(codes)
    assert values.filter(is_number).equals(short_values.filter(is_number))
    assert short.starts.len() > plain.starts.len()


def _is_of_a_number(entry: object) -> bool:
    verdict = None if entry is None or isinstance(entry, Reread) else plain_verdict(entry)
    return verdict is not None and verdict.has_number


def test_a_table_is_cached_and_found_again(table_folder: Path) -> None:
    """A compiled table is found in its folder, unchanged."""
    table = compiled_table(None, table_folder)
    assert table is not None
    kept = cached_table.__wrapped__(None, table_folder)
    assert kept is not None
    assert kept.starts.equals(table.starts)


def test_a_wrong_cached_table_is_not_used(table_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A cached table that disagrees with `phonenumbers` is compiled again."""
    compiled_table(None, table_folder)
    cache = TableCache(table_folder, installed_edition())
    shared, own = cache.read("shared", SCHEMA), cache.read("none", SCHEMA)
    assert shared is not None
    assert own is not None
    wrong = TableCache(tmp_path, installed_edition())
    wrong.write("none", own)
    wrong.write("shared", shared.with_columns(pl.col("difference") + 1))
    with caplog.at_level(logging.WARNING):
        assert cached_table.__wrapped__(None, tmp_path) is None
    assert "compiled again" in caplog.text
    with pytest.raises(TableMismatchError):
        check(Table.of(pl.concat([shared.with_columns(pl.col("difference") + 1), own])), None, shared)
