"""Faulty answers: the refusals that a rule asks for, and the ways a connection ends."""

from dataclasses import replace
from enum import Enum, auto

from globe_sms.deployments.sandbox.gateway import answers
from globe_sms.deployments.sandbox.gateway.answers import Answer
from globe_sms.deployments.sandbox.gateway.fault_rules import FaultRule
from globe_sms.deployments.sandbox.gateway.refusals import Refusal, business_refusal, gateway_refusal


class Ending(Enum):
    """How the connection ends; SEND is the normal way."""

    SEND = auto()
    CLOSE = auto()
    RESET = auto()
    HANG = auto()
    TRUNCATE = auto()


ENDINGS = {
    "accept_then_drop": Ending.CLOSE,
    "drop_before": Ending.CLOSE,
    "reset": Ending.RESET,
    "hang": Ending.HANG,
    "truncate": Ending.TRUNCATE,
}
_REFUSING = {
    "throttle": "Throttling.User",
    "nonce_used": "SignatureNonceUsed",
    "clock": "InvalidTimeStamp.Expired",
    "http_500": "InternalError",
    "http_503": "ServiceUnavailable",
}


def ordered_refusal(rule: FaultRule) -> Refusal | None:
    """Return the refusal that a rule asks for; None if its kind isn't a refusal."""
    kind, _, rest = rule.kind.partition(":")
    if kind == "code":
        return business_refusal(rest)
    if kind == "gateway_code":
        code, _, status = rest.partition(":")
        refusal = gateway_refusal(code, status=int(status))
    elif kind in _REFUSING:
        refusal = gateway_refusal(_REFUSING[kind])
    else:
        return None
    return Refusal(refusal.code, refusal.message, refusal.status, rule.retry_after_ms)


def garbled(rule: FaultRule, honest: Answer) -> Answer:
    """Return what a rule makes of a correct answer: an HTML page, half of the answer, nothing, or the answer itself."""
    if rule.kind == "html_502":
        return answers.bad_gateway()
    bodies = {"broken_json": honest.body[: len(honest.body) // 2], "empty_body": b""}
    return replace(honest, body=bodies.get(rule.kind, honest.body))
