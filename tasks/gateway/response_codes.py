"""What each gateway code means for the messages of a call, and what the operator should do.

One table, one line per code. "Nothing was sent" decides whether a chunk may be presented again, so a code gets such a
verdict only if the documentation says that the platform rejects the call before sending; all others are unclear.

Sources: https://www.alibabacloud.com/help/en/sms/developer-reference/error-codes (international codes),
https://www.alibabacloud.com/help/doc-detail/116206.htm (legacy `isv.` and `isp.` codes),
https://help.aliyun.com/document_detail/48054.html (codes of the API gateway).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class CallVerdict(StrEnum):
    """What an answer, or a missing one, proves about the messages of a call."""

    ACCEPTED = "accepted"
    """The gateway accepted the call; the outcome says for which numbers."""
    REFUSED = "refused"
    """Nothing was sent: the gateway definitely refused this chunk as it is."""
    THROTTLED = "throttled"
    """Nothing was sent; the same chunk may be presented later."""
    STALE = "stale"
    """Nothing was sent because of clock, nonce or security token: sign and present again, a limited number of times."""
    STOPPED = "stopped"
    """Nothing was sent: the account is refused, and every other call would fail too. Stop the campaign."""
    UNCLEAR = "unclear"
    """May have been sent: never present the chunk again without the operator's say."""
    UNREACHABLE = "unreachable"
    """Nothing was sent: no connection was made, or nothing was written to it."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code and its consequences.

    Attributes:
        code: the code as the gateway wrote it; in the table, a trailing `*` matches any ending.
        verdict: what the code proves about the call.
        advice: what the code means and what the operator should do.
        wait: the minimum seconds before the chunk may be presented again, if the code names a window.
    """

    code: str
    verdict: CallVerdict
    advice: str
    wait: float | None = None


_OK = CallVerdict.ACCEPTED
_REFUSED = CallVerdict.REFUSED
_THROTTLED = CallVerdict.THROTTLED
_STALE = CallVerdict.STALE
_STOPPED = CallVerdict.STOPPED
_UNCLEAR = CallVerdict.UNCLEAR

TABLE: Final[tuple[Code, ...]] = (
    # International API codes, in `ResponseCode`.
    Code("OK", _OK, ""),
    Code("INVALID_SENDERID", _REFUSED, "Sender ID not approved: compare it, case included, with the console."),
    Code("FORBIDDEN_ACTION", _STOPPED, "The account isn't allowed to use this API: open a ticket with Alibaba."),
    Code("OUT_OF_SERVICE", _STOPPED, "The account's SMS service is suspended: check the console and the balance."),
    Code("ACCOUNT_NOT_EXISTS", _STOPPED, "The account doesn't exist, or isn't activated or verified: do so first."),
    Code("SMS_CONTENT_CODE_ILLEGAL", _REFUSED, "The template isn't valid: ask Alibaba which rule applies."),
    Code("SMS_SIGN_NAME_ILLEGAL", _REFUSED, "The signature isn't valid: ask Alibaba which rule applies."),
    Code("MOBILE_NUMBER_ILLEGAL", _REFUSED, "A number in the chunk has a wrong format: check its rows."),
    Code("MOBILE_COUNT_OVER_LIMIT", _REFUSED, "Too many numbers in one call: lower --numbers-per-call."),
    Code("CONTENT_MISSING_PARAMETERS", _REFUSED, "A template variable has no value: complete it."),
    Code("INVALID_PARAMETERS", _REFUSED, "A parameter is wrong: read the description; check sender ID and type."),
    Code("INVALID_JSON_PARAM", _REFUSED, "The gateway couldn't read the lists: report this as a bug."),
    Code("PARAM_LENGTH_LIMIT", _REFUSED, "The text or a variable is too long: shorten the message."),
    Code("AMOUNT_NOT_ENOUGH", _STOPPED, "The balance or package is used up: top up, then run the campaign again."),
    Code("SYSTEM_ERROR", _UNCLEAR, "The gateway had an internal error: check the console for the messages."),
    Code("DATA_NOT_EXIST", _UNCLEAR, "This code belongs to queries: check the console for the messages."),
    Code("QPS_LIMIT_CONTROL", _THROTTLED, "The calls exceeded the account's rate: lower --calls-per-second."),
    Code("ONLINE_BILLING_FAILED", _UNCLEAR, "The gateway's billing failed: check the console for the messages."),
    Code("QUERY_DATE_ILLEGAL", _UNCLEAR, "This code belongs to queries: check the console for the messages."),
    Code("RAM_PERMISSION_DENY", _STOPPED, "The key lacks dysms:BatchSendMessageToGlobe: grant it in RAM."),
    Code("PRODUCT_NOT_SUBSCRIBED", _STOPPED, "SMS isn't activated for this account: activate it."),
    Code("SMS_SECURITY_INTERCEPTED", _REFUSED, "Stopped by risk control: ask Alibaba before sending more."),
    Code("SMS_CONTENT_ILLEGAL", _REFUSED, "The text isn't allowed: change it."),
    Code("ACCOUNT_ILLEGAL", _STOPPED, "The account is blacklisted for its content: open a ticket with Alibaba."),
    Code("BLACK_KEY_CONTROL_LIMIT", _REFUSED, "The text contains a forbidden keyword: change it."),
    Code("NOT_SUPPORTED_COUNTRY", _REFUSED, "A destination in the chunk isn't served: check its rows."),
    Code("SENDERID_BL*", _REFUSED, "The sender ID is blacklisted: use another one, or ask Alibaba."),
    # Legacy codes, without their `isv.` or `isp.`.
    Code("UNKNOWN", _UNCLEAR, "The gateway had an internal error: check the console for the messages."),
    Code("GATEWAY_ERROR", _UNCLEAR, "A system behind the gateway failed: check the console for the messages."),
    Code("BILLING_DEDUCTION_ERROR", _UNCLEAR, "The gateway's billing failed: check the console for the messages."),
    Code("SENDERID_ERROR", _REFUSED, "Sender ID not approved: compare it, case included, with the console."),
    Code("ACCOUNT_ABNORMAL", _STOPPED, "The account is in an abnormal state: check the console."),
    Code("SMS_CONTENTCODE_ILLEGAL", _REFUSED, "The template isn't valid: ask Alibaba which rule applies."),
    Code("PHONE_NUMBER_ILLEGAL", _REFUSED, "A number in the chunk has a wrong format: check its rows."),
    Code("PHONE_NUMBER_COUNT_OVER_LIMIT", _REFUSED, "Too many numbers in one call: lower --numbers-per-call."),
    Code("TEMPLATE_MISSING_PARAMETERS", _REFUSED, "A template variable has no value: complete it."),
    Code("BUSINESS_LIMIT_CONTROL_MINUTE", _THROTTLED, "The limit of messages per minute is reached.", 60.0),
    Code("BUSINESS_LIMIT_MINUTE", _THROTTLED, "The limit of messages per minute is reached.", 60.0),
    Code("BUSINESS_LIMIT_CONTROL_HOUR", _STOPPED, "Hourly limit reached: run again in an hour, or raise it."),
    Code("BUSINESS_LIMIT_HOUR", _STOPPED, "Hourly limit reached: run again in an hour, or raise it."),
    Code("BUSINESS_LIMIT_CONTROL_DAY", _STOPPED, "Daily limit reached: run again tomorrow, or raise it."),
    Code("BUSINESS_LIMIT_DAY", _STOPPED, "Daily limit reached: run again tomorrow, or raise it."),
    Code("BUSINESS_LIMIT_CONTROL_PHONE", _REFUSED, "A number in the chunk has had its 20 messages for the day."),
    Code("BUSINESS_LIMIT_CONTROL", _REFUSED, "A number in the chunk has had its messages for the day."),
    Code("RAM_CHECK_FAILED", _STOPPED, "RAM couldn't check the key: check its policies."),
    Code("RES_OWNER_ID_UNKNOWN", _STOPPED, "The account that owns the resource is unknown: check the key."),
    Code("PRODUCT_UN_SUBSCRIPT", _STOPPED, "SMS isn't activated for this account: activate it."),
    Code("COUNTRY_RESTRICTED", _REFUSED, "A destination in the chunk isn't served: check its rows."),
    # API gateway codes, in `Code`. The same code comes with different HTTP statuses, so only the code counts.
    Code("Throttling*", _THROTTLED, "The calls exceeded the account's rate: lower --calls-per-second."),
    Code("ServiceUnavailable*", _UNCLEAR, "The service was unavailable: check the console for the messages."),
    Code("InternalError*", _UNCLEAR, "The gateway had an internal error: check the console for the messages."),
    Code("InternalServerError*", _UNCLEAR, "The gateway had an internal error: check the console for the messages."),
    Code("SignatureDoesNotMatch", _STOPPED, "The secret doesn't match the key: check both."),
    Code("IncompleteSignature", _STOPPED, "The gateway couldn't read the signature: report this as a bug."),
    Code("SignatureNonceUsed", _STALE, "The nonce was used before: the call is signed again."),
    Code("InvalidTimeStamp.Expired", _STALE, "This machine's clock is off by over 15 minutes: set it (NTP)."),
    Code("InvalidTimeStamp.Format", _STOPPED, "The gateway couldn't read the date: report this as a bug."),
    Code("IllegalTimestamp", _STOPPED, "The gateway couldn't read the date: report this as a bug."),
    Code("InvalidAccessKeyId*", _STOPPED, "The access key doesn't exist or isn't active: check it."),
    Code("InvalidSecurityToken*", _STALE, "The security token is expired or wrong: get new credentials."),
    Code("MissingSecurityToken", _STOPPED, "The temporary key has no security token: set it too."),
    Code("Forbidden*", _STOPPED, "The account or key isn't allowed to do this: check RAM and the console."),
    Code("NoPermission*", _STOPPED, "The key lacks dysms:BatchSendMessageToGlobe: grant it in RAM."),
    Code("InsufficientBalance*", _STOPPED, "The balance is used up: top up, then run the campaign again."),
    Code("Missing*", _REFUSED, "A parameter is missing: read the description, and report this as a bug."),
    Code("InvalidParameter*", _REFUSED, "A parameter is wrong: read the description."),
    Code("InvalidVersion", _STOPPED, "This endpoint doesn't have the API: check GLOBE_SMS_ENDPOINT."),
    Code("NoSuchVersion", _STOPPED, "This endpoint doesn't have the API: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidAction*", _STOPPED, "This endpoint doesn't have the action: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidApi.NotFound", _STOPPED, "This endpoint doesn't have the action: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidProduct.NotFound", _STOPPED, "This endpoint doesn't have the product: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidProtocol.NeedSsl", _STOPPED, "The endpoint requires https: check GLOBE_SMS_ENDPOINT."),
    Code("UnsupportedHTTPMethod", _STOPPED, "The endpoint doesn't accept POST: check GLOBE_SMS_ENDPOINT."),
)
"""All known codes, one per line. Exact codes win over those with a `*`."""

_EXACT: Final = {row.code: row for row in TABLE if not row.code.endswith("*")}
_BY_PREFIX: Final = tuple((row.code[:-1], row) for row in TABLE if row.code.endswith("*"))

_UNKNOWN_REFUSAL: Final = (
    "Unknown code with a 4xx status: the call was refused. Look the code up in Alibaba's documentation."
)
_UNKNOWN: Final = "Unknown code: look it up in Alibaba's documentation, and check the console for the messages."
_MISPLACED_OK: Final = "OK in an unexpected field: check the console for the messages."

_CLIENT_ERRORS: Final = range(400, 500)


def classify_code(code: str, *, from_gateway: bool, status: int) -> Code:
    """Return what a code proves, whether it's in the table or not.

    A code in the table means the same in either field and with any HTTP status. An unknown one counts as a refusal
    only if the API gateway itself gave it with a 4xx status; otherwise it's unclear.

    Args:
        code: the code as received, including legacy prefixes.
        from_gateway: True if it came in `Code`, False if it came in `ResponseCode`.
        status: the HTTP status of the answer.
    """
    if from_gateway and code == "OK":
        return Code(code, CallVerdict.UNCLEAR, _MISPLACED_OK)
    bare = code.removeprefix("isv.").removeprefix("isp.")
    row = _EXACT.get(bare)
    if row is None:
        row = next((row for prefix, row in _BY_PREFIX if bare.startswith(prefix)), None)
    if row is not None:
        return replace(row, code=code)
    if from_gateway and status in _CLIENT_ERRORS:
        return Code(code, CallVerdict.REFUSED, _UNKNOWN_REFUSAL)
    return Code(code, CallVerdict.UNCLEAR, _UNKNOWN)
