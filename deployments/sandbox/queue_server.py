"""A simulated message queue of Alibaba's, and the action that gives temporary keys for it, on a loopback port.

Requests must be signed as documented, with a date within 15 minutes, and with the keys and the token that
QueryTokenForMnsQueue gave and that haven't expired. That action's own calls must have signature V3.
Source: https://help.aliyun.com/document_detail/27487.html (signature), /35136.htm and /35139.htm (messages).
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from globe_sms.deployments.sandbox.gateway import wire_form
from globe_sms.deployments.sandbox.gateway.refusals import RefusedError
from globe_sms.deployments.sandbox.gateway.settings import Account
from globe_sms.deployments.sandbox.gateway.signature_check import Call, Door
from globe_sms.deployments.sandbox.queue_messages import MOST_AT_ONCE, QueueMessages, Waiting

VERSION = "2015-06-06"
_NAMESPACE = "http://mns.aliyuncs.com/doc/v1/"
_CLOCK_TOLERANCE_SECONDS = 15 * 60
_LONGEST_WAIT = 30


class QueueRefusal(Exception):  # noqa: N818  # an answer, not a fault of the simulation
    """The queue's answer to a request that it doesn't serve."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class QueueServer:
    """The server of one queue; a context manager.

    Args:
        name: the queue's name.
        messages: what is in it.
        key_id, secret: the keys of the account that may ask for a token.
        message_type: what the queue has.
        token_seconds: for how long a token is valid.
        most_wait_seconds: how long an empty queue waits at most, whatever is asked.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        name: str,
        messages: QueueMessages,
        *,
        key_id: str,
        secret: str,
        message_type: str = "GlobeSmsReport",
        token_seconds: float = 3_600.0,
        most_wait_seconds: float = _LONGEST_WAIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.messages = messages
        self.tokens_given = 0
        self.broken = 0
        """How many of the next requests to the queue are answered by HTTP 500."""
        self._message_type = message_type
        self._token_seconds = token_seconds
        self._most_wait = most_wait_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._door = Door(
            [Account(key_id=key_id, secret=secret)], actions=("QueryTokenForMnsQueue",), version="2017-05-25"
        )
        self._keys: dict[str, tuple[str, str, float]] = {}  # by key id: secret, token, expiry
        self._server = _Server(self)

    @property
    def endpoint(self) -> str:
        """The endpoint of the queue, and of the action that gives tokens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox-queue", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def expire_tokens(self) -> None:
        """End all tokens that were given, whatever they say."""
        with self._lock:
            self._keys = {key: (secret, token, 0.0) for key, (secret, token, _) in self._keys.items()}

    def answer(self, call: Call) -> tuple[int, bytes, str]:
        """Return status, body and content type of the answer to a request."""
        if call.method == "POST":
            return self._token(call)
        try:
            with self._lock:
                self._admit(call)
            return self._serve(call)
        except QueueRefusal as refusal:
            fields = {"Code": refusal.code, "Message": "Refused.", "RequestId": "1", "HostId": self.endpoint}
            return refusal.status, _xml("Error", [_element(name, value) for name, value in fields.items()]), "text/xml"

    def _token(self, call: Call) -> tuple[int, bytes, str]:
        with self._lock:
            try:
                self._door.admit(call, now=self._clock())
                form = wire_form.pairs(call.body)
                asked = (form.get("QueueName"), form.get("MessageType"))
                said = (
                    self._new_token()
                    if asked == (self.name, self._message_type)
                    else {"Code": "isv.MNS_QUEUE_NOT_EXIST", "Message": "no such queue", "RequestId": "1"}
                )
            except RefusedError as error:
                refusal = error.refusal
                said = {"Code": refusal.code, "Message": refusal.message, "RequestId": "1"}
                return refusal.status or 200, json.dumps(said).encode(), "application/json"
        return 200, json.dumps(said).encode(), "application/json"

    def _new_token(self) -> dict[str, Any]:
        self.tokens_given += 1
        key_id, secret, token = f"STS.{secrets.token_hex(8)}", secrets.token_hex(16), secrets.token_urlsafe(32)
        now = self._clock()
        self._keys[key_id] = (secret, token, now + self._token_seconds)
        times = [
            datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") for at in (now, now + self._token_seconds)
        ]
        token_fields = {"AccessKeyId": key_id, "AccessKeySecret": secret, "SecurityToken": token}
        token_fields |= {"CreateTime": times[0], "ExpireTime": times[1]}
        return {"Code": "OK", "Message": "OK", "RequestId": "1", "MessageTokenDTO": token_fields}

    def _admit(self, call: Call) -> None:
        """Break, if it's told to, and check the signature of method, md5, type, date, x-mns headers and resource.

        Raises:
            QueueRefusal: it isn't valid.
        """
        if self.broken:
            self.broken -= 1
            raise QueueRefusal(500, "InternalError")
        if call.header("x-mns-version") != VERSION:
            raise QueueRefusal(400, "InvalidArgument")
        try:
            sent = parsedate_to_datetime(call.header("date")).timestamp()
        except ValueError:
            raise QueueRefusal(400, "InvalidArgument") from None
        if abs(sent - self._clock()) > _CLOCK_TOLERANCE_SECONDS:
            raise QueueRefusal(400, "TimeExpired")
        key_id, _, signature = call.header("authorization").removeprefix("MNS ").partition(":")
        if key_id not in self._keys:
            raise QueueRefusal(403, "InvalidAccessKeyId")
        secret, token, expires_at = self._keys[key_id]
        if call.header("security-token") != token:
            raise QueueRefusal(403, "AccessDenied")
        if self._clock() >= expires_at:
            raise QueueRefusal(403, "SecurityTokenExpired")
        if not hmac.compare_digest(_signature(secret, call), signature):
            raise QueueRefusal(403, "SignatureDoesNotMatch")
        digest = hashlib.md5(call.body, usedforsecurity=False)
        md5 = call.header("content-md5")
        # Documented as base64 of the digest; the official client encodes the digest's hex.
        if call.body and base64.b64decode(md5) not in {digest.digest(), digest.hexdigest().encode()}:
            raise QueueRefusal(400, "InvalidDigest")

    def _serve(self, call: Call) -> tuple[int, bytes, str]:
        if call.path != f"/queues/{self.name}/messages":
            raise QueueRefusal(404, "QueueNotExist")
        if call.method == "DELETE":
            return self._delete(call)
        asked = parse_qs(call.query.decode())
        most, wait = (int(asked.get(name, ["0"])[0]) for name in ("numOfMessages", "waitseconds"))
        if call.method != "GET" or not 1 <= most <= MOST_AT_ONCE or not 0 <= wait <= _LONGEST_WAIT:
            raise QueueRefusal(400, "InvalidArgument")
        found = self.messages.receive(most, wait_seconds=min(wait, self._most_wait))
        if not found:
            raise QueueRefusal(404, "MessageNotExist")
        return 200, _xml("Messages", [_message(message) for message in found]), "text/xml"

    def _delete(self, call: Call) -> tuple[int, bytes, str]:
        handles = [each.text or "" for each in ET.fromstring(call.body) if each.tag.endswith("ReceiptHandle")]  # noqa: S314
        if not 1 <= len(handles) <= MOST_AT_ONCE:
            raise QueueRefusal(400, "InvalidArgument")
        failed = [(handle, code) for handle in handles if (code := self.messages.delete(handle)) is not None]
        if not failed:
            return 204, b"", "text/xml"
        errors: list[ET.Element] = []
        for handle, code in failed:
            fields = {"ErrorCode": code, "ErrorMessage": "The receipt handle is not valid.", "ReceiptHandle": handle}
            errors.append(_element("Error", children=[_element(name, value) for name, value in fields.items()]))
        return 404, _xml("Errors", errors), "text/xml"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, queue: QueueServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.queue = queue

    def handle_error(self, request: Any, client_address: Any) -> None:  # a client that was killed
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        call = Call(self.command, parts.path, parts.query.encode(), headers, body)
        if not isinstance(self.server, _Server):
            raise TypeError
        status, said, kind = self.server.queue.answer(call)
        self.send_response(status)
        self.send_header("content-type", f"{kind};charset=utf-8")
        self.send_header("x-mns-request-id", "1")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _signature(secret: str, call: Call) -> str:
    ours = "".join(f"{name}:{value.strip()}\n" for name, value in sorted(call.headers) if name.startswith("x-mns-"))
    resource = call.path + (f"?{call.query.decode()}" if call.query else "")
    named = [call.header(name) for name in ("content-md5", "content-type", "date")]
    text = "\n".join((call.method, *named)) + f"\n{ours}{resource}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _message(message: Waiting) -> ET.Element:
    fields = {
        "MessageId": message.message_id,
        "ReceiptHandle": message.handle,
        "MessageBody": message.body,
        "MessageBodyMD5": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest().upper(),
        "EnqueueTime": str(int(message.enqueued_at * 1000)),
        "NextVisibleTime": str(int(message.visible_at * 1000)),
        "FirstDequeueTime": str(int(message.first_received_at * 1000)),
        "DequeueCount": str(message.received),
        "Priority": "8",
    }
    return _element("Message", children=[_element(name, value) for name, value in fields.items()])


def _element(name: str, text: str | None = None, children: list[ET.Element] | None = None) -> ET.Element:
    element = ET.Element(name)
    element.text = text
    element.extend(children or ())
    return element


def _xml(root: str, children: list[ET.Element]) -> bytes:
    element = ET.Element(root, {"xmlns": _NAMESPACE})
    element.extend(children)
    return ET.tostring(element, encoding="utf-8", xml_declaration=True)
