"""Every documented code with the verdict it must have, listed independently of the table."""

import pytest

from globe_sms.tasks.gateway import TABLE, CallVerdict, classify_code

# Taken from the error-code pages as a second opinion on `response_codes.TABLE`, not derived from it.
BUSINESS = {
    CallVerdict.ACCEPTED: "OK",
    CallVerdict.THROTTLED: "QPS_LIMIT_CONTROL BUSINESS_LIMIT_CONTROL_MINUTE BUSINESS_LIMIT_MINUTE",
    CallVerdict.UNCLEAR: """SYSTEM_ERROR isp.SYSTEM_ERROR ONLINE_BILLING_FAILED DATA_NOT_EXIST QUERY_DATE_ILLEGAL
        isp.UNKNOWN isp.GATEWAY_ERROR isv.BILLING_DEDUCTION_ERROR isv.DATA_NOT_EXIST isv.QUERY_DATE_ILLEGAL""",
    CallVerdict.ACCOUNT: """FORBIDDEN_ACTION isv.FORBIDDEN_ACTION OUT_OF_SERVICE isv.OUT_OF_SERVICE ACCOUNT_NOT_EXISTS
        isv.ACCOUNT_NOT_EXISTS AMOUNT_NOT_ENOUGH isv.AMOUNT_NOT_ENOUGH RAM_PERMISSION_DENY isp.RAM_PERMISSION_DENY
        PRODUCT_NOT_SUBSCRIBED ACCOUNT_ILLEGAL isv.ACCOUNT_ABNORMAL isv.RAM_CHECK_FAILED isp.RES_OWNER_ID_UNKNOWN
        isv.PRODUCT_UN_SUBSCRIPT isv.BUSINESS_LIMIT_HOUR isv.BUSINESS_LIMIT_DAY BUSINESS_LIMIT_CONTROL_HOUR
        BUSINESS_LIMIT_CONTROL_DAY""",
    CallVerdict.CAMPAIGN: """INVALID_SENDERID isv.SENDERID_ERROR SENDERID_BLACKLIST SMS_CONTENT_CODE_ILLEGAL
        isv.SMS_CONTENT_CODE_ILLEGAL isv.SMS_CONTENTCODE_ILLEGAL SMS_SIGN_NAME_ILLEGAL isv.SMS_SIGN_NAME_ILLEGAL
        INVALID_PARAMETERS isv.INVALID_PARAMETERS INVALID_JSON_PARAM isv.INVALID_JSON_PARAM SMS_SECURITY_INTERCEPTED""",
    CallVerdict.CONTENT: """SMS_CONTENT_ILLEGAL BLACK_KEY_CONTROL_LIMIT isv.BLACK_KEY_CONTROL_LIMIT PARAM_LENGTH_LIMIT
        isv.PARAM_LENGTH_LIMIT CONTENT_MISSING_PARAMETERS isv.CONTENT_MISSING_PARAMETERS
        isv.TEMPLATE_MISSING_PARAMETERS""",
    CallVerdict.SIZE: "MOBILE_COUNT_OVER_LIMIT isv.MOBILE_COUNT_OVER_LIMIT isv.PHONE_NUMBER_COUNT_OVER_LIMIT",
    CallVerdict.ROW: """MOBILE_NUMBER_ILLEGAL isv.MOBILE_NUMBER_ILLEGAL isv.PHONE_NUMBER_ILLEGAL NOT_SUPPORTED_COUNTRY
        isv.NOT_SUPPORTED_COUNTRY isv.COUNTRY_RESTRICTED BUSINESS_LIMIT_CONTROL_PHONE isv.BUSINESS_LIMIT_CONTROL""",
}
GATEWAY = {
    CallVerdict.THROTTLED: "Throttling Throttling.User Throttling.Api Throttling.AnythingElse",
    CallVerdict.UNCLEAR: "ServiceUnavailable ServiceUnavailableTemporary InternalError InternalServerError OK",
    CallVerdict.STALE: """SignatureNonceUsed InvalidTimeStamp.Expired InvalidSecurityToken.Expired
        InvalidSecurityToken.MismatchWithAccessKey""",
    CallVerdict.ACCOUNT: """SignatureDoesNotMatch IncompleteSignature InvalidTimeStamp.Format IllegalTimestamp
        InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive Forbidden Forbidden.RAM NoPermission
        Forbidden.RiskControl Forbidden.UserVerification InsufficientBalance InvalidVersion NoSuchVersion
        InvalidAction InvalidAction.NotFound InvalidApi.NotFound InvalidProduct.NotFound InvalidProtocol.NeedSsl
        UnsupportedHTTPMethod MissingSecurityToken AccessDenied AccessDenied.RAM Account.Arrearage""",
    CallVerdict.CAMPAIGN: "MissingParameter MissingSignName MissingTo InvalidParameter InvalidParameter.Type",
}


def _rows(table: dict[CallVerdict, str]) -> list[tuple[str, CallVerdict]]:
    return [(code, verdict) for verdict, codes in table.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "verdict"), _rows(BUSINESS))
def test_a_code_of_the_sms_service_has_its_verdict(code: str, verdict: CallVerdict) -> None:
    """The meaning of ResponseCode doesn't depend on the HTTP status."""
    assert {classify_code(code, from_gateway=False, status=status).verdict for status in (200, 400, 500)} == {verdict}


@pytest.mark.parametrize(("code", "verdict"), _rows(GATEWAY))
def test_a_code_of_the_api_gateway_has_its_verdict(code: str, verdict: CallVerdict) -> None:
    """The same code comes with different statuses, so only the code counts."""
    assert {classify_code(code, from_gateway=True, status=s).verdict for s in (400, 403, 404, 503)} == {verdict}


@pytest.mark.parametrize("code", ["Throttling", "NeverHeardOf", "Forbidden", "INVALID_SENDERID", "InternalError"])
def test_http_429_is_a_throttled_call_whatever_code_the_api_gateway_gives(code: str) -> None:
    assert classify_code(code, from_gateway=True, status=429).verdict is CallVerdict.THROTTLED


def test_http_429_does_not_make_an_answer_of_the_sms_service_safe() -> None:
    """Behind the API gateway only the code tells whether something was sent."""
    assert classify_code("SYSTEM_ERROR", from_gateway=False, status=429).verdict is CallVerdict.UNCLEAR
    assert classify_code("OK", from_gateway=True, status=429).verdict is CallVerdict.UNCLEAR


@pytest.mark.parametrize(
    ("from_gateway", "status", "verdict"),
    [
        (False, 200, CallVerdict.UNCLEAR),
        (False, 400, CallVerdict.UNCLEAR),
        (True, 400, CallVerdict.CAMPAIGN),
        (True, 401, CallVerdict.ACCOUNT),
        (True, 403, CallVerdict.ACCOUNT),
        (True, 408, CallVerdict.UNCLEAR),
        (True, 429, CallVerdict.THROTTLED),
        (True, 499, CallVerdict.CAMPAIGN),
        (True, 500, CallVerdict.UNCLEAR),
        (True, 503, CallVerdict.UNCLEAR),
        (True, 200, CallVerdict.UNCLEAR),
        (True, 302, CallVerdict.UNCLEAR),
    ],
)
def test_an_unknown_code_refuses_only_from_the_api_gateway_with_4xx(
    *, from_gateway: bool, status: int, verdict: CallVerdict
) -> None:
    """With any other unknown code the messages may have been sent."""
    row = classify_code("NEVER_HEARD_OF", from_gateway=from_gateway, status=status)
    assert row.verdict is verdict
    assert row.advice


def test_the_limit_per_minute_waits_a_minute() -> None:
    """The window that the code names."""
    assert classify_code("BUSINESS_LIMIT_CONTROL_MINUTE", from_gateway=False, status=200).wait == 60


def test_the_code_is_returned_as_received() -> None:
    """Operators search for the gateway's code, including its prefix."""
    assert classify_code("isv.AMOUNT_NOT_ENOUGH", from_gateway=False, status=200).code == "isv.AMOUNT_NOT_ENOUGH"
    assert classify_code("Throttling.User", from_gateway=True, status=400).code == "Throttling.User"


def test_the_table_has_each_code_once_and_advice_for_all_but_ok() -> None:
    """A second line for a code would silently override the first."""
    codes = [row.code for row in TABLE]
    assert len(codes) == len(set(codes))
    assert [row.code for row in TABLE if not row.advice] == ["OK"]


def test_no_wildcard_hides_another() -> None:
    """No code may match two lines with a star."""
    prefixes = [row.code[:-1] for row in TABLE if row.code.endswith("*")]
    assert [(a, b) for a in prefixes for b in prefixes if a != b and a.startswith(b)] == []


def test_every_line_of_the_table_is_expected_here() -> None:
    """A code added to the table must be added here too."""
    expected = {code.removeprefix("isv.").removeprefix("isp.") for code, _ in _rows(BUSINESS) + _rows(GATEWAY)}
    unexpected = {
        row.code
        for row in TABLE
        if not (
            any(code.startswith(row.code[:-1]) for code in expected) if row.code[-1] == "*" else row.code in expected
        )
    }
    assert unexpected == set()
