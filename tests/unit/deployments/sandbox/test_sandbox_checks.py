"""The backend's checks of a batch."""

import json
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.deployments.sandbox.gateway.refusals import RefusedError
from globe_sms.deployments.sandbox.gateway.request_checks import check
from globe_sms.deployments.sandbox.gateway.settings import Account
from globe_sms.deployments.sandbox.gateway.unsupported_countries import Destination, destination

Parameters = Callable[..., dict[str, str]]


def texts(*messages: str) -> dict[str, str]:
    """Return a Message parameter."""
    return {"Message": json.dumps(list(messages))}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Type": "SPAM"}, "INVALID_PARAMETERS"),
        ({"Type": "notify"}, "INVALID_PARAMETERS"),
        ({"From": ""}, "INVALID_PARAMETERS"),
        ({"From": "TwelveLetter"}, "INVALID_SENDERID"),
        ({"From": "ABCDEFGHIJK1"}, "INVALID_SENDERID"),
        ({"From": "1234567890123456"}, "INVALID_SENDERID"),
        ({"From": "My Shop"}, "INVALID_SENDERID"),
        ({"From": "Café"}, "INVALID_SENDERID"),
        ({"TaskId": "a" * 256}, "INVALID_PARAMETERS"),
        ({"TaskId": "a.b"}, "INVALID_PARAMETERS"),
        ({"TaskId": ""}, "INVALID_PARAMETERS"),
        ({"ValidityPeriod": "0"}, "INVALID_PARAMETERS"),
        ({"ValidityPeriod": "-5"}, "INVALID_PARAMETERS"),
        ({"ValidityPeriod": "10.0"}, "INVALID_PARAMETERS"),
        ({"ValidityPeriod": "14401"}, "INVALID_PARAMETERS"),
        ({"ValidityPeriod": str(2**63)}, "INVALID_PARAMETERS"),
        ({"ChannelId": ""}, "INVALID_PARAMETERS"),
        ({"Priority": "1"}, "InvalidParameter"),
        ({"Action": "BatchSendMessageToGlobe"}, "InvalidParameter"),
        ({"To": ""}, "INVALID_JSON_PARAM"),
        ({"To": "[]"}, "INVALID_JSON_PARAM"),
        ({"To": "6581234567"}, "INVALID_JSON_PARAM"),
        ({"To": '["6581234567"'}, "INVALID_JSON_PARAM"),
        ({"To": '{"a": "6581234567"}'}, "INVALID_JSON_PARAM"),
        ({"To": "[6581234567, 85251234567]"}, "INVALID_PARAMETERS"),
        ({"To": '["+6581234567", "85251234567"]'}, "MOBILE_NUMBER_ILLEGAL"),
        ({"To": '["006581234567", "85251234567"]'}, "MOBILE_NUMBER_ILLEGAL"),
        ({"To": '["6581234567 ", "85251234567"]'}, "MOBILE_NUMBER_ILLEGAL"),
        ({"To": '["", "85251234567"]'}, "MOBILE_NUMBER_ILLEGAL"),
        ({"To": '["٦٥٨١٢٣٤٥٦٧", "85251234567"]'}, "MOBILE_NUMBER_ILLEGAL"),
        ({"To": '["6581234567", "6581234567"]'}, "INVALID_PARAMETERS"),
        ({"To": '["8613123456789", "85251234567"]'}, "NOT_SUPPORTED_COUNTRY"),
        ({"To": '["12015550123", "85251234567"]'}, "NOT_SUPPORTED_COUNTRY"),
        ({"To": json.dumps(["6581234567"] * 4)}, "MOBILE_COUNT_OVER_LIMIT"),
        ({"Message": "Hello"}, "INVALID_JSON_PARAM"),
        (texts("one for two"), "INVALID_PARAMETERS"),
        (texts("three", "for", "two"), "INVALID_PARAMETERS"),
        (texts("a", " \n\u3000"), "INVALID_PARAMETERS"),
        (texts("a", ""), "INVALID_PARAMETERS"),
        (texts("a", "x" * 1501), "PARAM_LENGTH_LIMIT"),
        (texts("a", "😀" * 751), "PARAM_LENGTH_LIMIT"),
        ({"Message": '["a", "\\ud83d"]'}, "INVALID_PARAMETERS"),
    ],
)
def test_a_batch_that_breaks_a_rule_is_refused(parameters: Parameters, changes: dict[str, str], code: str) -> None:
    """Each rule has its code; the account allows three numbers per call."""
    with pytest.raises(RefusedError) as caught:
        check(parameters(**changes), Account(key_id="k", secret="s", numbers_per_call=3))
    assert caught.value.refusal.code == code


@pytest.mark.parametrize("name", ["To", "Message", "Type"])
def test_a_missing_parameter_is_named(parameters: Parameters, account: Account, name: str) -> None:
    """The gateway refuses it before the backend sees the call."""
    given_parameters = parameters()
    del given_parameters[name]
    with pytest.raises(RefusedError) as caught:
        check(given_parameters, account)
    assert (caught.value.refusal.code, caught.value.refusal.status) == (f"Missing{name}", 400)


@pytest.mark.parametrize(
    "changes",
    [
        {"From": "Alicloud321"},
        {"From": "123456789012345"},
        {"TaskId": "a" * 255, "ValidityPeriod": "600", "ChannelId": "sms-djnfjn344"},
        {"Type": "OTP"},
        texts("x" * 1500, "😀" * 750),
    ],
)
def test_a_batch_within_the_documented_limits_is_accepted(
    parameters: Parameters, account: Account, changes: dict[str, str]
) -> None:
    """The limits themselves are allowed."""
    assert check(parameters(**changes), account).numbers == ["6581234567", "85251234567"]


def test_an_unapproved_sender_id_is_refused(parameters: Parameters) -> None:
    """Approved sender IDs are compared with their case."""
    account = Account(key_id="k", secret="s", sender_ids=("MyShop",))
    assert check(parameters(From="MyShop"), account).sender == "MyShop"
    with pytest.raises(RefusedError, match="INVALID_SENDERID"):
        check(parameters(From="MYSHOP"), account)


def test_impossible_numbers_are_told_from_the_others(parameters: Parameters, account: Account) -> None:
    """Too short, too long and unknown calling codes fail on their own; the call is accepted."""
    impossible = ["658123", "658123456789012", "9991234567", "65"]
    assert check(parameters([*impossible, "6581234567"]), account).impossible == frozenset(impossible)


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("8613123456789", Destination.CHINA_MAINLAND),
        ("86", Destination.CHINA_MAINLAND),
        ("12015550123", Destination.UNITED_STATES),
        ("19073555123", Destination.UNITED_STATES),
        ("12010550123", Destination.UNITED_STATES),
        ("18005550123", Destination.UNITED_STATES),
        ("15062345678", Destination.SERVED),
        ("18762101234", Destination.SERVED),
        ("17872345678", Destination.SERVED),
        ("85251234567", Destination.SERVED),
        ("886912345678", Destination.SERVED),
        ("85366123456", Destination.SERVED),
        ("393123456789", Destination.SERVED),
        ("1", Destination.IMPOSSIBLE),
        ("120155501234", Destination.IMPOSSIBLE),
    ],
)
def test_unserved_countries_are_recognized_by_prefix(number: str, place: Destination) -> None:
    """Hong Kong, Macao, Taiwan, Canada, Jamaica and Puerto Rico are served."""
    assert destination(number) is place


@settings(deadline=None)
@given(st.integers(2_000_000_000, 9_999_999_999))
def test_the_cheap_prefix_agrees_with_libphonenumber_on_every_valid_number_of_calling_code_1(national: int) -> None:
    """The first seven digits determine the country as well as all eleven."""
    number = phonenumbers.PhoneNumber(1, national)
    region = phonenumbers.region_code_for_number(number)
    if region is not None:
        assert (destination(f"1{national}") is Destination.UNITED_STATES) is (region == "US")
