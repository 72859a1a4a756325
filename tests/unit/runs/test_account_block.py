"""The account block: its form, its secrets, and what a run makes of it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from globe_sms.tasks.account.account import Account
from globe_sms.tasks.blocks import AlibabaSmsAccount
from globe_sms.tasks.gateway import Credentials, Region
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

KEY: dict[str, Any] = {"access_key_id": "LTAI5tExampleKey", "access_key_secret": "very-secret-0815"}


def no_s3() -> S3Access:
    raise AssertionError


def test_every_field_of_the_form_has_a_title_and_a_description() -> None:
    """An operator fills it in without having read anything."""
    schema = AlibabaSmsAccount.model_json_schema()
    fields = {
        name: {"title": "of its enum" if "$ref" in field else "", **field}
        for name, field in schema["properties"].items()
    }
    assert [name for name, field in fields.items() if not (field["title"] and field["description"])] == []
    assert sorted(schema["secret_fields"]) == ["access_key_secret", "security_token"]
    assert AlibabaSmsAccount.get_block_type_slug() == "alibaba-sms-account"
    assert AlibabaSmsAccount.get_code_example()


def test_the_secret_shows_nowhere() -> None:
    block = AlibabaSmsAccount(**KEY)
    shown = f"{block!r} {block} {block.account()!r} {block.model_dump_json()}"
    assert "very-secret-0815" not in shown


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"access_key_id": "LTAI5tExampleKey"}, "both"),
        ({"access_key_secret": "very-secret-0815"}, "both"),
        ({**KEY, "access_key_secret": "very secret 0815"}, "copy it again"),
        ({**KEY, "endpoint": "http://dysmsapi.aliyuncs.com"}, "unencrypted"),
        ({**KEY, "sender_id": "Much Too Long A Name"}, "sender ID"),
        ({**KEY, "calls_per_second": 0}, "greater than or equal to 0.01"),
        ({**KEY, "numbers_per_call": 1001}, "1000"),
        ({**KEY, "region": "mars-1"}, "ap-southeast-1"),
        ({**KEY, "margin": 0.6}, "0.5"),
    ],
)
def test_what_cannot_be_an_account_is_refused_without_the_secret(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        AlibabaSmsAccount(**fields)
    assert "0815" not in str(caught.value)


@pytest.mark.parametrize("region", Region)
def test_each_region_has_an_endpoint_that_is_one(region: Region) -> None:
    account = AlibabaSmsAccount(region=region).account({})
    assert str(account.endpoint()).startswith("https://dysmsapi.")


def test_what_the_form_left_empty_comes_from_the_environment(tmp_path: Path) -> None:
    """The form hands empty texts over; the key comes from the default chain, the pacing folder from the variable."""
    block = AlibabaSmsAccount(access_key_id="", access_key_secret="", security_token=" ", account_name="", pacing="")
    account = block.account({"GLOBE_SMS_PACING": str(tmp_path / "turns"), "GLOBE_SMS_ACCOUNT": "theirs"})
    key = Credentials("LTAI5tOther", SecretStr("x"))
    assert account.key is None
    assert account.open_pacing("out", no_s3).uri == str(tmp_path / "turns")
    assert account.fingerprint(key) == AlibabaSmsAccount(account_name="theirs").account({}).fingerprint(key)


def test_two_keys_of_one_account_share_the_schedule_by_its_name() -> None:
    one = AlibabaSmsAccount(**KEY, account_name="4711").account({})
    other = AlibabaSmsAccount(access_key_id="LTAI5tAnotherKey", access_key_secret="x", account_name="4711").account({})
    assert one.key
    assert other.key
    assert one.fingerprint(one.key) == other.fingerprint(other.key)
    unnamed = AlibabaSmsAccount(**KEY).account({})
    assert unnamed.fingerprint(one.key) != one.fingerprint(one.key)


@pytest.mark.parametrize(
    ("environ", "margin"), [({}, 0.01), ({"GLOBE_SMS_MARGIN": ""}, 0.01), ({"GLOBE_SMS_MARGIN": "0.03"}, 0.03)]
)
def test_the_unused_share_of_the_rate_is_a_setting(environ: dict[str, str], margin: float) -> None:
    assert Account(environ).rate_margin() == margin
    assert AlibabaSmsAccount(margin=0.02).account(environ).rate_margin() == 0.02


@pytest.mark.parametrize("margin", ["-0.1", "0.51", "nan", "a little"])
def test_an_unused_share_that_is_none_is_refused(margin: str) -> None:
    with pytest.raises(InputError, match="GLOBE_SMS_MARGIN"):
        Account({"GLOBE_SMS_MARGIN": margin}).rate_margin()
