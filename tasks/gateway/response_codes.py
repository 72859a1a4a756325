"""What each code of the gateway means for the messages of a call, and what the operator should do.

One table, a line a code. "Nothing was sent" decides whether a chunk may ever be presented again, so a code is only
given such a verdict where the documents say that the platform rejects the call before it sends; all else is unclear.

Sources: https://www.alibabacloud.com/help/en/sms/developer-reference/error-codes (international codes),
https://www.alibabacloud.com/help/doc-detail/116206.htm (legacy `isv.` and `isp.` codes),
https://help.aliyun.com/document_detail/48054.html (codes of the API gateway).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class CallVerdict(StrEnum):
    """What an answer, or its absence, proves about the messages of one call."""

    ACCEPTED = "accepted"
    """The gateway took the call; the outcome says which numbers."""
    REFUSED = "refused"
    """This chunk, as it is, definitely not: nothing was sent."""
    THROTTLED = "throttled"
    """Nothing was sent; the same chunk may be presented later."""
    STALE = "stale"
    """Nothing was sent: clock, nonce or security token. Sign anew and present again, a bounded number of times."""
    STOPPED = "stopped"
    """The account is refused: nothing was sent, and no other call would pass either. Stop the campaign."""
    UNCLEAR = "unclear"
    """May have been sent: never to be presented again on its own."""
    UNREACHABLE = "unreachable"
    """The connection was never made, or nothing was written to it: nothing was sent."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code and what follows from it.

    Attributes:
        code: as the gateway wrote it; in the table, a trailing `*` stands for any ending.
        verdict: what it proves about the call.
        advice: what it means and what the operator should do.
        wait: seconds that must pass at least before the chunk is presented again, where the code names a window.
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
    Code("FORBIDDEN_ACTION", _STOPPED, "The account may not use this API: open a ticket with Alibaba."),
    Code("OUT_OF_SERVICE", _STOPPED, "The account's SMS service is suspended: look at the console, pay or ask."),
    Code("ACCOUNT_NOT_EXISTS", _STOPPED, "No such account, or it is not activated or verified: do so first."),
    Code("SMS_CONTENT_CODE_ILLEGAL", _REFUSED, "The template is not valid: ask Alibaba which rule applies."),
    Code("SMS_SIGN_NAME_ILLEGAL", _REFUSED, "The signature is not valid: ask Alibaba which rule applies."),
    Code("MOBILE_NUMBER_ILLEGAL", _REFUSED, "A number of the chunk has a wrong format: look at its rows."),
    Code("MOBILE_COUNT_OVER_LIMIT", _REFUSED, "Too many numbers in one call: lower --numbers-per-call."),
    Code("CONTENT_MISSING_PARAMETERS", _REFUSED, "A variable of the template has no value: complete it."),
    Code("INVALID_PARAMETERS", _REFUSED, "A parameter is wrong: read the description; check sender ID and type."),
    Code("INVALID_JSON_PARAM", _REFUSED, "The gateway could not read the lists: report this as a defect."),
    Code("PARAM_LENGTH_LIMIT", _REFUSED, "The text or a variable is too long: shorten the message."),
    Code("AMOUNT_NOT_ENOUGH", _STOPPED, "Balance or package is used up: top up, then run the campaign again."),
    Code("SYSTEM_ERROR", _UNCLEAR, "An error inside the gateway: look for these messages in the console."),
    Code("DATA_NOT_EXIST", _UNCLEAR, "An answer that belongs to queries: look for these messages in the console."),
    Code("QPS_LIMIT_CONTROL", _THROTTLED, "Calls above the account's rate: lower --calls-per-second."),
    Code("ONLINE_BILLING_FAILED", _UNCLEAR, "Billing failed inside the gateway: look for these in the console."),
    Code("QUERY_DATE_ILLEGAL", _UNCLEAR, "An answer that belongs to queries: look for these in the console."),
    Code("RAM_PERMISSION_DENY", _STOPPED, "The key lacks dysms:BatchSendMessageToGlobe: grant it in RAM."),
    Code("PRODUCT_NOT_SUBSCRIBED", _STOPPED, "SMS is not activated for this account: activate it."),
    Code("SMS_SECURITY_INTERCEPTED", _REFUSED, "Stopped by risk control: ask Alibaba before sending more."),
    Code("SMS_CONTENT_ILLEGAL", _REFUSED, "The text is not allowed: change it."),
    Code("ACCOUNT_ILLEGAL", _STOPPED, "The account is blacklisted for its content: open a ticket with Alibaba."),
    Code("BLACK_KEY_CONTROL_LIMIT", _REFUSED, "The text holds a forbidden keyword: change it."),
    Code("NOT_SUPPORTED_COUNTRY", _REFUSED, "A destination of the chunk is not served: look at its rows."),
    Code("SENDERID_BL*", _REFUSED, "The sender ID is blacklisted: use another, or ask Alibaba."),
    # Legacy codes, without their `isv.` or `isp.`.
    Code("UNKNOWN", _UNCLEAR, "An error inside the gateway: look for these messages in the console."),
    Code("GATEWAY_ERROR", _UNCLEAR, "An error behind the gateway: look for these messages in the console."),
    Code("BILLING_DEDUCTION_ERROR", _UNCLEAR, "Billing failed inside the gateway: look for these in the console."),
    Code("SENDERID_ERROR", _REFUSED, "Sender ID not approved: compare it, case included, with the console."),
    Code("ACCOUNT_ABNORMAL", _STOPPED, "The account is in an abnormal state: look at the console."),
    Code("SMS_CONTENTCODE_ILLEGAL", _REFUSED, "The template is not valid: ask Alibaba which rule applies."),
    Code("PHONE_NUMBER_ILLEGAL", _REFUSED, "A number of the chunk has a wrong format: look at its rows."),
    Code("PHONE_NUMBER_COUNT_OVER_LIMIT", _REFUSED, "Too many numbers in one call: lower --numbers-per-call."),
    Code("TEMPLATE_MISSING_PARAMETERS", _REFUSED, "A variable of the template has no value: complete it."),
    Code("BUSINESS_LIMIT_CONTROL_MINUTE", _THROTTLED, "The limit of messages a minute is reached.", 60.0),
    Code("BUSINESS_LIMIT_MINUTE", _THROTTLED, "The limit of messages a minute is reached.", 60.0),
    Code("BUSINESS_LIMIT_CONTROL_HOUR", _STOPPED, "Hourly limit reached: run again in an hour, or raise it."),
    Code("BUSINESS_LIMIT_HOUR", _STOPPED, "Hourly limit reached: run the campaign again in an hour, or raise it."),
    Code("BUSINESS_LIMIT_CONTROL_DAY", _STOPPED, "Daily limit reached: run again tomorrow, or raise it."),
    Code("BUSINESS_LIMIT_DAY", _STOPPED, "Daily limit reached: run the campaign again tomorrow, or raise it."),
    Code("BUSINESS_LIMIT_CONTROL_PHONE", _REFUSED, "A number of the chunk had its 20 messages of the day."),
    Code("BUSINESS_LIMIT_CONTROL", _REFUSED, "A number of the chunk had its messages of the day."),
    Code("RAM_CHECK_FAILED", _STOPPED, "RAM could not check the key: look at its policies."),
    Code("RES_OWNER_ID_UNKNOWN", _STOPPED, "The account that owns the resource is not known: check the key."),
    Code("PRODUCT_UN_SUBSCRIPT", _STOPPED, "SMS is not activated for this account: activate it."),
    Code("COUNTRY_RESTRICTED", _REFUSED, "A destination of the chunk is not served: look at its rows."),
    # Codes of the API gateway, in `Code`. The same code comes with different HTTP statuses: only the code counts.
    Code("Throttling*", _THROTTLED, "Calls above the account's rate: lower --calls-per-second."),
    Code("ServiceUnavailable*", _UNCLEAR, "The service was unavailable: look for these messages in the console."),
    Code("InternalError*", _UNCLEAR, "An error inside the gateway: look for these messages in the console."),
    Code("InternalServerError*", _UNCLEAR, "An error inside the gateway: look for these in the console."),
    Code("SignatureDoesNotMatch", _STOPPED, "The secret does not belong to the key: check both."),
    Code("IncompleteSignature", _STOPPED, "The gateway could not read the signature: report this as a defect."),
    Code("SignatureNonceUsed", _STALE, "This nonce was seen before: signed anew."),
    Code("InvalidTimeStamp.Expired", _STALE, "The clock is off by more than 15 minutes: set it (NTP)."),
    Code("InvalidTimeStamp.Format", _STOPPED, "The gateway could not read the date: report this as a defect."),
    Code("IllegalTimestamp", _STOPPED, "The gateway could not read the date: report this as a defect."),
    Code("InvalidAccessKeyId*", _STOPPED, "The access key does not exist or is not active: check it."),
    Code("InvalidSecurityToken*", _STALE, "The security token is expired or wrong: get fresh credentials."),
    Code("MissingSecurityToken", _STOPPED, "A temporary key came without its security token: set it too."),
    Code("Forbidden*", _STOPPED, "The account or key is not allowed to do this: look at RAM and the console."),
    Code("NoPermission*", _STOPPED, "The key lacks dysms:BatchSendMessageToGlobe: grant it in RAM."),
    Code("InsufficientBalance*", _STOPPED, "Balance is used up: top up, then run the campaign again."),
    Code("Missing*", _REFUSED, "A parameter is missing: read the description; report it if it is ours."),
    Code("InvalidParameter*", _REFUSED, "A parameter is wrong: read the description."),
    Code("InvalidVersion", _STOPPED, "This endpoint does not have the API: check GLOBE_SMS_ENDPOINT."),
    Code("NoSuchVersion", _STOPPED, "This endpoint does not have the API: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidAction*", _STOPPED, "This endpoint does not have the action: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidApi.NotFound", _STOPPED, "This endpoint does not have the action: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidProduct.NotFound", _STOPPED, "This endpoint does not have the product: check GLOBE_SMS_ENDPOINT."),
    Code("InvalidProtocol.NeedSsl", _STOPPED, "The endpoint wants https: check GLOBE_SMS_ENDPOINT."),
    Code("UnsupportedHTTPMethod", _STOPPED, "The endpoint does not take POST: check GLOBE_SMS_ENDPOINT."),
)
"""Every code that is known, one line each. More exact lines win over those with a `*`."""

_EXACT: Final = {row.code: row for row in TABLE if not row.code.endswith("*")}
_BY_PREFIX: Final = tuple((row.code[:-1], row) for row in TABLE if row.code.endswith("*"))

_UNKNOWN_REFUSAL: Final = "A code that is not in our table, with a 4xx status: the call was refused. Look it up."
_UNKNOWN: Final = "A code that is not in our table: look it up, and look for these messages in the console."
_MISPLACED_OK: Final = "OK in a place where the API does not put it: look for these messages in the console."

_CLIENT_ERRORS: Final = range(400, 500)


def look_up(code: str, *, from_gateway: bool, status: int) -> Code:
    """Say what a code proves, whether it is in the table or not.

    A code that the table knows means the same wherever and with whatever HTTP status it comes. An unknown one is
    taken for a refusal only when the API gateway itself gave it with a 4xx status; else it is unclear.

    Args:
        code: as it was received, legacy prefixes included.
        from_gateway: True when it stood in `Code`, False when it stood in `ResponseCode`.
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
