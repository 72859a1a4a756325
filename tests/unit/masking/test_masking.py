"""Numbers in logs and messages: enough to recognise, too little to text."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.masking import mask, mask_numbers_in, mask_recipient


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
    """Whatever is not plainly an E.164 number long enough to hide is hidden altogether."""
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
    """Names, addresses and short texts are hidden altogether."""
    assert mask_recipient(raw) == masked


@given(st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)), st.text("0123456789", max_size=14))
def test_a_masked_number_hides_at_least_three_digits(code: int, national: str) -> None:
    """Of the national number, the last four digits show or none."""
    masked = mask(f"+{code}{national}")
    assert masked in ("••••", f"+{code}••••{national[-4:]}")
    assert len(national) >= 7 or masked == "••••"


@given(st.text())
def test_masking_takes_any_text(text: str) -> None:
    """No text makes an error or shows more than its last four digits."""
    assert mask(text).count("••••") == 1
    assert len(mask_recipient(text)) in (4, 8)


def test_numbers_in_a_text_of_others_are_masked() -> None:
    """The gateway's descriptions can repeat a number."""
    assert mask_numbers_in("to +6581234567 after 3 tries") == "to +65••••4567 after 3 tries"
