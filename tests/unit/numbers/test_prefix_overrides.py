"""Prefixes that override the metadata: what they change, what they never change, with and without a table."""

import random
from itertools import islice
from pathlib import Path

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from number_spellings import spellings
from table_verdicts import rows_of

from globe_sms.tasks.numbers import VERDICT_COLUMNS, Overrides, validate, validate_text
from globe_sms.tasks.numbers.prefix_overrides import MobileOverride

MOBILE, NOT = True, False
CASES = [
    # (prefixes, recipient, default region, E.164 or None, region, status, reason)
    ({"656": MOBILE}, "+65 6123 4567", None, "+6561234567", "SG", None, None),
    ({"656": MOBILE}, "6123 4567", "SG", "+6561234567", "SG", None, None),
    ({"656": MOBILE}, "+65 7123 4567", None, None, None, "invalid", "not_valid_for_region"),
    ({"657": MOBILE}, "+65 7123 4567", None, "+6571234567", "SG", None, None),
    ({"657": MOBILE}, "+65 7123 456", None, None, None, "invalid", "too_short"),
    ({"657": MOBILE}, "+65 7123 4567 8", None, None, None, "invalid", "not_valid_for_region"),
    ({"657": MOBILE}, "+65 7123 4567 8901 2", None, None, None, "invalid", "too_long"),
    ({"658": NOT}, "+65 8123 4567", None, "+6581234567", "SG", "invalid", "not_mobile"),
    ({"658": NOT}, "+65 9123 4567", None, "+6591234567", "SG", None, None),
    ({"658": NOT, "65812": MOBILE}, "+65 8123 4567", None, "+6581234567", "SG", None, None),
    ({"658": MOBILE, "65812": NOT}, "+65 8123 4567", None, "+6581234567", "SG", "invalid", "not_mobile"),
    ({"658": NOT}, "+65 7123 4567", None, None, None, "invalid", "not_valid_for_region"),
    ({"656": NOT}, "+65 6123 4567", None, "+6561234567", "SG", "invalid", "not_mobile"),
    ({"8613": NOT, "8610": MOBILE}, "+86 138 0013 8000", None, "+8613800138000", "CN", "unsupported", "china_mainland"),
    ({"8610": MOBILE}, "+86 10 6552 9988", None, "+861065529988", "CN", "unsupported", "china_mainland"),
    ({"8619": MOBILE}, "+86 200 0000 0000", None, None, None, "invalid", "not_valid_for_region"),
    ({"1202": MOBILE}, "+1 202 555 0104", None, "+12025550104", "US", "unsupported", "united_states"),
    ({"1000": MOBILE}, "+1 000 234 5678", None, None, None, "invalid", "not_valid_for_region"),
    ({"1268": MOBILE}, "+1 268 000 0000", None, "+12680000000", "AG", None, None),
    ({"1800": MOBILE}, "+1 800 234 5678", None, "+18002345678", "US", "unsupported", "united_states"),
    ({"39055": MOBILE}, "+39 055 123 456", None, "+39055123456", "IT", None, None),
    ({"3905": MOBILE}, "+39 0512 345678", None, "+390512345678", "IT", None, None),
    ({"395": MOBILE}, "+39 0512 345678", None, "+390512345678", "IT", "invalid", "not_mobile"),
    ({"447700": MOBILE}, "07700 900123", "GB", "+447700900123", "GB", None, None),
    ({"800": MOBILE}, "+800 1234 5678", None, "+80012345678", None, None, None),
    ({"999": MOBILE}, "+999 1234567", None, None, None, "invalid", "invalid_country_code"),
    ({"658": MOBILE}, "6.58E+09", None, None, None, "invalid", "spreadsheet_damage"),
]


@pytest.mark.parametrize(
    ("prefixes", "recipient", "default_region", "phone_number", "region", "status", "reason"), CASES
)
def test_prefixes_change_only_what_they_may(
    table_folder: Path,
    prefixes: dict[str, bool],
    recipient: str,
    default_region: str | None,
    phone_number: str | None,
    region: str | None,
    status: str | None,
    reason: str | None,
) -> None:
    """With `phonenumbers` itself and with the table."""
    overrides = Overrides(prefixes)
    verdict = validate_text(recipient, default_region, overrides)
    row = rows_of([recipient], default_region, table_folder, overrides)[0]
    assert row == (verdict.phone_number, verdict.region, verdict.status, verdict.reason, verdict.e164)
    assert row[:4] == (phone_number, region, status, reason)


def test_without_prefixes_nothing_is_overridden() -> None:
    """An empty set of prefixes has no effect."""
    assert validate_text("+6561234567", None, Overrides()) == validate_text("+6561234567", None)


def _prefixes() -> st.SearchStrategy[dict[str, bool]]:
    codes = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
    prefix = st.tuples(codes, st.text("0123456789", max_size=5)).map(lambda parts: f"{parts[0]}{parts[1]}")
    return st.dictionaries(prefix, st.booleans(), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(prefixes=_prefixes(), seed=st.integers(0, 2**32), default_region=st.sampled_from([None, "SG", "GB"]))
def test_overrides_agree_with_and_without_a_table(
    table_folder: Path, prefixes: dict[str, bool], seed: int, default_region: str | None
) -> None:
    """Any prefixes, any recipients; half of the prefixes come from these recipients' numbers."""
    recipients = list(islice(spellings(seed, default_region), 60))
    chance = random.Random(seed)
    for recipient in recipients[::4]:
        digits = "".join(char for char in recipient if "0" <= char <= "9").lstrip("0")
        if digits:
            prefixes[digits[: chance.randint(1, 12)]] = chance.random() < 0.7
    overrides = Overrides(prefixes)
    expected = [validate_text(text, default_region, overrides) for text in recipients]
    assert rows_of(recipients, default_region, table_folder, overrides) == [
        (verdict.phone_number, verdict.region, verdict.status, verdict.reason, verdict.e164) for verdict in expected
    ]


@settings(max_examples=80)
@given(prefixes=_prefixes(), digits=st.text("0123456789", min_size=1, max_size=18).filter(lambda text: text[0] != "0"))
def test_ranges_of_integers_say_what_the_prefixes_say(prefixes: dict[str, bool], digits: str) -> None:
    """The longest prefix wins, for digits of any length."""
    overrides = Overrides(prefixes)
    fitting = [prefix for prefix in prefixes if digits.startswith(prefix)]
    wanted = MobileOverride.NONE
    if fitting:
        wanted = MobileOverride.MOBILE if prefixes[max(fitting, key=len)] else MobileOverride.NOT_MOBILE
    assert overrides.of(digits) is wanted
    assert [says for first, says in overrides.ranges() if first <= int(digits)][-1] is wanted


def test_short_and_long_lists_are_overridden_alike(table_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`validate` applies the prefixes with and without a table."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(table_folder.parent))
    overrides = Overrides({"656": True, "658": False})
    texts = ["+6561234567", "81234567", "+65 8123 4567 ext. 5", None, "x"]
    short = validate(pl.DataFrame({"recipient": texts}), default_region="SG", overrides=overrides)
    long = validate(
        pl.DataFrame({"recipient": texts * 11_000}).lazy(), default_region="SG", overrides=overrides
    ).collect()
    assert short["reason"].to_list() == [None, "not_mobile", "not_mobile", "empty", "not_a_number"]
    assert long.head(5).select(*VERDICT_COLUMNS).equals(short.select(*VERDICT_COLUMNS))
    assert long.tail(5).select(*VERDICT_COLUMNS).equals(short.select(*VERDICT_COLUMNS))


def test_the_digest_is_of_what_the_prefixes_say() -> None:
    """Independent of their order."""
    first, second = Overrides({"658": True, "656": False}), Overrides({"656": False, "658": True})
    assert first.digest == second.digest
    assert first.digest != Overrides({"656": True, "658": True}).digest
    assert first.digest != Overrides({"656": False}).digest
