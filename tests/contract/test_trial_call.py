"""The trial call, against the sandbox gateway, which is as strict as the documentation, and canned answers."""

from collections.abc import Generator

import httpx
import pytest
from pydantic import SecretStr

from globe_sms.deployments.sandbox.gateway.settings import Account, GatewaySettings
from globe_sms.deployments.sandbox.gateway_server import GatewayServer
from globe_sms.tasks.blocks import AlibabaSmsAccount
from globe_sms.tasks.gateway import AcsV3Auth, Credentials, Endpoint, check_connection
from globe_sms.tasks.vocabulary.errors import InputError

pytestmark = pytest.mark.slow

ACCOUNT = Account(key_id="LTAI5tTrial", secret="right-secret")


@pytest.fixture(scope="module")
def gateway() -> Generator[GatewayServer]:
    with GatewayServer(GatewaySettings(accounts=(ACCOUNT,))) as running:
        yield running


def block(gateway: GatewayServer, key_id: str = ACCOUNT.key_id, secret: str = ACCOUNT.secret) -> AlibabaSmsAccount:
    return AlibabaSmsAccount(access_key_id=key_id, access_key_secret=SecretStr(secret), endpoint=gateway.endpoint)


def test_a_right_key_passes_and_nothing_is_sent(gateway: GatewayServer) -> None:
    assert "accepts the key and its signature" in block(gateway).test_connection()
    assert gateway.stats().calls == 0


@pytest.mark.parametrize(
    ("key_id", "secret", "message"),
    [("LTAI5tTrial", "wrong-secret", "secret doesn't match"), ("LTAI5tNobody", "right-secret", "doesn't exist")],
)
def test_a_wrong_key_is_told_from_a_wrong_secret(
    gateway: GatewayServer, key_id: str, secret: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        block(gateway, key_id, secret).test_connection()
    assert secret not in str(caught.value)


def test_an_endpoint_without_a_listener_is_named() -> None:
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:9 couldn't be reached"):
        AlibabaSmsAccount(
            access_key_id="a", access_key_secret=SecretStr("b"), endpoint="http://127.0.0.1:9"
        ).test_connection()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"ResponseCode": "DATA_NOT_EXIST"}, "accepts the key"),
        (200, {"ResponseCode": "isp.DATA_NOT_EXIST"}, "accepts the key"),
        (200, {"ResponseCode": "INVALID_PARAMETERS"}, "accepts the key"),
        (404, {"Code": "DATA_NOT_EXIST"}, "accepts the key"),
        (200, {"ResponseCode": "RAM_PERMISSION_DENY"}, "lacks dysms:QueryMessage"),
        (403, {"Code": "NoPermission"}, "lacks dysms:QueryMessage"),
        (403, {"Code": "Forbidden.RAM"}, "lacks dysms:QueryMessage"),
    ],
)
def test_answers_to_a_valid_signature_prove_the_key(status: int, body: dict[str, str], expected: str) -> None:
    assert expected in answered(status, body)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"ResponseCode": "ACCOUNT_NOT_EXISTS"}, "isn't activated"),
        (200, {"ResponseCode": "OUT_OF_SERVICE"}, "suspended"),
        (400, {"Code": "InvalidTimeStamp.Expired"}, "clock"),
        (400, {"Code": "Throttling.User"}, "Throttling.User"),
        (403, {"Code": "InvalidSecurityToken.Expired"}, "security token"),
        (404, {"Code": "InvalidAction.NotFound"}, "endpoint"),
        (500, {"Code": "InternalError"}, "InternalError"),
        (502, {}, "but not as the gateway does"),
        (400, {"Code": "X+6581234567", "Message": "to 6581234567"}, "X"),
    ],
)
def test_other_answers_prove_nothing_and_say_what_to_do(status: int, body: dict[str, str], expected: str) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        answered(status, body)
    assert "6581234567" not in str(caught.value)


def answered(status: int, body: dict[str, str]) -> str:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["x-acs-action"] == "QueryMessage"
        return httpx.Response(status, json=body)

    return check_connection(
        Endpoint.parse("https://gateway.test"),
        lambda: Credentials("LTAI5tTrial", SecretStr("secret")),
        transport=httpx.MockTransport(answer),
    )


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "MissingMessageId"),
        ({"MessageId": ""}, "INVALID_PARAMETERS"),
        ({"MessageId": "not-digits"}, "INVALID_PARAMETERS"),
        ({"MessageId": "1", "To": "[]"}, "InvalidParameter"),
        ({"MessageId": "1008030"}, "DATA_NOT_EXIST"),
    ],
)
def test_the_sandbox_answers_queries_strictly(gateway: GatewayServer, form: dict[str, str], code: str) -> None:
    auth = AcsV3Auth(lambda: Credentials(ACCOUNT.key_id, SecretStr(ACCOUNT.secret)))
    answer = httpx.post(
        f"{gateway.endpoint}/",
        data=form,
        headers={"x-acs-action": "QueryMessage", "x-acs-version": "2018-05-01"},
        auth=auth,
        trust_env=False,
    ).json()
    assert code in {answer.get("ResponseCode"), answer.get("Code")}
