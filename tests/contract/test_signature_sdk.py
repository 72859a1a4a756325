"""Signature, headers and form body match Alibaba's own SDK.

The oracle is `alibabacloud_tea_openapi` as `alibabacloud_dysmsapi20180501` uses it: its signing function for any number
of made-up calls, and its whole client on a loopback socket for a few.
"""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from alibabacloud_credentials.client import Client as SdkCredentials
from alibabacloud_credentials.models import Config as SdkCredentialsConfig
from alibabacloud_dysmsapi20180501.client import Client as SdkClient
from alibabacloud_dysmsapi20180501.models import BatchSendMessageToGlobeRequest
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from darabonba.runtime import RuntimeOptions
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from globe_sms.tasks.gateway import (
    AcsV3Auth,
    BatchSend,
    CallVerdict,
    Credentials,
    Endpoint,
    Gateway,
    MessageType,
    Outcome,
    authorization,
)
from tests.waiting import LONGEST_WAIT

DATE = datetime(2026, 10, 28, 12, 0, 0, tzinfo=UTC)
WRITTEN_DATE = "2026-10-28T12:00:00Z"
NONCE = "0123456789abcdef0123456789abcdef"
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SECRET = "aSecret+/=of~tests"

# Reserved in URLs or JSON, of one to four bytes in UTF-8, combined, invisible, and what form encoders disagree on.
AWKWARD = "a 0-_.~!*'()[]{}@&=+$,/?:;#%<>\"\\|^`\n\t\x00\x7fé中😀👨\u200d👩\u0301\u2028\ufeff\uffff"
TEXTS = (
    st.text(st.sampled_from(AWKWARD), min_size=1, max_size=40) | st.text(st.characters(codec="utf-8"), min_size=1)
).filter(lambda text: bool(text.strip()))
KEY_TEXTS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
LABELS = st.text("abcXYZ019_-", min_size=1, max_size=60)


@st.composite
def batches(draw: st.DrawFn) -> BatchSend:
    """Calls of any size and content."""
    count = draw(st.sampled_from([1, 2, 3, 7, 250, 1000]))
    first = draw(st.integers(1, 8 * 10**13))
    texts = draw(st.lists(TEXTS, min_size=1, max_size=min(count, 5)))
    return BatchSend(
        numbers=tuple(str(first + index) for index in range(count)),
        messages=tuple(texts[index % len(texts)] for index in range(count)),
        type=draw(st.sampled_from(MessageType)),
        sender_id=draw(st.none() | st.text("abcXYZ019", min_size=1, max_size=11)),
        task_id=draw(st.none() | LABELS),
        validity_period=draw(st.none() | st.integers(1, 14_400)),
        channel_id=draw(st.none() | LABELS),
    )


KEYS = st.builds(
    Credentials,
    access_key_id=KEY_TEXTS,
    secret=KEY_TEXTS.map(SecretStr),
    token=st.none() | KEY_TEXTS.map(SecretStr),
)


def _parameters(batch: BatchSend) -> dict[str, Any]:
    """Return a call's parameters as an SDK user would pass them."""
    return {
        "To": json.dumps(batch.numbers, ensure_ascii=False, separators=(",", ":")),
        "Message": json.dumps(batch.messages, ensure_ascii=False, separators=(",", ":")),
        "Type": str(batch.type),
    } | {
        name: value
        for name, value in {
            "From": batch.sender_id,
            "TaskId": batch.task_id,
            "ValidityPeriod": batch.validity_period,
            "ChannelId": batch.channel_id,
        }.items()
        if value is not None
    }


def _sent_by_us(batch: BatchSend, key: Credentials, host: str) -> httpx.Request:
    """Return the request that our client passes to its transport."""
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"ResponseCode": "OK"})

    with Gateway(
        Endpoint.parse(f"https://{host}"),
        lambda: key,
        transport=httpx.MockTransport(take),
        clock=lambda: DATE,
        nonce=lambda: NONCE,
    ) as gateway:
        gateway.send(batch)
    return seen[0]


def _signed_by_the_sdk(
    headers: Mapping[str, str], key: Credentials, body: bytes, query: Mapping[str, str] | None = None
) -> str:
    """Return the SDK's Authorization header for these headers, query and body."""
    request = DaraRequest()
    request.method, request.pathname, request.query, request.headers = "POST", "/", dict(query or {}), dict(headers)
    algorithm = "ACS3-HMAC-SHA256"
    digest = Utils.hash(body, algorithm).hex()
    return Utils.get_authorization(request, algorithm, digest, key.access_key_id, key.secret.get_secret_value())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(batches(), KEYS, st.sampled_from(["dysmsapi.ap-southeast-1.aliyuncs.com", "localhost:8123", "[::1]:8123"]))
@example(
    BatchSend(
        numbers=tuple(str(6580000000 + index) for index in range(1000)),
        messages=("Ваш код 😀 & 50% off* ~now+then",) * 1000,
        type=MessageType.OTP,
        task_id="x" * 255,
    ),
    Credentials("STS.key", SecretStr("secret"), SecretStr("tok/en+==")),
    "dysmsapi.aliyuncs.com",
)
def test_every_call_is_encoded_and_signed_like_the_sdk(batch: BatchSend, key: Credentials, host: str) -> None:
    """Body, the headers of signature V3, and the signature, byte for byte."""
    sent = _sent_by_us(batch, key, host)
    assert sent.content == Utils.to_form(_parameters(batch)).encode()
    signed = sent.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    expected = {
        "host": host,
        "content-type": "application/x-www-form-urlencoded",
        "x-acs-action": "BatchSendMessageToGlobe",
        "x-acs-version": "2018-05-01",
        "x-acs-date": WRITTEN_DATE,
        "x-acs-signature-nonce": NONCE,
        "x-acs-content-sha256": Utils.hash(sent.content, "ACS3-HMAC-SHA256").hex(),
    }
    if key.token is not None:
        expected |= {"x-acs-accesskey-id": key.access_key_id, "x-acs-security-token": key.token.get_secret_value()}
    assert {name: sent.headers[name] for name in signed} == expected
    assert sent.headers["authorization"] == _signed_by_the_sdk(expected, key, sent.content)


@settings(max_examples=60, deadline=None)
@given(
    KEYS,
    st.dictionaries(st.text("abcXYZ.019", min_size=1, max_size=9), st.text(st.characters(codec="utf-8"), max_size=20)),
)
def test_a_query_is_signed_like_the_sdk(key: Credentials, query: dict[str, str]) -> None:
    """The auth class also signs calls with parameters in the query, with any characters."""
    auth = AcsV3Auth(lambda: key, clock=lambda: DATE, nonce=lambda: NONCE)
    request = next(auth.sync_auth_flow(httpx.Request("POST", "https://example.com/", params=query)))
    names = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: request.headers[name] for name in names}
    assert request.headers["authorization"] == _signed_by_the_sdk(headers, key, b"", query)


@dataclass
class Recorder:
    """A loopback server that records each request and always sends the same answer."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    body: bytes = (
        b'{"ResponseCode":"OK","RequestId":"R","FailedList":"[]","SuccessCount":"1","MessageIdList":"[\\"77\\"]"}'
    )


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Reads one request per connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = Recorder(listener.getsockname()[1])

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65536)
                head, _, body = received.partition(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                while len(body) < length:
                    body += connection.recv(65536)
                made.requests.append(head + b"\r\n\r\n" + body)
                length_line = f"content-length: {len(made.body)}\r\n".encode()
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n"
                    + length_line
                    + b"\r\n"
                    + made.body
                )

    thread = threading.Thread(target=run)
    thread.start()
    yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(LONGEST_WAIT)


def _taken_apart(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return line.split()[1], headers, body


def _sdk_client(recorder: Recorder, key: Credentials) -> SdkClient:
    token = {} if key.token is None else {"security_token": key.token.get_secret_value()}
    credential = SdkCredentials(
        SdkCredentialsConfig(
            type="sts" if token else "access_key",
            access_key_id=key.access_key_id,
            access_key_secret=key.secret.get_secret_value(),
            **token,
        )
    )
    return SdkClient(Config(credential=credential, endpoint=f"127.0.0.1:{recorder.port}", protocol="HTTP"))


EMOJI = BatchSend(
    numbers=("6581234567", "85261234567"),
    messages=("Hi 😀 & 50% off* ~now+then", '你好, "Bob" [a/b?c=d]\n{end}'),
    type=MessageType.MKT,
    sender_id="Alicloud",
    task_id="spring-0-1",
    validity_period=600,
    channel_id="sms-djnfjn344",
)
KEY_KINDS = [
    pytest.param(Credentials("LTAI5tExample", SecretStr(SECRET)), id="fixed key"),
    pytest.param(Credentials("STS.Example", SecretStr(SECRET), SecretStr("CAIS/tok+en==")), id="STS key"),
]


@pytest.mark.parametrize("key", KEY_KINDS)
def test_our_call_on_the_wire_matches_a_form_of_the_sdk(recorder: Recorder, key: Credentials) -> None:
    """Same target, body and signed headers; the SDK signs a few more."""
    _sdk_client(recorder, key).call_api(
        Params(
            action="BatchSendMessageToGlobe",
            version="2018-05-01",
            protocol="HTTP",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        ),
        OpenApiRequest(body=_parameters(EMOJI), headers={"x-acs-date": WRITTEN_DATE, "x-acs-signature-nonce": NONCE}),
        RuntimeOptions(),
    )
    with Gateway(
        Endpoint("http", "127.0.0.1", recorder.port), lambda: key, clock=lambda: DATE, nonce=lambda: NONCE
    ) as gateway:
        outcome = gateway.send(EMOJI)
    (their_target, theirs, their_body), (our_target, ours, our_body) = map(_taken_apart, recorder.requests)
    assert isinstance(outcome, Outcome)
    assert our_target == their_target == "/"
    assert our_body == their_body
    needed = {name for name in ours if name in {"host", "content-type"} or name.startswith("x-acs-")}
    assert {name: ours[name] for name in needed} == {name: theirs[name] for name in needed}
    assert {name for name in theirs if name.startswith("x-acs-")} - needed == {"x-acs-credentials-provider"}
    names = theirs["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert theirs["authorization"] == authorization(
        method="POST",
        path="/",
        query=(),
        headers={name: theirs[name] for name in names},
        payload_sha256=theirs["x-acs-content-sha256"],
        credentials=key,
    )
    assert ours["authorization"] == _signed_by_the_sdk({name: ours[name] for name in needed}, key, our_body)


@pytest.mark.parametrize("key", KEY_KINDS)
def test_the_sdk_s_own_call_carries_the_same_parameters(recorder: Recorder, key: Credentials) -> None:
    """The SDK puts them in the query; our function gives the same signature, and our form has the same parameters."""
    parameters = _parameters(EMOJI)
    answer = _sdk_client(recorder, key).batch_send_message_to_globe(
        BatchSendMessageToGlobeRequest().from_map(parameters)
    )
    target, theirs, body = _taken_apart(recorder.requests[0])
    query = dict(parse_qsl(target.partition("?")[2], keep_blank_values=True))
    assert query == dict(parse_qsl(EMOJI.form().decode(), keep_blank_values=True))
    assert body == b""
    names = theirs["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert theirs["authorization"] == authorization(
        method="POST",
        path="/",
        query=query.items(),
        headers={name: theirs[name] for name in names},
        payload_sha256=EMPTY_SHA256,
        credentials=key,
    )
    assert answer.body.message_id_list == '["77"]'


def test_we_read_an_answer_like_the_sdk(recorder: Recorder) -> None:
    """We read the same fields as the SDK's model."""
    key = Credentials("LTAI5tExample", SecretStr(SECRET))
    one = BatchSend(numbers=("6581234567",), messages=("Hi",), type=MessageType.NOTIFY)
    theirs = _sdk_client(recorder, key).batch_send_message_to_globe(
        BatchSendMessageToGlobeRequest().from_map(_parameters(one))
    )
    with Gateway(Endpoint("http", "127.0.0.1", recorder.port), lambda: key) as gateway:
        ours = gateway.send(one)
    assert ours.verdict is CallVerdict.ACCEPTED
    assert (ours.code, ours.request_id) == (theirs.body.response_code, theirs.body.request_id)
    assert list(ours.message_ids) == json.loads(theirs.body.message_id_list)
