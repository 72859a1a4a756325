"""Exceptions lose their causes: third-party messages quote numbers and keys, and Prefect logs the whole chain."""

import gzip
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import Mock

import polars as pl
import pytest
from botocore.exceptions import ClientError

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.recipients import find_lists, read_lists, translate_errors
from globe_sms.tasks.runs import open_campaign_run as run_module
from globe_sms.tasks.runs.open_campaign_run import open_run, preflight
from globe_sms.tasks.steps.plan_campaign import plan_campaign
from globe_sms.tasks.vocabulary.errors import InputError, StoreError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

NUMBER = "6591005000"
FIRST_QUOTE = f'phone,name\n"+{NUMBER},a\n'.encode()
ROWS = [f"+659{row:07},n" for row in range(6_000)]


def _rows_with(row: str) -> bytes:
    return "\n".join(["phone,name", *ROWS[:5_000], row, *ROWS[5_000:], ""]).encode()


def no_s3() -> NoReturn:
    """An S3 access that no test here may use."""
    raise AssertionError("S3 was asked for")


def causes_of(error: BaseException) -> list[BaseException]:
    """Every cause and context of an exception, including those that printers hide."""
    left, found = [error], []
    while left:
        each = left.pop()
        for cause in (each.__cause__, each.__context__):
            if cause is not None:
                found.append(cause)
                left.append(cause)
    return found


@redact_errors()
def _read(path: Path) -> None:
    sources = find_lists([str(path)], s3=no_s3)
    with translate_errors(sources, number_column=None, s3=no_s3):
        read_lists(sources, number_column=None, s3=no_s3).collect()


LISTS = {
    "quote.csv": FIRST_QUOTE,
    "deep-quote.csv": _rows_with(f'"+{NUMBER},a'),
    "deep-quote.csv.gz": gzip.compress(_rows_with(f'"+{NUMBER},a')),
    "wide.csv": _rows_with(f"+{NUMBER},a,b,c"),
    "not-utf8.csv": _rows_with(f"+{NUMBER},@").replace(b"@", b"\xff\xfe"),
    "cut.csv.gz": gzip.compress(_rows_with(f"+{NUMBER},a"))[:-9],
    "bad.ndjson": ('{"phone": "+6591234567"}\n' * 5_000 + f'{{"phone": "+{NUMBER}"\n').encode(),
    "bad.xlsx": b"PK\x03\x04" + NUMBER.encode(),
    "bad.parquet": b"PAR1" + NUMBER.encode() + b"PAR1",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_cannot_be_read_leaves_no_words_of_polars(tmp_path: Path, name: str) -> None:
    """Neither in the error nor in its causes."""
    path = tmp_path / name
    path.write_bytes(LISTS[name])
    with pytest.raises(InputError) as raised:
        _read(path)
    assert causes_of(raised.value) == []
    assert NUMBER not in str(raised.value)


def test_translated_errors_are_stripped_too(tmp_path: Path) -> None:
    """Prices and own numbers are read outside any task."""
    path = tmp_path / "list.csv"
    path.write_bytes(LISTS["deep-quote.csv"])
    sources = find_lists([str(path)], s3=no_s3)
    with pytest.raises(InputError) as raised, translate_errors(sources, number_column=None, s3=no_s3):
        read_lists(sources, number_column=None, s3=no_s3).collect()
    assert causes_of(raised.value) == []


def _refused() -> NoReturn:
    answer: Any = {"Error": {"Code": "SignatureDoesNotMatch", "Message": "AKIDSECRET"}}
    raise StoreError("the S3 secret is wrong") from ClientError(answer, "PutObject")


def _polars() -> NoReturn:
    raise pl.exceptions.ComputeError(f'could not parse "+{NUMBER},n"')


def _others() -> NoReturn:
    raise ValueError(f"what is {NUMBER}?")


@pytest.mark.parametrize("fail", [_refused, _polars, _others])
def test_nothing_that_leaves_a_block_shows_a_number_or_a_key(fail: Callable[[], NoReturn]) -> None:
    """Type and traceback stay; third-party messages lose their numbers."""
    with pytest.raises(Exception, match=r"secret is wrong|words are left out|what is \+65••••5000") as raised:
        redact_errors()(fail)()
    assert causes_of(raised.value) == []
    shown = "".join(traceback.format_exception(raised.value))
    assert NUMBER not in shown
    assert "AKIDSECRET" not in shown
    assert fail.__name__ in shown


def test_tasks_runs_and_configs_raise_errors_without_causes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task that plans, the functions that open a run, and the configuration's own checks."""
    config = CampaignConfig.checked(
        recipients=["list.csv"], message="x", type="OTP", results=str(tmp_path), dry_run=True
    )

    def refused(*_: object, **__: object) -> NoReturn:
        _refused()

    monkeypatch.setattr(run_module, "probe", refused)
    monkeypatch.setattr("globe_sms.tasks.steps.plan_campaign.FrozenPlan.load", refused)
    for leave in (
        lambda: open_run(config).__enter__(),
        lambda: preflight(config),
        lambda: plan_campaign(Mock()),
        lambda: CampaignConfig.checked(
            recipients=[], message="{", type="OTP", results="", default_region="+6581234567"
        ),
    ):
        with pytest.raises((InputError, StoreError)) as raised:
            leave()
        assert causes_of(raised.value) == []
