"""The sandbox gateway's refusals: one line per code, with its HTTP status and text.

A gateway refusal (`Code`) comes with HTTP 4xx or 5xx, before the SMS backend gets the call; a business refusal
(`ResponseCode`) comes with HTTP 200 from the backend.
Source: Alibaba Cloud's error code pages of Short Message Service and of the OpenAPI gateway.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusal of a call; `status` is None for a business refusal."""

    code: str
    message: str
    status: int | None = None
    retry_after_ms: int | None = None


class RefusedError(Exception):
    """A call breaks a rule; carries the refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


_GATEWAY: dict[str, tuple[int, str]] = {
    "UnsupportedHTTPMethod": (400, "This http method is not supported."),
    "InvalidAction.NotFound": (404, "Specified api is not found, please check your url and method."),
    "InvalidVersion": (400, "Specified parameter Version is not valid."),
    "InvalidParameter": (400, "The specified parameter is not valid."),
    "MissingParameter": (400, "A required parameter is missing."),
    "IncompleteSignature": (400, "The request signature does not conform to Aliyun standards."),
    "SignatureDoesNotMatch": (400, "Specified signature is not matched with our calculation."),
    "SignatureNonceUsed": (400, "Specified signature nonce was used already."),
    "InvalidAccessKeyId.NotFound": (404, "Specified access key is not found."),
    "InvalidTimeStamp.Expired": (400, "Specified time stamp or date value is expired."),
    "InvalidTimeStamp.Format": (400, "Specified time stamp or date value is not well formatted."),
    "InvalidSecurityToken.MismatchWithAccessKey": (400, "Specified SecurityToken mismatch with the AccessKey."),
    "InvalidSecurityToken.Missing": (400, "SecurityToken is mandatory for this action."),
    "Throttling.User": (400, "Request was denied due to user flow control."),
    "InternalError": (500, "The request processing has failed due to some unknown error."),
    "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
}

_BUSINESS: dict[str, str] = {
    "DATA_NOT_EXIST": "The queried data does not exist",
    "INVALID_SENDERID": "The sender ID is invalid or not approved",
    "INVALID_PARAMETERS": "The parameter is invalid",
    "INVALID_JSON_PARAM": "The JSON string is empty or cannot be parsed",
    "MOBILE_NUMBER_ILLEGAL": "The format of the mobile phone number is invalid",
    "MOBILE_COUNT_OVER_LIMIT": "The number of mobile phone numbers exceeds the limit",
    "NOT_SUPPORTED_COUNTRY": "The destination country or region is not supported",
    "PARAM_LENGTH_LIMIT": "The length of the parameter exceeds the limit",
    "QPS_LIMIT_CONTROL": "The QPS limit of the account is reached",
}


def gateway_refusal(code: str, detail: str = "", *, status: int | None = None) -> Refusal:
    """Return the refusal for a gateway code; unknown codes get HTTP 400 by default."""
    known_status, text = _GATEWAY.get(code, (400, "The request was refused."))
    return Refusal(code, f"{text} {detail}".rstrip(), status or known_status)


def missing(name: str) -> Refusal:
    """Return the refusal for a missing parameter or header, as `Missing<Name>`."""
    return Refusal(f"Missing{name}", f"{name} is mandatory for this action.", 400)


def business_refusal(code: str, detail: str = "") -> Refusal:
    """Return the refusal for a business code, in the table or not."""
    text = _BUSINESS.get(code, "The SMS Send Request was refused")
    return Refusal(code, f"{text}: {detail}" if detail else text)
