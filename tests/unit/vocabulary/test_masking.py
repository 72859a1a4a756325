"""Numbers in logs and messages: enough to recognise, too little to text."""

from pathlib import Path
from typing import Any, NoReturn

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.date_placeholders import time_zone
from globe_sms.tasks.recipients import find_lists
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask, mask_numbers_in, mask_recipient, mask_typed, mask_written


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+6581234567", "+65••••4567"),
        ("+12025550104", "+1••••0104"),
        ("+18685551234", "+1••••1234"),
        ("+4915112345678", "+49••••5678"),
        ("+881612345678", "+881••••5678"),
        ("+24740123", "••••"),
        ("+6581", "••••"),
        ("+999123456789", "••••"),
        ("+0123456789", "••••"),
        ("6581234567", "••••"),
        ("+65 8123 4567", "••••"),
        ("+", "••••"),
        ("", "••••"),
        ("+\u0666\u0665\u0668\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "••••"),
    ],
)
def test_a_number_keeps_its_country_and_its_last_four_digits(number: str, masked: str) -> None:
    """Anything else, or an E.164 number too short to hide, is hidden completely."""
    assert mask(number) == masked


@pytest.mark.parametrize(
    ("raw", "masked"),
    [
        ("(+65) 8123-4567", "••••4567"),
        ("6581234567.0", "••••5670"),
        ("81234567", "••••4567"),
        ("\uff16\uff15\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17", "••••4567"),
        ("1234567", "••••"),
        ("Ann Other, 12 High Street", "••••"),
        ("", "••••"),
        (None, "••••"),
    ],
)
def test_a_raw_recipient_shows_at_most_four_digits(raw: str | None, masked: str) -> None:
    """Names, addresses and short texts are hidden completely."""
    assert mask_recipient(raw) == masked


@given(st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)), st.text("0123456789", max_size=14))
def test_a_masked_number_hides_at_least_three_digits(code: int, national: str) -> None:
    """Either the last four digits of the national number show, or none."""
    masked = mask(f"+{code}{national}")
    assert masked in ("••••", f"+{code}••••{national[-4:]}")
    assert len(national) >= 7 or masked == "••••"


@given(st.text())
def test_masking_takes_any_text(text: str) -> None:
    """No text raises an error or shows more than its last four digits."""
    assert mask(text).count("••••") == 1
    assert len(mask_recipient(text)) in (4, 8)


def test_numbers_in_third_party_text_are_masked() -> None:
    """The gateway's descriptions may repeat a number."""
    assert mask_numbers_in("to +6581234567 after 3 tries") == "to +65••••4567 after 3 tries"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://anna:pass@example.com/a.csv", "https://••••@example.com/a.csv"),
        ("s3://key:secret@lists/a.csv", "s3://••••@lists/a.csv"),
        ("https://b.s3.amazonaws.com/a.csv?X-Amz-Signature=abc", "https://b.s3.amazonaws.com/a.csv?••••"),
        ("s3://lists/anna@example.com/?.csv", "s3://lists/anna@example.com/?.csv"),
    ],
)
def test_what_opens_a_web_address_typed_in_place_of_a_path_is_masked(text: str, masked: str) -> None:
    """A password, or the signature of a presigned address."""
    assert mask_typed(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+65 8123 4567", "+65••••4567"),
        ("+6581234567", "+65••••4567"),
        ("6581234567", "••••4567"),
        ("8123-4567", "••••4567"),
        ("+6581234567,+6591234567", "••••4567"),
        ("/lists/+65 8123 4567", "/lists/+65••••4567"),
        ("/lists/20261129/81234567.csv", "/lists/20261129/81234567.csv"),
        ("s3://lists-20261129/1234567890/*.csv", "s3://lists-20261129/1234567890/*.csv"),
        ("2026-11-29", "2026-11-29"),
        ("123456", "123456"),
    ],
)
def test_a_number_typed_in_place_of_a_path_is_masked_and_paths_keep_their_digits(text: str, masked: str) -> None:
    """A number is digits and separators only, or starts with a plus sign."""
    assert mask_typed(text) == masked


def test_a_number_with_a_plus_sign_is_masked_in_every_error_of_ours() -> None:
    message = "frozen 'call +65 (81) 23-45.67', now '+6591234567'; as of 2026-11-29, 1,000,000 rows, +658"
    shown = "frozen 'call +65••••4567', now '+65••••4567'; as of 2026-11-29, 1,000,000 rows, +658"
    assert mask_written(message) == str(InputError(message)) == shown


def _no_s3() -> NoReturn:
    raise AssertionError("S3 was asked for")


def _config(**wrong: Any) -> CampaignConfig:
    return CampaignConfig.checked(
        **{"recipients": ["list.csv"], "message": "x", "type": "OTP", "results": "out", **wrong}
    )


TYPED_FOR = {
    "--default-region": lambda number: _config(default_region=number),
    "--sender-id": lambda number: _config(sender_id=number),
    "--sender-id of a country": lambda number: _config(sender_id=[f"{number}=Acme"]),
    "--deny-country": lambda number: _config(deny_country=[number]),
    "--hours": lambda number: _config(hours=number),
    "--hours-wait": lambda number: _config(hours_wait=number),
    "--encoding": lambda number: _config(encoding=number),
    "--time-zone": time_zone,
    "URI": lambda number: find_lists([number], s3=_no_s3),
    "--results": lambda number: open_store(number, _no_s3),
}


@pytest.mark.parametrize("option", TYPED_FOR)
@pytest.mark.parametrize("number", ["+65 8123 4567", "8123 4567"])
def test_no_option_shows_a_number_typed_in_its_place(
    option: str, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mixed-up arguments must not print a phone number."""
    monkeypatch.chdir(tmp_path)
    if option == "--results":
        (tmp_path / number).touch()
    with pytest.raises(InputError) as raised:
        TYPED_FOR[option](number)
    assert "8123" not in str(raised.value)
    assert "••••4567" in str(raised.value)
