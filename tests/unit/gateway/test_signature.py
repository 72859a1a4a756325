"""Signature V3: the published example, what is signed, and what reprs don't show."""

from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from pydantic import SecretStr

from globe_sms.tasks.gateway import AcsV3Auth, Credentials, authorization
from globe_sms.tasks.vocabulary.errors import InputError

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def _signed(auth: AcsV3Auth, request: httpx.Request) -> httpx.Request:
    return next(auth.sync_auth_flow(request))


def test_the_published_example_has_its_published_signature() -> None:
    """The fixed values of the page "V3 request structure and signature" (RunInstances)."""
    assert authorization(
        method="POST",
        path="/",
        query=(("RegionId", "cn-shanghai"), ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")),
        headers={
            "x-acs-version": "2014-05-26",
            "Host": "ecs.cn-shanghai.aliyuncs.com",
            "x-acs-action": "RunInstances",
            "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
            "x-acs-date": " 2023-10-26T10:22:32Z ",
            "x-acs-content-sha256": EMPTY_SHA256,
        },
        payload_sha256=EMPTY_SHA256,
        credentials=Credentials("YourAccessKeyId", SecretStr("YourAccessKeySecret")),
    ) == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_the_same_example_is_signed_on_an_httpx_request() -> None:
    """The auth class finds query, host and headers, and leaves other headers unsigned."""
    auth = AcsV3Auth(
        lambda: Credentials("YourAccessKeyId", SecretStr("YourAccessKeySecret")),
        clock=lambda: datetime(2023, 10, 26, 18, 22, 32, tzinfo=timezone(timedelta(hours=8))),
        nonce=lambda: "3156853299f313e23d1673dc12e1703d",
    )
    request = httpx.Request(
        "POST",
        "https://ecs.cn-shanghai.aliyuncs.com/",
        params={"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
        headers={"x-acs-action": "RunInstances", "x-acs-version": "2014-05-26", "user-agent": "any"},
    )
    signature = _signed(auth, request).headers["authorization"].rpartition("=")[2]
    assert signature == "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"


def test_each_request_has_its_own_nonce_and_date() -> None:
    """A retry with the first nonce would be refused as a replay."""
    times = iter(datetime(2026, 11, 23, 12, 0, second, tzinfo=UTC) for second in range(60))
    auth = AcsV3Auth(lambda: Credentials("id", SecretStr("secret")), clock=lambda: next(times))
    requests = [_signed(auth, httpx.Request("POST", "https://example.com/", content=b"a=b")) for _ in range(50)]
    assert len({request.headers["x-acs-signature-nonce"] for request in requests}) == 50
    assert len({request.headers["x-acs-date"] for request in requests}) == 50
    assert len({request.headers["authorization"] for request in requests}) == 50


def test_credentials_are_asked_for_at_each_request() -> None:
    """A temporary key is refreshed during a campaign."""
    keys = iter(["first", "second"])
    auth = AcsV3Auth(lambda: Credentials(next(keys), SecretStr("secret"), SecretStr("token")))
    signed = [_signed(auth, httpx.Request("POST", "https://example.com/")) for _ in range(2)]
    assert [request.headers["x-acs-accesskey-id"] for request in signed] == ["first", "second"]


def test_host_content_type_and_every_acs_header_are_signed() -> None:
    """The documentation requires all of them, and the token if there is one."""
    auth = AcsV3Auth(lambda: Credentials("id", SecretStr("secret"), SecretStr("token")))
    headers = {"content-type": "text/plain", "x-acs-more": "1", "accept": "application/json", "connection": "close"}
    request = _signed(auth, httpx.Request("POST", "http://127.0.0.1:8123/", headers=headers, content=b"x"))
    names = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    assert names == (
        "content-type;host;x-acs-accesskey-id;x-acs-content-sha256;x-acs-date;x-acs-more;"
        "x-acs-security-token;x-acs-signature-nonce"
    )


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("", "secret", None), "access key ID is empty"),
        (("id", "", None), "access key secret is empty"),
        (("id", "secret", ""), "security token is empty"),
        (("id\n", "secret", None), "access key ID contains"),
        (("id", "hidden\n", None), "access key secret contains"),
        (("id", "secret", "hid den"), "security token contains"),
        (("id", "hiddén", None), "access key secret contains"),
    ],
)
def test_a_damaged_key_is_refused_without_showing_it(parts: tuple[str, str, str | None], words: str) -> None:
    """Otherwise a line break from a file would cause a puzzling signature error, or a second header."""
    key_id, secret, token = parts
    with pytest.raises(InputError, match=words) as caught:
        Credentials(key_id, SecretStr(secret), None if token is None else SecretStr(token))
    assert "hid" not in str(caught.value)


def test_the_repr_of_credentials_shows_no_secret() -> None:
    """Neither secret nor token, and only the start of the key's ID."""
    credentials = Credentials("LTAI5tExampleExample", SecretStr("the-secret"), SecretStr("the-token"))
    assert repr(credentials) == str(credentials) == "Credentials(access_key_id='LTAI••••', temporary=True)"
    assert "short" not in repr(Credentials("short", SecretStr("the-secret")))
