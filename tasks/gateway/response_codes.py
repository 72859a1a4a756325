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
    ACCOUNT = "account"
    """Nothing was sent: the account, its key or its endpoint is refused. Every other call would be too: stop."""
    CAMPAIGN = "campaign"
    """Nothing was sent: sender, template or parameters are refused, which all calls have in common: stop."""
    CONTENT = "content"
    """Nothing was sent: a text is refused. As for CAMPAIGN where all numbers get one text, else as for ROW."""
    SIZE = "size"
    """Nothing was sent: too many numbers in one call. Fewer of them may be presented."""
    ROW = "row"
    """Nothing was sent, because of some of the numbers. Halves of the call tell which ones."""
    THROTTLED = "throttled"
    """Nothing was sent; the same numbers may be presented later."""
    STALE = "stale"
    """Nothing was sent because of clock, nonce or security token: sign and present again, a limited number of times."""
    UNCLEAR = "unclear"
    """May have been sent: never present the numbers again without the operator's say."""
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
_ACCOUNT = CallVerdict.ACCOUNT
_CAMPAIGN = CallVerdict.CAMPAIGN
_CONTENT = CallVerdict.CONTENT
_SIZE = CallVerdict.SIZE
_ROW = CallVerdict.ROW
_THROTTLED = CallVerdict.THROTTLED
_STALE = CallVerdict.STALE
_UNCLEAR = CallVerdict.UNCLEAR

TABLE: Final[tuple[Code, ...]] = (
    # International API codes, in `ResponseCode`.
    Code("OK", _OK, ""),
    Code(
        "INVALID_SENDERID",
        _CAMPAIGN,
        "Sender ID not approved: have exactly this spelling approved in the console.",
    ),
    Code("FORBIDDEN_ACTION", _ACCOUNT, "The account isn't allowed to use this API: open a ticket with Alibaba."),
    Code("OUT_OF_SERVICE", _ACCOUNT, "The account's SMS service is suspended: check the console and the balance."),
    Code("ACCOUNT_NOT_EXISTS", _ACCOUNT, "The account doesn't exist, or isn't activated or verified: do so first."),
    Code("SMS_CONTENT_CODE_ILLEGAL", _CAMPAIGN, "The template isn't valid: ask Alibaba which rule applies."),
    Code("SMS_SIGN_NAME_ILLEGAL", _CAMPAIGN, "The signature isn't valid: ask Alibaba which rule applies."),
    Code("MOBILE_NUMBER_ILLEGAL", _ROW, "The gateway says that the number's format is wrong: check it."),
    Code("MOBILE_COUNT_OVER_LIMIT", _SIZE, "Too many numbers in one call: lower --numbers-per-call."),
    Code("CONTENT_MISSING_PARAMETERS", _CONTENT, "The text lacks the value of a template variable: complete it."),
    Code("INVALID_PARAMETERS", _CAMPAIGN, "A parameter is wrong: read the description; check sender ID and type."),
    Code("INVALID_JSON_PARAM", _CAMPAIGN, "The gateway couldn't read the lists: report this as a bug."),
    Code(
        "PARAM_LENGTH_LIMIT",
        _CONTENT,
        "The text is too long for the gateway: shorten it, or ask for a higher limit.",
    ),
    Code("AMOUNT_NOT_ENOUGH", _ACCOUNT, "The balance or package is used up: top up."),
    Code("SYSTEM_ERROR", _UNCLEAR, "The gateway had an internal error: check the console for the messages."),
    Code("DATA_NOT_EXIST", _UNCLEAR, "This code belongs to queries: check the console for the messages."),
    Code("QPS_LIMIT_CONTROL", _THROTTLED, "The calls exceeded the account's rate: lower --calls-per-second."),
    Code("ONLINE_BILLING_FAILED", _UNCLEAR, "The gateway's billing failed: check the console for the messages."),
    Code("QUERY_DATE_ILLEGAL", _UNCLEAR, "This code belongs to queries: check the console for the messages."),
    Code("RAM_PERMISSION_DENY", _ACCOUNT, "The key lacks dysms:BatchSendMessageToGlobe: grant it in RAM."),
    Code("PRODUCT_NOT_SUBSCRIBED", _ACCOUNT, "SMS isn't activated for this account: activate it."),
    Code("SMS_SECURITY_INTERCEPTED", _CAMPAIGN, "Risk control stopped the call: ask Alibaba before sending more."),
    Code("SMS_CONTENT_ILLEGAL", _CONTENT, "The text isn't allowed: ask Alibaba why."),
    Code("ACCOUNT_ILLEGAL", _ACCOUNT, "The account is blacklisted for its content: open a ticket with Alibaba."),
    Code("BLACK_KEY_CONTROL_LIMIT", _CONTENT, "The text contains a forbidden keyword: ask Alibaba which one."),
    Code("NOT_SUPPORTED_COUNTRY", _ROW, "The gateway doesn't serve the number's country: ask Alibaba."),
    Code("SENDERID_BL*", _CAMPAIGN, "The sender ID is blacklisted: ask Alibaba."),
    # Legacy codes, without their `isv.` or `isp.`.
    Code("UNKNOWN", _UNCLEAR, "The gateway had an internal error: check the console for the messages."),
    Code("GATEWAY_ERROR", _UNCLEAR, "A system behind the gateway failed: check the console for the messages."),
    Code("BILLING_DEDUCTION_ERROR", _UNCLEAR, "The gateway's billing failed: check the console for the messages."),
    Code(
        "SENDERID_ERROR",
        _CAMPAIGN,
        "Sender ID not approved: have exactly this spelling approved in the console.",
    ),
    Code("ACCOUNT_ABNORMAL", _ACCOUNT, "The account is in an abnormal state: check the console."),
    Code("SMS_CONTENTCODE_ILLEGAL", _CAMPAIGN, "The template isn't valid: ask Alibaba which rule applies."),
    Code("PHONE_NUMBER_ILLEGAL", _ROW, "The gateway says that the number's format is wrong: check it."),
    Code("PHONE_NUMBER_COUNT_OVER_LIMIT", _SIZE, "Too many numbers in one call: lower --numbers-per-call."),
    Code("TEMPLATE_MISSING_PARAMETERS", _CONTENT, "The text lacks the value of a template variable: complete it."),
    Code("BUSINESS_LIMIT_CONTROL_MINUTE", _THROTTLED, "The limit of messages per minute is reached.", 60.0),
    Code("BUSINESS_LIMIT_MINUTE", _THROTTLED, "The limit of messages per minute is reached.", 60.0),
    Code("BUSINESS_LIMIT_CONTROL_HOUR", _ACCOUNT, "Hourly limit reached: wait an hour, or have it raised."),
    Code("BUSINESS_LIMIT_HOUR", _ACCOUNT, "Hourly limit reached: wait an hour, or have it raised."),
    Code("BUSINESS_LIMIT_CONTROL_DAY", _ACCOUNT, "Daily limit reached: wait until tomorrow, or have it raised."),
    Code("BUSINESS_LIMIT_DAY", _ACCOUNT, "Daily limit reached: wait until tomorrow, or have it raised."),
    Code(
        "BUSINESS_LIMIT_CONTROL_PHONE",
        _ROW,
        "The number has had its 20 texts for the day: text it tomorrow.",
    ),
    Code("BUSINESS_LIMIT_CONTROL", _ROW, "The number has had its texts for the day: text it tomorrow."),
    Code("RAM_CHECK_FAILED", _ACCOUNT, "RAM couldn't check the key: check its policies."),
    Code("RES_OWNER_ID_UNKNOWN", _ACCOUNT, "The account that owns the resource is unknown: check the key."),
    Code("PRODUCT_UN_SUBSCRIPT", _ACCOUNT, "SMS isn't activated for this account: activate it."),
    Code("COUNTRY_RESTRICTED", _ROW, "The gateway doesn't serve the number's country: ask Alibaba."),
    # API gateway codes, in `Code`. The same code comes with different HTTP statuses, so only the code counts.
    Code("Throttling*", _THROTTLED, "The calls exceeded the account's rate: lower --calls-per-second."),
    Code("ServiceUnavailable*", _UNCLEAR, "The service was unavailable: check the console for the messages."),
    Code("InternalError*", _UNCLEAR, "The gateway had an internal error: check the console for the messages."),
    Code("InternalServerError*", _UNCLEAR, "The gateway had an internal error: check the console for the messages."),
    Code("SignatureDoesNotMatch", _ACCOUNT, "The secret doesn't match the key: check both."),
    Code("IncompleteSignature", _ACCOUNT, "The gateway couldn't read the signature: report this as a bug."),
    Code("SignatureNonceUsed", _STALE, "The nonce was used before: the call is signed again."),
    Code("InvalidTimeStamp.Expired", _STALE, "This machine's clock is off by over 15 minutes: set it (NTP)."),
    Code("InvalidTimeStamp.Format", _ACCOUNT, "The gateway couldn't read the date: report this as a bug."),
    Code("IllegalTimestamp", _ACCOUNT, "The gateway couldn't read the date: report this as a bug."),
    Code("InvalidAccessKeyId*", _ACCOUNT, "The access key doesn't exist or isn't active: check it."),
    Code("InvalidSecurityToken*", _STALE, "The security token is expired or wrong: get new credentials."),
    Code("MissingSecurityToken", _ACCOUNT, "The temporary key has no security token: set it too."),
    Code("Forbidden*", _ACCOUNT, "The account or key isn't allowed to do this: check RAM and the console."),
    Code("NoPermission*", _ACCOUNT, "The key lacks dysms:BatchSendMessageToGlobe: grant it in RAM."),
    Code("AccessDenied*", _ACCOUNT, "The account or key isn't allowed to do this: check RAM and the console."),
    Code("Account.Arrearage", _ACCOUNT, "The account has unpaid bills: pay them."),
    Code("InsufficientBalance*", _ACCOUNT, "The balance is used up: top up."),
    Code("Missing*", _CAMPAIGN, "A parameter is missing: read the description, and report this as a bug."),
    Code("InvalidParameter*", _CAMPAIGN, "A parameter is wrong: read the description."),
    Code("InvalidVersion", _ACCOUNT, "This endpoint doesn't have the API: check GLOBE_SMS_ENDPOINT."),
    Code("NoSuchVersion", _ACCOUNT, "This endpoint doesn't have the API: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidAction*", _ACCOUNT, "This endpoint doesn't have the action: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidApi.NotFound", _ACCOUNT, "This endpoint doesn't have the action: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidProduct.NotFound", _ACCOUNT, "This endpoint doesn't have the product: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidProtocol.NeedSsl", _ACCOUNT, "The endpoint requires https: check GLOBE_SMS_ENDPOINT."),
    Code("UnsupportedHTTPMethod", _ACCOUNT, "The endpoint doesn't accept POST: check GLOBE_SMS_ENDPOINT."),
)
"""All known codes, one per line. Exact codes win over those with a `*`."""

NOT_ALLOWED: Final = frozenset({401, 403})
"""The HTTP statuses that all calls of an account share."""

_EXACT: Final = {row.code: row for row in TABLE if not row.code.endswith("*")}
_BY_PREFIX: Final = tuple((row.code[:-1], row) for row in TABLE if row.code.endswith("*"))

_UNKNOWN_REFUSAL: Final = "Unknown code, and nothing was sent: look it up in Alibaba's documentation and fix the cause."
_UNKNOWN: Final = "Unknown code: look it up in Alibaba's documentation, and check the console for the messages."
_MISPLACED_OK: Final = "OK in an unexpected field: check the console for the messages."

_TOO_MANY_REQUESTS: Final = 429
_REQUEST_TIMEOUT: Final = 408
_CLIENT_ERRORS: Final = range(400, 500)


def classify_code(code: str, *, from_gateway: bool, status: int) -> Code:
    """Return what a code proves, whether it's in the table or not.

    A code in the table means the same in either field and with any HTTP status, but HTTP 429 with a code of the API
    gateway is always a throttled call. An unknown code counts as a refusal only if the API gateway itself gave it with
    a 4xx status that isn't a timeout; otherwise it's unclear.

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
    if from_gateway and status == _TOO_MANY_REQUESTS:
        wait = None if row is None else row.wait
        return Code(code, CallVerdict.THROTTLED, _EXACT["QPS_LIMIT_CONTROL"].advice, wait)
    if row is not None:
        return replace(row, code=code)
    if from_gateway and status in _CLIENT_ERRORS and status != _REQUEST_TIMEOUT:
        verdict = CallVerdict.ACCOUNT if status in NOT_ALLOWED else CallVerdict.CAMPAIGN
        return Code(code, verdict, _UNKNOWN_REFUSAL)
    return Code(code, CallVerdict.UNCLEAR, _UNKNOWN)
