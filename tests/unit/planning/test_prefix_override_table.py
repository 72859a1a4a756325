"""The table behind `--numbers-override`: what it may be written in, and what is wrong with a row."""

from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.numbers import NO_OVERRIDES
from globe_sms.tasks.planning.prefix_override_table import MOST_PREFIXES, read_overrides
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

ORDER = CampaignConfig(recipients=("list.csv",), message="Hello", type="NOTIFY", results="out")


def no_s3() -> S3Access:
    """No table of these tests is on S3."""
    raise AssertionError("S3 was asked for")


def table(tmp_path: Path, text: str) -> str:
    """Write a CSV table."""
    path = tmp_path / "prefixes.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_table_is_read_as_people_write_it(tmp_path: Path) -> None:
    """Plus signs, spaces, notes, blank lines, words in either case; the same row twice is no harm."""
    uri = table(
        tmp_path,
        'Prefix,Mobile,note\n+65 7,Yes,"new, since May"\n658-1,no,\n,,\n+44 (7) 5,TRUE,\n44 75,1,\n49 15 ,N,\n',
    )
    assert read_overrides(uri, no_s3).mobile == {"657": True, "6581": False, "4475": True, "4915": False}


@pytest.mark.parametrize("suffix", ["parquet", "ndjson"])
def test_a_table_may_have_any_format_of_a_list(tmp_path: Path, suffix: str) -> None:
    """With numbers where the format has them."""
    frame = pl.DataFrame({"prefix": [657, 6581], "mobile": ["yes", "no"]})
    path = tmp_path / f"prefixes.{suffix}"
    {"parquet": frame.write_parquet, "ndjson": frame.write_ndjson}[suffix](path)
    assert read_overrides(str(path), no_s3).mobile == {"657": True, "6581": False}


def test_no_table_overrides_nothing() -> None:
    """The option left out."""
    assert read_overrides(None, no_s3) is NO_OVERRIDES


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("657,yes\nabc,no\n", r"row 1 holds a prefix that is not digits"),
        ("657,yes\n658,\n", r"row 1 says neither yes nor no"),
        ("657,perhaps\n", r"row 0 says neither yes nor no"),
        (",yes\n", r"row 0 holds a prefix that is not digits"),
        ("0657,yes\n", r"row 0 holds a prefix that does not begin with a country code"),
        ("0,yes\n", r"row 0 holds a prefix that does not begin with a country code"),
        ("999,yes\n", r"row 0 holds a prefix that does not begin with a country code"),
        ("65,yes\n", r"row 0 holds a prefix that is a whole country"),
        ("658,yes\n+65 8,no\n", r"row 1 says the opposite of an earlier row"),
        ("6581234567890123,yes\n", r"row 0 holds a prefix of more than 15 digits"),
        ("6.58E+09,yes\n", r"row 0 holds a prefix that is not digits"),
        ("", r"holds no prefixes"),
        (",\n", r"holds no prefixes"),
        ("658,yes\n" * (MOST_PREFIXES + 1), r"has more than 10,000 rows"),
    ],
)
def test_a_bad_row_is_named_in_one_line(tmp_path: Path, rows: str, message: str) -> None:
    """Where it is and what is wrong; never what stands there, which may be somebody's number."""
    uri = table(tmp_path, f"prefix,mobile\n{rows}")
    with pytest.raises(InputError, match=message) as caught:
        read_overrides(uri, no_s3)
    assert str(caught.value).startswith(f"{uri}: ")
    assert "\n" not in str(caught.value)
    assert "6581234567" not in str(caught.value)


@pytest.mark.parametrize("text", ["prefix\n658\n", "number,mobile\n658,yes\n"])
def test_a_table_without_its_columns_is_refused(tmp_path: Path, text: str) -> None:
    """The message names the column."""
    with pytest.raises(InputError, match=r"prefix|mobile"):
        read_overrides(table(tmp_path, text), no_s3)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """As a list that is not there."""
    with pytest.raises(InputError, match="nowhere"):
        read_overrides(str(tmp_path / "nowhere.csv"), no_s3)


def test_a_configuration_freezes_the_content_of_its_table(tmp_path: Path) -> None:
    """Another URI, order or note is the same campaign; another word or no table is a different one."""
    first = ORDER.overriding(read_overrides(table(tmp_path, "prefix,mobile\n657,yes\n6581,no\n"), no_s3))
    same = ORDER.overriding(read_overrides(table(tmp_path, "mobile,prefix,note\nno,6581,\nyes,+657,new\n"), no_s3))
    other = ORDER.overriding(read_overrides(table(tmp_path, "prefix,mobile\n657,yes\n6581,yes\n"), no_s3))
    assert first.frozen_settings() == same.frozen_settings()
    assert len({str(config.frozen_settings()) for config in (ORDER, first, other)}) == 3
    assert ORDER.overriding(NO_OVERRIDES).frozen_settings() == ORDER.frozen_settings()
    assert ORDER.frozen_settings()["numbers_override_sha256"] is None
    assert "numbers_override_sha256" not in first.parameters()


@pytest.mark.parametrize("uri", ["  ", "\t"])
def test_a_blank_place_is_refused(uri: str) -> None:
    """Before anything is opened; an empty one means none, as in the form."""
    assert CampaignConfig.checked(**{**ORDER.options(), "numbers_override": ""}) == ORDER
    with pytest.raises(InputError, match="--numbers-override"):
        CampaignConfig.checked(**{**ORDER.options(), "numbers_override": uri})
