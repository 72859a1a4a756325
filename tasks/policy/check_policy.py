"""Checks a policy before a campaign needs it: its keys, and every list and table that it names."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from globe_sms.tasks.planning.opt_outs import OptOutLists
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.reports.prices import read_prices
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.plurals import counted


@dataclass(frozen=True, slots=True)
class CheckedList:
    """A list or table of a policy, and what was found in it."""

    key: str
    uri: str
    found: str


def check_lists(policy: Policy, s3: Callable[[], S3Access]) -> tuple[CheckedList, ...]:
    """Read every list and table that a policy names.

    Raises:
        InputError: some can't be read, with a line for each.
    """
    checked: list[CheckedList] = []
    wrong: list[str] = []
    for uri in policy.rules.suppress:
        try:
            checked.append(CheckedList("suppress", uri, counted(_count(uri, s3), "number")))
        except InputError as error:
            wrong.append(f"{policy.place}: suppress: {error}")
    if policy.rules.prices is not None:
        try:
            prices = read_prices(policy.rules.prices, s3)
        except InputError as error:
            wrong.append(f"{policy.place}: prices: {error}")
        else:
            places = 0 if prices is None else len(prices.by_region) + len(prices.by_prefix)
            currency = "" if prices is None else prices.currency
            checked.append(CheckedList("prices", policy.rules.prices, f"{counted(places, 'price')} in {currency}"))
    if wrong:
        raise InputError("\n".join(wrong))
    return tuple(checked)


def _count(uri: str, s3: Callable[[], S3Access]) -> int:
    with tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch:
        (file,) = OptOutLists((uri,), s3, Path(scratch)).files()
        return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
