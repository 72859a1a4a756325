"""The gateway's answers in both forms (business and gateway), as JSON and as XML."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from globe_sms.deployments.sandbox.gateway.refusals import Refusal

ACCEPTED = "The SMS Send Request was accepted"
_HOST_ID = "dysmsapi.sandbox.invalid"
_ROOT = "BatchSendMessageToGlobeResponse"
_QUERY_ROOT = "QueryMessageResponse"
_JSON, _XML, _HTML = "application/json;charset=utf-8", "text/xml;charset=utf-8", "text/html;charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, ready to be sent; `code` is its code in the log."""

    code: str
    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The result of a batch: its numbers with their MessageIds in order, and the failed numbers."""

    sender: str
    accepted: Mapping[str, str]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How an acceptance is written; by default as documented."""

    ids: tuple[str, ...] | None = None
    failed: tuple[str, ...] | None = None
    lists: str = "text"  # text, array, empty, missing or null
    which: frozenset[str] = field(default=frozenset({"MessageIdList", "FailedList"}))


def request_id() -> str:
    """Return a new request id in Alibaba's format."""
    return str(uuid.uuid4()).upper()


def wants_xml(accept: str) -> bool:
    """Return whether an Accept header asks for XML; JSON is the default."""
    return "xml" in accept.lower() and "json" not in accept.lower()


def accepted(acceptance: Acceptance, request: str, shape: Shape, *, xml: bool) -> Answer:
    """Return the answer to an accepted batch; `SuccessCount` is always true."""
    ids = tuple(acceptance.accepted.values()) if shape.ids is None else shape.ids
    failed = acceptance.failed if shape.failed is None else shape.failed
    fields: dict[str, object] = {
        "ResponseCode": "OK",
        "ResponseDescription": ACCEPTED,
        "RequestId": request,
        "From": acceptance.sender,
        "SuccessCount": str(len(acceptance.accepted)),
        "FailedList": _list(failed),
        "MessageIdList": _list(ids),
    }
    for name, values in (("FailedList", failed), ("MessageIdList", ids)):
        if name not in shape.which or shape.lists == "text":
            continue
        if shape.lists == "missing":
            del fields[name]
        else:
            fields[name] = {"array": list(values), "empty": "", "null": None}[shape.lists]
    return Answer("OK", 200, *_written(fields, _ROOT, xml=xml))


def refused(refusal: Refusal, request: str, *, xml: bool) -> Answer:
    """Return a refusal in the form of its kind."""
    if refusal.status is None:
        fields: dict[str, object] = {
            "ResponseCode": refusal.code,
            "ResponseDescription": refusal.message,
            "RequestId": request,
            "From": "",
            "SuccessCount": "0",
            "FailedList": "[]",
            "MessageIdList": "[]",
        }
        return Answer(refusal.code, 200, *_written(fields, _ROOT, xml=xml))
    fields = {
        "Recommend": f"https://{_HOST_ID}/status/search?Keyword={refusal.code}&source=PopGw",
        "Message": refusal.message,
        "RequestId": request,
        "HostId": _HOST_ID,
        "Code": refusal.code,
    }
    headers = () if refusal.retry_after_ms is None else ((b"x-acs-retry-after", b"%d" % refusal.retry_after_ms),)
    return Answer(refusal.code, refusal.status, *_written(fields, "Error", xml=xml), headers)


def query_answered(fields: Mapping[str, object], request: str, *, xml: bool) -> Answer:
    """Return the answer to a query that found its message."""
    return Answer("OK", 200, *_written({**fields, "RequestId": request}, _QUERY_ROOT, xml=xml))


def query_refused(refusal: Refusal, request: str, *, xml: bool) -> Answer:
    """Return the refusal of a query, whose answer has no lists."""
    if refusal.status is not None:
        return refused(refusal, request, xml=xml)
    fields = {"ResponseCode": refusal.code, "ResponseDescription": refusal.message, "RequestId": request}
    return Answer(refusal.code, 200, *_written(fields, _QUERY_ROOT, xml=xml))


def bad_gateway() -> Answer:
    """Return the answer of a front end without a backend: HTML, no code, no request id."""
    page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return Answer("502", 502, _HTML, page.encode())


def _list(values: tuple[str, ...]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _written(fields: Mapping[str, object], root: str, *, xml: bool) -> tuple[str, bytes]:
    if not xml:
        return _JSON, json.dumps(fields, ensure_ascii=False).encode()
    parts = "".join(f"<{name}>{_xml_text(value)}</{name}>" for name, value in fields.items())
    return _XML, f"<?xml version='1.0' encoding='UTF-8'?><{root}>{parts}</{root}>".encode()


def _xml_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml_text(part)}</{name}>" for name, part in value.items())
    return escape(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))
