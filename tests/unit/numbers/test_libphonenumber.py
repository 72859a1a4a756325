"""The reference validation: equal to libphonenumber, plus the rules that the design adds."""

import csv
import json
import random
import sys
from itertools import islice
from pathlib import Path

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libphonenumber_verdicts import expected
from number_spellings import spellings

from globe_sms.tasks.numbers import VERDICT_COLUMNS, checked_region, validate, validate_text
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.statuses import Status

SHARED = next((folder for parent in Path(__file__).parents if (folder := parent / "shared" / "data").is_dir()), Path())
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)

SPELLINGS = [
    # (as written, default region, E.164, region)
    ("+6581234567", None, "+6581234567", "SG"),
    ("6581234567", None, "+6581234567", "SG"),
    ("006581234567", None, "+6581234567", "SG"),
    ("(00)65-8123 4567", None, "+6581234567", "SG"),
    ("(+65) 8123-4567", None, "+6581234567", "SG"),
    ("  65 8123 4567\t", None, "+6581234567", "SG"),
    ("65.8123.4567", None, "+6581234567", "SG"),
    ("6581234567.0", None, "+6581234567", "SG"),
    ("6581234567.0 ", None, "+6581234567", "SG"),
    ("\u202a+65 8123 4567\u202c", None, "+6581234567", "SG"),
    ("\ufeff6581234567", None, "+6581234567", "SG"),
    ("\uff16\uff15\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17", None, "+6581234567", "SG"),
    ("\uff0b\uff16\uff15\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17", None, "+6581234567", "SG"),
    ("tel:+65-8123-4567", None, "+6581234567", "SG"),
    ("tel:81234567;phone-context=+65", None, "+6581234567", "SG"),
    ("tel:(65) 81234567;phone-context=example.com", None, "+6581234567", "SG"),
    ("65 8123 4567 ext. 12", None, "+6581234567", "SG"),
    ("++65 8123 4567", None, "+6581234567", "SG"),
    ("81234567", "SG", "+6581234567", "SG"),
    ("6581234567", "SG", "+6581234567", "SG"),
    ("07400 123456", "GB", "+447400123456", "GB"),
    ("07400 123456", "gb", "+447400123456", "GB"),
    ("+44 (0)7400 123456", None, "+447400123456", "GB"),
    ("07797 712345", "GB", "+447797712345", "JE"),
    ("011 15-2345-6789", "AR", "+5491123456789", "AR"),
    ("0 15 31 99999999", "BR", None, None),
    ("+39 312 345 6789", None, "+393123456789", "IT"),
    ("312 345 6789", "IT", "+393123456789", "IT"),
    ("8 912 345-67-89", "RU", "+79123456789", "RU"),
    ("8 701 234 5678", "RU", "+77012345678", "KZ"),
    ("+1 809 555 1234", None, "+18095551234", "DO"),
    ("+1 787 234 5678", None, "+17872345678", "PR"),
    ("+1 506 234 5678", None, "+15062345678", "CA"),
    ("+852 5123 4567", None, "+85251234567", "HK"),
    ("+853 6612 3456", None, "+85366123456", "MO"),
    ("+886 912 345 678", None, "+886912345678", "TW"),
    ("+881 612 345 678", None, "+881612345678", None),
]
REFUSALS = [
    # (as written, default region, status, reason)
    (None, None, "invalid", "empty"),
    ("", None, "invalid", "empty"),
    (" \t\u200b\ufeff\u3164", "SG", "invalid", "empty"),
    ("n/a", None, "invalid", "not_a_number"),
    ("12", None, "invalid", "not_a_number"),
    ("12", "SG", "invalid", "too_short"),
    ("ann@example.com", "SG", "invalid", "not_a_number"),
    ("00", None, "invalid", "not_a_number"),
    ("00/x6581234567", None, "invalid", "not_a_number"),
    ("6.58E+09", None, "invalid", "spreadsheet_damage"),
    ("6,58e9", "SG", "invalid", "spreadsheet_damage"),
    ("6E9", "SG", "invalid", "spreadsheet_damage"),
    ("6581234567.0.0", None, "invalid", "not_valid_for_region"),
    ("+65 8123", None, "invalid", "too_short"),
    ("+65 8123 4567 89012", None, "invalid", "too_long"),
    ("6581234567890123456", None, "invalid", "too_long"),
    ("6" * 251, None, "invalid", "too_long"),
    ("81234567", None, "invalid", "too_short"),
    ("+999 1234567", None, "invalid", "invalid_country_code"),
    ("+0065 8123 4567", None, "invalid", "invalid_country_code"),
    ("07911 123456", None, "invalid", "invalid_country_code"),
    ("0+447911123456", "GB", "invalid", "not_a_number"),
    ("+447700900123", None, "invalid", "not_valid_for_region"),
    ("+65 6123 4567", None, "invalid", "not_mobile"),
    ("+44 20 7946 0991", None, "invalid", "not_mobile"),
    ("+800 1234 5678", None, "invalid", "not_mobile"),
    ("+86 138 0013 8000", None, "unsupported", "china_mainland"),
    ("138 0013 8000", "CN", "unsupported", "china_mainland"),
    ("+86 10 6552 9988", None, "unsupported", "china_mainland"),
    ("+1 202 555 0104", None, "unsupported", "united_states"),
    ("(202) 555-0104", "CA", "unsupported", "united_states"),
    ("1-800-FLOWERS", "US", "unsupported", "united_states"),
]


@pytest.mark.parametrize(("recipient", "default_region", "phone_number", "region"), SPELLINGS)
def test_real_spellings_are_read(
    recipient: str, default_region: str | None, phone_number: str | None, region: str | None
) -> None:
    """Each spelling gives the number that the writer meant."""
    verdict = validate_text(recipient, checked_region(default_region))
    assert (verdict.phone_number, verdict.region) == (phone_number, region)
    assert verdict.status is (None if phone_number else Status.INVALID)


@pytest.mark.parametrize(("recipient", "default_region", "status", "reason"), REFUSALS)
def test_an_unsendable_recipient_has_its_reason(
    recipient: str | None, default_region: str | None, status: str, reason: str
) -> None:
    """The reasons are the design's."""
    verdict = validate_text(recipient, default_region)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert (verdict.phone_number is None) == (status == "invalid" and reason != "not_mobile")


def test_verdicts_equal_libphonenumber_on_generated_recipients() -> None:
    """30,000 recipients of all regions and spellings, without and with a default region, agree."""
    seed = random.SystemRandom().randrange(2**32)
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    for recipient in islice(spellings(seed), 30_000):
        region = chance.choice((None, chance.choice(REGIONS)))
        verdict = validate_text(recipient, region)
        got = (verdict.phone_number, verdict.region, verdict.status, verdict.reason, verdict.e164)
        assert got == expected(recipient, region), (seed, recipient, region)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(), st.text("0123456789+() -.eExX;,#/", max_size=24), st.from_regex(r"\A\s?\+?[\d -]{4,20}\.?0?\Z")
    ),
    st.sampled_from([None, *REGIONS]),
)
def test_any_text_gets_the_verdict_of_libphonenumber(recipient: str, region: str | None) -> None:
    """No text raises an error, and none gets another verdict."""
    verdict = validate_text(recipient, region)
    got = (verdict.phone_number, verdict.region, verdict.status, verdict.reason, verdict.e164)
    assert got == expected(recipient, region)


@pytest.mark.parametrize("region", ["", "S", "ZZ", "001", "UK", "Singapore", "+65"])
def test_an_unknown_default_region_is_refused(region: str) -> None:
    """A region that libphonenumber doesn't know is bad input."""
    with pytest.raises(InputError, match="ISO 3166"):
        validate(pl.DataFrame({"recipient": ["+6581234567"]}), default_region=region)


@pytest.mark.parametrize("default_region", [None, "SG"])
def test_validate_adds_the_verdict_columns(default_region: str | None) -> None:
    """Rows keep their order and columns; an eager and a streamed lazy frame give the same result."""
    recipients = [case[0] for case in SPELLINGS + REFUSALS] * 2
    frame = pl.DataFrame({"row": range(len(recipients)), "recipient": recipients, "name": "Ann"})
    validated = validate(frame, default_region=default_region)
    assert validated.schema == {**frame.schema, **VERDICT_COLUMNS}
    assert validated.select(frame.columns).equals(frame)
    assert validated.select("recipient", *VERDICT_COLUMNS).rows() == [
        (recipient, *expected(recipient, default_region)) for recipient in recipients
    ]
    assert validate(frame.lazy(), default_region=default_region).collect(engine="streaming").equals(validated)


def test_validate_accepts_an_empty_list() -> None:
    """An empty list gets the verdict columns too."""
    frame = pl.DataFrame(schema={"recipient": pl.String})
    assert validate(frame, default_region=None).schema == {"recipient": pl.String, **VERDICT_COLUMNS}
    assert validate(frame.lazy(), default_region=None).collect().height == 0


def shared_rows(name: str) -> list[dict[str, str]]:
    """Read a table of conformance cases, or skip the test if it's missing."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not present")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_examples_of_every_region_and_type_are_read() -> None:
    """Google's example of each region and type, written as E.164 and as bare digits, gives that number."""
    receives_texts = {"MOBILE", "FIXED_LINE_OR_MOBILE"}
    checked = 0
    for row in shared_rows("libphonenumber_examples.csv"):
        if row["pn_9_0_43_valid"] != "True" or row["pn_9_0_43_e164"] != row["e164"]:
            continue
        if row["pn_9_0_43_region"] != row["region"] or row["pn_9_0_43_type"] != row["type"]:
            continue
        for recipient in (row["e164"], row["e164"][1:], f"00{row['e164'][1:]}"):
            verdict = validate_text(recipient, None)
            assert verdict.phone_number == row["e164"]
            assert verdict.region == (None if row["region"] == "001" else row["region"])
            assert (verdict.status is Status.UNSUPPORTED) == (row["country_code"] == "86" or row["region"] == "US")
            assert (verdict.reason == "not_mobile") == (
                row["type"] not in receives_texts and verdict.status is not Status.UNSUPPORTED
            )
        checked += 1
    assert checked > 900


def test_notify_spellings_are_never_read_as_another_number() -> None:
    """A messy spelling gives the number that GOV.UK Notify and libphonenumber agree on, or a reason."""
    for row in shared_rows("notify_phone_cases.csv"):
        verdict = validate_text(row["input"], row["default_region"])
        valid = row["plain_phonenumbers_9_0_43_valid"] == "true"
        assert verdict.phone_number == (row["plain_phonenumbers_9_0_43_e164"] if valid else None), row["input"]
        assert verdict.phone_number or verdict.reason
        if verdict.phone_number and row["expected_e164"] and verdict.phone_number != row["expected_e164"]:
            assert "noise" in row["note"], row["input"]


def test_two_spellings_of_one_number_are_one_recipient() -> None:
    """If Notify treats two readable spellings as one recipient, so do we, and the reverse."""
    for row in shared_rows("notify_same_number.csv"):
        first, second = (validate_text(row[column], "GB").phone_number for column in ("a", "b"))
        if first and second:
            assert (first == second) == json.loads(row["same"]), row
