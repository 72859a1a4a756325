"""Reads a call's parameters from the query, a form body, or both."""

from globe_sms.deployments.sandbox.gateway import wire_form as wire
from globe_sms.deployments.sandbox.gateway.refusals import RefusedError, gateway_refusal
from globe_sms.deployments.sandbox.gateway.signature_check import Call

_FORM = "application/x-www-form-urlencoded"


def parameters_of(call: Call, query: dict[str, str]) -> dict[str, str]:
    """Return a call's parameters; `query` are those of its query, decoded.

    Raises:
        RefusedError: the body isn't a form, or a parameter is in both.
    """
    if not call.body:
        return query
    media_type = call.header("content-type").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise RefusedError(gateway_refusal("InvalidParameter", f"A body must be {_FORM}."))
    form = wire.pairs(call.body)
    if form.keys() & query.keys():
        raise RefusedError(gateway_refusal("InvalidParameter", "A parameter is in both the query and the body."))
    return query | form
