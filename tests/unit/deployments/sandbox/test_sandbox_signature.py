"""The gateway's door: the calls it admits, and the codes of its refusals."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from globe_sms.deployments.sandbox.gateway.refusals import RefusedError
from globe_sms.deployments.sandbox.gateway.settings import Account
from globe_sms.deployments.sandbox.gateway.signature_check import Call, Door

Signed = Callable[..., Call]


def refusal_code(door: Door, call: Call, now: float) -> str:
    """Return the code with which the door refuses a call."""
    with pytest.raises(RefusedError) as caught:
        door.admit(call, now=now)
    return caught.value.refusal.code


@pytest.mark.parametrize("query", [False, True], ids=["form", "query"])
def test_calls_of_the_official_signer_are_admitted(
    signed: Signed, account: Account, now: float, *, query: bool
) -> None:
    """With parameters in either place, the SDK's own signature is valid."""
    admitted, parameters = Door([account]).admit(signed(query=query), now=now)
    assert admitted is account
    assert ("To" in parameters) is query


def test_an_sts_token_is_admitted(signed: Signed, now: float) -> None:
    """The token is a header, signed like the others."""
    sts = Account(key_id="STS.test", secret="s", token="token/with+signs==")
    assert Door([sts]).admit(signed(account=sts), now=now)[0] is sts


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"after": {"authorization": ""}}, "IncompleteSignature"),
        ({"after": {"authorization": "ACS3-HMAC-SHA256 Credential=a, SignedHeaders=b"}}, "IncompleteSignature"),
        ({"after": {"authorization": f"ACS3-HMAC-SHA256 Credential=a, Signature={'0' * 64}"}}, "IncompleteSignature"),
        ({"unsigned": ("x-acs-date",)}, "IncompleteSignature"),
        ({"unsigned": ("host",)}, "IncompleteSignature"),
        ({"unsigned": ("content-type",)}, "IncompleteSignature"),
        ({"after": {"x-acs-extra": "added after signing"}}, "IncompleteSignature"),
        ({"headers": {"content-type": None}}, "IncompleteSignature"),
        ({"headers": {"x-acs-action": None}}, "MissingAction"),
        ({"headers": {"x-acs-version": None}}, "MissingVersion"),
        ({"headers": {"x-acs-date": None}}, "MissingTimestamp"),
        ({"headers": {"x-acs-signature-nonce": None}}, "MissingSignatureNonce"),
        ({"headers": {"x-acs-content-sha256": None}}, "MissingContentSha256"),
        ({"headers": {"x-acs-action": "SendMessageToGlobe"}}, "InvalidAction.NotFound"),
        ({"headers": {"x-acs-version": "2017-05-25"}}, "InvalidVersion"),
        ({"path": "/v1"}, "InvalidAction.NotFound"),
        ({"method": "GET"}, "UnsupportedHTTPMethod"),
        ({"account": Account(key_id="stranger", secret="s")}, "InvalidAccessKeyId.NotFound"),
        ({"account": Account(key_id="LTAItest", secret="wrong")}, "SignatureDoesNotMatch"),
        ({"headers": {"x-acs-security-token": "t"}}, "InvalidSecurityToken.MismatchWithAccessKey"),
        ({"headers": {"x-acs-content-sha256": "0" * 64}}, "SignatureDoesNotMatch"),
        ({"after": {"host": "elsewhere"}}, "SignatureDoesNotMatch"),
        ({"headers": {"x-acs-date": "2026-10-28 12:00:00"}}, "InvalidTimeStamp.Format"),
        ({"headers": {"x-acs-date": "2026-13-28T12:00:00Z"}}, "InvalidTimeStamp.Format"),
        ({"headers": {"x-acs-date": "2026-10-28T12:00:00+00:00"}}, "InvalidTimeStamp.Format"),
        ({"headers": {"x-acs-date": "2026-10-28T11:44:59Z"}}, "InvalidTimeStamp.Expired"),
        ({"headers": {"x-acs-date": "2026-10-28T12:15:01Z"}}, "InvalidTimeStamp.Expired"),
    ],
)  # fmt: skip
def test_a_call_that_breaks_a_rule_is_refused(
    signed: Signed, account: Account, now: float, options: dict[str, object], code: str
) -> None:
    """Each rule has its documented code."""
    assert refusal_code(Door([account]), signed(**options), now) == code


@pytest.mark.parametrize("token", [None, "another"])
def test_a_wrong_or_missing_token_has_its_own_code(signed: Signed, now: float, token: str | None) -> None:
    """An account with a token refuses calls without it."""
    sts = Account(key_id="STS.test", secret="s", token="right")
    call = signed(account=Account(key_id="STS.test", secret="s", token=token))
    assert refusal_code(Door([sts]), call, now).startswith("InvalidSecurityToken.")


@pytest.mark.parametrize("seconds", [-900, 900])
def test_a_date_up_to_15_minutes_off_is_admitted(signed: Signed, account: Account, now: float, seconds: float) -> None:
    """In both directions, as documented."""
    assert Door([account]).admit(signed(at=now + seconds), now=now)


def test_a_nonce_is_admitted_once(signed: Signed, account: Account, now: float) -> None:
    """Neither the same bytes nor another call with this nonce are admitted while the first could be replayed."""
    door = Door([account])
    call = signed(headers={"x-acs-signature-nonce": "once"})
    door.admit(call, now=now)
    assert refusal_code(door, call, now) == "SignatureNonceUsed"
    later = signed(headers={"x-acs-signature-nonce": "once"}, at=now + 1700)
    assert refusal_code(door, later, now + 1700) == "SignatureNonceUsed"


def test_a_refused_signature_does_not_use_up_a_nonce(signed: Signed, account: Account, now: float) -> None:
    """A stranger can't use up an account's nonces."""
    door = Door([account])
    forged = signed(account=Account(key_id="LTAItest", secret="wrong"), headers={"x-acs-signature-nonce": "n"})
    assert refusal_code(door, forged, now) == "SignatureDoesNotMatch"
    assert door.admit(signed(headers={"x-acs-signature-nonce": "n"}), now=now)


def test_a_repeated_header_is_refused(signed: Signed, account: Account, now: float) -> None:
    """It's unclear which of two dates was signed."""
    call = signed()
    twice = Call(call.method, call.path, call.query, (*call.headers, ("x-acs-date", "2026-10-28T12:00:00Z")), call.body)
    assert refusal_code(Door([account]), twice, now) == "IncompleteSignature"


def test_a_changed_body_is_refused(signed: Signed, account: Account, now: float) -> None:
    """One byte is enough."""
    call = signed()
    changed = Call(call.method, call.path, call.query, call.headers, call.body[:-1])
    assert refusal_code(Door([account]), changed, now) == "SignatureDoesNotMatch"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parameters=st.dictionaries(st.text("abcXYZ", min_size=1), st.text(), min_size=1, max_size=5))
def test_any_text_in_the_query_verifies(
    signed: Signed, account: Account, now: float, parameters: dict[str, str]
) -> None:
    """The wire's form encoding and the signature's RFC 3986 encoding agree for every value; names aren't encoded."""
    assert Door([account]).admit(signed(parameters, query=True), now=now)[1] == parameters
