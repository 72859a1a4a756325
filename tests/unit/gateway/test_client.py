"""The client on real sockets: what each fault proves, and when the write of a call starts."""

import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tcp_server import (
    NUMBERS,
    OK_BODY,
    Handler,
    Serve,
    Server,
    answer_with,
    http_answer,
    read_request,
    some_credentials,
)

from globe_sms.tasks.gateway import BatchSend, CallVerdict, Credentials, Endpoint, Gateway, Outcome
from globe_sms.tasks.vocabulary.errors import InputError
from tests.waiting import LONGEST_WAIT

PROXY_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def _gateway(endpoint: Endpoint, **options: object) -> Gateway:
    return Gateway(endpoint, some_credentials, **options)  # type: ignore[arg-type]


def _send(
    server: Server, batch: BatchSend, *, before_write: Callable[[], None] = lambda: None, **options: object
) -> Outcome:
    with _gateway(server.endpoint, **options) as gateway:
        return gateway.send(batch, before_write=before_write)


def _assert(value: object) -> None:
    assert value


class Count:
    """A `before_write` that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        """Count a call, without waiting."""
        self.calls += 1


# What goes out, and the good case


def test_a_call_is_sent_as_documented(serve: Serve, batch: BatchSend) -> None:
    """One POST to the root on its own connection, parameters in the body, action and version in headers."""
    server = serve(answer_with(http_answer(OK_BODY)))
    outcome = _send(server, batch)
    head, _, body = server.arrived[0].partition(b"\r\n\r\n")
    request_line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert request_line == "POST / HTTP/1.1"
    assert body == batch.form()
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["x-acs-action"] == "BatchSendMessageToGlobe"
    assert headers["x-acs-version"] == "2018-05-01"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["accept"] == "application/json"
    assert headers["connection"] == "close"
    assert headers["user-agent"].startswith("globe-sms/")
    assert headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=LTAIexampleexample,SignedHeaders=")
    assert "the-secret-of-tests" not in server.arrived[0].decode()
    assert outcome.verdict is CallVerdict.ACCEPTED
    assert outcome.accepted == tuple(zip(NUMBERS, ("100", "101", "102", "103"), strict=True))


def test_nothing_is_sent_by_making_a_gateway(serve: Serve) -> None:
    """No probe, no warm-up."""
    server = serve(answer_with(http_answer(OK_BODY)))
    with _gateway(server.endpoint):
        pass
    assert server.connections == 0


def test_every_call_has_its_own_connection(serve: Serve, batch: BatchSend) -> None:
    """Even if the server would keep it open, or calls overlap."""

    def keep_open(connection: socket.socket, server: Server) -> None:
        while request := read_request(connection):
            server.arrived.append(request)
            connection.sendall(http_answer(OK_BODY, headers=("connection: keep-alive",)))

    server = serve(keep_open)
    with _gateway(server.endpoint) as gateway, ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: gateway.send(batch), range(40)))
    assert {outcome.verdict for outcome in outcomes} == {CallVerdict.ACCEPTED}
    assert server.connections == len(server.arrived) == 40


def test_a_cookie_of_the_gateway_is_not_sent_back(serve: Serve, batch: BatchSend) -> None:
    """Calls are independent of each other."""
    server = serve(answer_with(http_answer(OK_BODY, headers=("set-cookie: session=1; path=/",))))
    with _gateway(server.endpoint) as gateway:
        gateway.send(batch)
        gateway.send(batch)
    assert b"cookie" not in server.arrived[1].lower()


def test_a_redirect_is_not_followed(serve: Serve, batch: BatchSend) -> None:
    """A POST repeated elsewhere might send the messages twice."""
    server = serve(answer_with(http_answer(b"", status="307 Temporary Redirect", headers=("location: /again",))))
    assert _send(server, batch).verdict is CallVerdict.UNCLEAR
    assert len(server.arrived) == 1


def test_a_compressed_answer_is_understood(serve: Serve, batch: BatchSend) -> None:
    """The client doesn't ask for compression, but some proxies compress anyway."""
    server = serve(answer_with(http_answer(gzip.compress(OK_BODY), headers=("content-encoding: gzip",))))
    assert _send(server, batch).verdict is CallVerdict.ACCEPTED
    assert b"accept-encoding: identity" in server.arrived[0].lower()


# Faults


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _close_without_reading(connection: socket.socket, _server: Server) -> None:
    connection.recv(1, socket.MSG_PEEK)  # the call has started to arrive, so the close comes after it


def _read_then_close(connection: socket.socket, server: Server) -> None:
    server.arrived.append(read_request(connection))


def _read_then_reset(connection: socket.socket, server: Server) -> None:
    server.arrived.append(read_request(connection))
    _reset(connection)


def _never_answer(connection: socket.socket, server: Server) -> None:
    server.arrived.append(read_request(connection))
    connection.recv(1)  # until the client gives up


def _dribble(connection: socket.socket, server: Server) -> None:
    server.arrived.append(read_request(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{")
    while not server.finished.wait(0.05):
        connection.sendall(b" ")


def _answer_without_end(connection: socket.socket, server: Server) -> None:
    server.arrived.append(read_request(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:  # until the client hangs up, which is an OSError
        connection.sendall(b" " * 100_000)


READ_SECONDS = 1.5
NO_REPLY = (CallVerdict.UNCLEAR, "no_reply")
UNREADABLE = (CallVerdict.UNCLEAR, "unreadable_answer")
WHOLE = http_answer(OK_BODY)


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        pytest.param(_close_without_reading, NO_REPLY, id="closed without reading"),
        pytest.param(_read_then_close, NO_REPLY, id="read, then closed"),
        pytest.param(_read_then_reset, NO_REPLY, id="read, then reset"),
        pytest.param(_never_answer, NO_REPLY, id="never answered"),
        pytest.param(_dribble, NO_REPLY, id="answered a byte at a time, for ever"),
        pytest.param(answer_with(WHOLE[:20]), NO_REPLY, id="cut off in the head"),
        pytest.param(answer_with(WHOLE[:-1]), NO_REPLY, id="cut off in the body"),
        pytest.param(answer_with(b"HTTP/1.0 200 OK\r\n\r\n" + OK_BODY[:-1]), UNREADABLE, id="cut off without a length"),
        pytest.param(answer_with(b"\x15\x03\x01\x00\x02\x02\x46" * 9), NO_REPLY, id="not HTTP"),
        pytest.param(answer_with(b"HTTP/1.1 banana\r\n\r\n"), NO_REPLY, id="not HTTP enough"),
        pytest.param(
            answer_with(http_answer(b"nonsense", headers=("content-encoding: gzip",))), NO_REPLY, id="not what it says"
        ),
        pytest.param(answer_with(http_answer(b"")), UNREADABLE, id="empty"),
        pytest.param(answer_with(http_answer(b"\x00\xff" * 50)), UNREADABLE, id="garbage"),
        pytest.param(
            answer_with(http_answer(b"<html>Bad Gateway</html>", status="502 Bad Gateway")), UNREADABLE, id="HTML 502"
        ),
        pytest.param(answer_with(http_answer(b"<html>welcome</html>")), UNREADABLE, id="HTML 200"),
        pytest.param(answer_with(http_answer(b"", status="503 Service Unavailable")), UNREADABLE, id="503 and nothing"),
        pytest.param(_answer_without_end, UNREADABLE, id="without end"),
        pytest.param(
            answer_with(http_answer(b'{"Code":"InternalError"}', status="500 Oops")),
            (CallVerdict.UNCLEAR, "InternalError"),
            id="500",
        ),
        pytest.param(
            answer_with(
                http_answer(
                    b'{"Code":"Throttling.User"}', status="400 Bad Request", headers=("x-acs-retry-after: 700",)
                )
            ),
            (CallVerdict.THROTTLED, "Throttling.User"),
            id="throttled",
        ),
        pytest.param(
            answer_with(b"HTTP/1.1 100 Continue\r\n\r\n" + http_answer(b'{"ResponseCode":"AMOUNT_NOT_ENOUGH"}')),
            (CallVerdict.ACCOUNT, "AMOUNT_NOT_ENOUGH"),
            id="no balance, after a 100",
        ),
    ],
)
def test_a_fault_after_the_write_has_started(
    serve: Serve, batch: BatchSend, handler: Handler, expected: tuple[CallVerdict, str]
) -> None:
    """Only a complete answer of the gateway proves anything; one call is one request, whatever happens."""
    server, turn = serve(handler), Count()
    outcome = _send(server, batch, before_write=turn, read_seconds=READ_SECONDS)
    assert (outcome.verdict, outcome.reason) == expected
    assert outcome.unclear == (NUMBERS if outcome.verdict is CallVerdict.UNCLEAR else ())
    assert outcome.retry_after == (0.7 if outcome.verdict is CallVerdict.THROTTLED else None)
    assert outcome.detail
    assert not any(number in f"{outcome!r} {outcome.detail}" for number in NUMBERS)
    assert turn.calls == 1
    assert server.connections == 1


def test_a_timeout_says_how_long_it_waited(serve: Serve, batch: BatchSend) -> None:
    """The detail names the configured seconds."""
    assert _send(serve(_never_answer), batch, read_seconds=0.2).detail == "no reply within 0.2 s"


def test_an_answer_before_the_whole_request_was_read_counts(serve: Serve) -> None:
    """A server may refuse a large body early and hang up."""
    large = BatchSend(
        numbers=tuple(str(6580000000 + i) for i in range(1000)), messages=("é" * 1500,) * 1000, type="MKT"
    )  # type: ignore[arg-type]

    def refuse_early(connection: socket.socket, _server: Server) -> None:
        connection.recv(1024)
        connection.sendall(http_answer(b'{"Code":"InvalidParameter"}', status="413 Too Large"))
        while connection.recv(1 << 20):
            pass

    assert _send(serve(refuse_early), large).verdict is CallVerdict.CAMPAIGN


def test_a_refused_connection_is_unreachable(batch: BatchSend, closed_port: int) -> None:
    """Nothing was sent, and no turn was taken."""
    turn = Count()
    with _gateway(Endpoint("http", "127.0.0.1", closed_port)) as gateway:
        outcome = gateway.send(batch, before_write=turn)
    assert (outcome.verdict, outcome.reason, outcome.unclear) == (CallVerdict.UNREACHABLE, "unreachable", ())
    assert outcome.detail.endswith(f"{closed_port}: Connection refused"), "no number of an error for the operator"
    assert "refused" in outcome.detail
    assert turn.calls == 0


def test_a_connection_that_is_never_made_is_unreachable(batch: BatchSend) -> None:
    """With a full backlog the connection times out."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        with _gateway(Endpoint("http", "127.0.0.1", listener.getsockname()[1]), connect_seconds=0.3) as gateway:
            outcome = gateway.send(batch)
    assert outcome.verdict is CallVerdict.UNREACHABLE
    assert outcome.detail.endswith("within 0.3 s")


def test_a_connection_closed_during_the_wait_is_unreachable(serve: Serve, batch: BatchSend) -> None:
    """Noticed before a byte is written, it proves that nothing was sent."""
    server = serve(lambda _connection, _server: None)  # hangs up at once
    outcome = _send(server, batch, before_write=lambda: _assert(server.finished.wait(LONGEST_WAIT)))
    assert outcome.verdict is CallVerdict.UNREACHABLE
    assert "while the call waited" in outcome.detail


def test_a_server_that_speaks_first_gets_no_call(serve: Serve, batch: BatchSend) -> None:
    """Its words can't be the answer to the call; they may be a request timeout."""

    def speak_first(connection: socket.socket, server: Server) -> None:
        connection.sendall(http_answer(b"", status="408 Request Timeout"))
        server.finished.set()
        server.arrived.append(read_request(connection))

    server = serve(speak_first)
    outcome = _send(server, batch, before_write=lambda: _assert(server.finished.wait(LONGEST_WAIT)))
    assert outcome.verdict is CallVerdict.UNREACHABLE


def test_a_failing_source_of_credentials_prevents_the_call(serve: Serve, batch: BatchSend) -> None:
    """A refresh may succeed a moment later, so it's an outcome, like a failed connection."""

    def no_credentials() -> Credentials:
        raise InputError("the Alibaba Cloud credentials could not be read")

    server, turn = serve(answer_with(WHOLE)), Count()
    with Gateway(server.endpoint, no_credentials) as gateway:
        outcome = gateway.send(batch, before_write=turn)
    assert (outcome.verdict, outcome.reason) == (CallVerdict.UNREACHABLE, "no_credentials")
    assert (server.connections, turn.calls) == (0, 0)


# The turn


def test_a_call_waits_for_its_turn_on_an_open_connection(serve: Serve, batch: BatchSend) -> None:
    """The client connects first, and writes nothing until `before_write` returns; it's called once."""
    accepted, may_go, calls = threading.Event(), threading.Event(), Count()

    def watch(connection: socket.socket, server: Server) -> None:
        connection.setblocking(False)
        accepted.set()
        assert may_go.wait(LONGEST_WAIT)
        connection.settimeout(5)
        server.arrived.append(read_request(connection))
        connection.sendall(WHOLE)

    server = serve(watch)

    def wait_for_the_turn() -> None:
        calls()
        assert accepted.wait(LONGEST_WAIT)
        assert server.arrived == []
        may_go.set()

    assert _send(server, batch, before_write=wait_for_the_turn).verdict is CallVerdict.ACCEPTED
    assert calls.calls == 1


def test_after_write_is_called_when_a_call_is_written(serve: Serve, batch: BatchSend) -> None:
    """After the turn and before the answer: this gateway answers only once it has been called."""
    order: list[str] = []
    said = threading.Event()

    def answer_when_it_is_said(connection: socket.socket, _server: Server) -> None:
        read_request(connection)
        assert said.wait(LONGEST_WAIT)
        order.append("answer")
        connection.sendall(WHOLE)

    def after_write() -> None:
        order.append("written")
        said.set()

    with _gateway(serve(answer_when_it_is_said).endpoint) as gateway:
        outcome = gateway.send(batch, before_write=lambda: order.append("turn"), after_write=after_write)
    assert outcome.verdict is CallVerdict.ACCEPTED
    assert order == ["turn", "written", "answer"]


class Stopped(BaseException):
    """Like KeyboardInterrupt, which must also pass through."""


@pytest.mark.parametrize(
    "kind", [RuntimeError, Stopped, KeyboardInterrupt, InputError, httpx.ReadTimeout, StopIteration]
)
def test_an_error_of_before_write_prevents_the_call_and_passes_through_unchanged(
    serve: Serve, batch: BatchSend, kind: type[BaseException]
) -> None:
    """The same object, including its cause; no byte is written."""
    cause = ValueError("why")
    error = kind("stop")
    error.__cause__ = cause

    def refuse() -> None:
        raise error

    server = serve(_read_then_close)
    with _gateway(server.endpoint) as gateway, pytest.raises(kind) as caught:
        gateway.send(batch, before_write=refuse)
    assert caught.value is error
    assert caught.value.__cause__ is cause
    assert server.finished.wait(LONGEST_WAIT)
    assert server.arrived == [b""]


def test_a_wait_longer_than_the_timeouts_is_no_timeout(serve: Serve, batch: BatchSend) -> None:
    """The timeout of the answer starts when the call is written."""
    never = threading.Event()
    outcome = _send(
        serve(answer_with(WHOLE)),
        batch,
        before_write=lambda: _assert(not never.wait(1.5)),
        read_seconds=1.2,
        connect_seconds=1.2,
    )
    assert outcome.verdict is CallVerdict.ACCEPTED


def test_a_transport_cannot_write_a_call_twice(serve: Serve, batch: BatchSend) -> None:
    """A transport's own retry is stopped before it's written, and the call is unclear."""

    class Retrying(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return super().handle_request(request)
            except httpx.TransportError:
                return super().handle_request(request)

    server, turn = serve(_read_then_close), Count()
    outcome = _send(server, batch, before_write=turn, transport=Retrying())
    assert (outcome.verdict, outcome.reason) == NO_REPLY
    assert turn.calls == 1
    assert [request for request in server.arrived if request] == server.arrived[:1]


def test_a_transport_that_does_not_report_the_write_is_an_error(serve: Serve, batch: BatchSend) -> None:
    """A call that didn't wait for its turn must not count as a good one."""

    class Hiding(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.extensions.pop("trace")
            return super().handle_request(request)

    with pytest.raises(RuntimeError, match="without waiting for its turn"):
        _send(serve(answer_with(WHOLE)), batch, transport=Hiding())
    outcome = _send(serve(_read_then_close), batch, transport=Hiding())
    assert (outcome.verdict, outcome.reason) == NO_REPLY


def test_the_write_starts_when_another_transport_gets_the_call(batch: BatchSend) -> None:
    """A mock transport has no connection to wait on."""
    order: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        order.append("handed over")
        assert "trace" not in request.extensions
        return httpx.Response(200, content=OK_BODY)

    with _gateway(Endpoint("https", "gateway.example"), transport=httpx.MockTransport(answer)) as gateway:
        outcome = gateway.send(batch, before_write=lambda: order.append("turn"))
    assert order == ["turn", "handed over"]
    assert outcome.verdict is CallVerdict.ACCEPTED


def test_any_failure_of_another_transport_is_unclear(batch: BatchSend) -> None:
    """Once such a transport has the call, no error of it proves anything."""
    for error in (httpx.ConnectError("x"), httpx.ReadTimeout("x"), ValueError(NUMBERS[0]), OSError("x")):

        def fail(_: httpx.Request, error: Exception = error) -> httpx.Response:
            raise error

        with _gateway(Endpoint("https", "gateway.example"), transport=httpx.MockTransport(fail)) as gateway:
            outcome = gateway.send(batch)
        assert (outcome.verdict, outcome.reason) == NO_REPLY
        assert NUMBERS[0] not in outcome.detail


def test_an_interrupt_in_the_air_passes_through(batch: BatchSend) -> None:
    """Ctrl-C isn't an outcome."""

    def interrupt(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with (
        _gateway(Endpoint("https", "gateway.example"), transport=httpx.MockTransport(interrupt)) as gateway,
        pytest.raises(KeyboardInterrupt),
    ):
        gateway.send(batch)


# TLS and proxies


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and gateway.example with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("gateway.example"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def _server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _trusting(certificate: Path) -> httpx.HTTPTransport:
    return httpx.HTTPTransport(verify=ssl.create_default_context(cafile=str(certificate)))


def test_a_server_with_an_untrusted_certificate_gets_no_call(serve: Serve, batch: BatchSend, certificate: Path) -> None:
    """Verification is always on, even on loopback."""
    server, turn = serve(_read_then_close, tls=_server_context(certificate)), Count()
    with _gateway(Endpoint("https", "127.0.0.1", server.port)) as gateway:
        outcome = gateway.send(batch, before_write=turn)
    assert outcome.verdict is CallVerdict.UNREACHABLE
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.detail
    assert (server.arrived, turn.calls) == ([], 0)


def test_a_call_goes_over_tls_after_its_turn(serve: Serve, batch: BatchSend, certificate: Path) -> None:
    """Session tickets that arrive during the wait don't count as a closed connection."""
    handshake = threading.Event()

    def answer(connection: socket.socket, server: Server) -> None:
        handshake.set()
        answer_with(WHOLE)(connection, server)

    server, turn = serve(answer, tls=_server_context(certificate)), Count()

    def wait_for_the_turn() -> None:
        turn()
        assert handshake.wait(LONGEST_WAIT)

    with _gateway(Endpoint("https", "127.0.0.1", server.port), transport=_trusting(certificate)) as gateway:
        outcome = gateway.send(batch, before_write=wait_for_the_turn)
    assert (outcome.verdict, turn.calls) == (CallVerdict.ACCEPTED, 1)


def test_a_tls_connection_closed_during_the_wait_is_unreachable(
    serve: Serve, batch: BatchSend, certificate: Path
) -> None:
    """Even if session tickets arrive first."""
    server = serve(lambda _connection, _server: None, tls=_server_context(certificate))
    with _gateway(Endpoint("https", "127.0.0.1", server.port), transport=_trusting(certificate)) as gateway:
        outcome = gateway.send(batch, before_write=lambda: _assert(server.finished.wait(LONGEST_WAIT)))
    assert outcome.verdict is CallVerdict.UNREACHABLE


def test_a_plain_http_server_behind_an_https_endpoint_is_unreachable(serve: Serve, batch: BatchSend) -> None:
    """A failed handshake proves that nothing was sent."""
    server = serve(lambda connection, _server: connection.sendall(WHOLE))
    with _gateway(Endpoint("https", "127.0.0.1", server.port)) as gateway:
        assert gateway.send(batch).verdict is CallVerdict.UNREACHABLE


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(answer_with(http_answer(b"", status="403 Forbidden")), id="refuses"),
        pytest.param(answer_with(http_answer(b"", status="502 Bad Gateway")), id="cannot"),
        pytest.param(_read_then_close, id="closes"),
        pytest.param(_read_then_reset, id="resets"),
        pytest.param(_never_answer, id="never answers"),
        pytest.param(answer_with(b"nonsense\r\n\r\n"), id="speaks something else"),
    ],
)
def test_a_proxy_that_does_not_connect_is_unreachable(
    serve: Serve, batch: BatchSend, monkeypatch: pytest.MonkeyPatch, handler: Handler
) -> None:
    """Asking a proxy to connect isn't the call: no turn is taken, and nothing of the call is written."""
    proxy, turn = serve(handler), Count()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    with _gateway(Endpoint("https", "gateway.example"), read_seconds=0.3) as gateway:
        outcome = gateway.send(batch, before_write=turn)
    assert outcome.verdict is CallVerdict.UNREACHABLE
    assert turn.calls == 0
    assert len(proxy.arrived) == 1
    assert proxy.arrived[0].startswith(b"CONNECT gateway.example:443 ")


def test_a_call_through_a_proxy_waits_for_its_turn_behind_it(
    serve: Serve, batch: BatchSend, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    """It waits once, on the gateway's own TLS connection; the operator's certificate store is used."""

    def connect_then_be_the_gateway(connection: socket.socket, server: Server) -> None:
        server.arrived.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with _server_context(certificate).wrap_socket(connection, server_side=True) as tunnel:
            server.arrived.append(read_request(tunnel))
            tunnel.sendall(WHOLE)

    proxy = serve(connect_then_be_the_gateway)
    seen: list[int] = []
    written = Count()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with _gateway(Endpoint("https", "gateway.example")) as gateway:
        outcome = gateway.send(batch, before_write=lambda: seen.append(len(proxy.arrived)), after_write=written)
    assert outcome.verdict is CallVerdict.ACCEPTED
    assert seen == [1]
    assert written.calls == 1  # the CONNECT request doesn't count
    assert proxy.arrived[1].startswith(b"POST / HTTP/1.1\r\n")


def test_a_loopback_endpoint_is_never_reached_through_a_proxy(
    serve: Serve, batch: BatchSend, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    """The sandbox works in a shell with a proxy configured."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    assert _send(serve(answer_with(WHOLE)), batch).verdict is CallVerdict.ACCEPTED


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "gopher://127.0.0.1:1"])
def test_an_unusable_proxy_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """One line names the variables."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(InputError, match="HTTPS_PROXY"):
        _gateway(Endpoint("https", "gateway.example"))


def test_the_errors_of_a_call_show_no_secret(serve: Serve, batch: BatchSend) -> None:
    """Neither outcome nor gateway, however they're logged."""
    server = serve(_read_then_close)
    with _gateway(server.endpoint) as gateway:
        outcome = gateway.send(batch)
        for text in (repr(outcome), repr(gateway), str(vars(gateway))):
            assert "the-secret-of-tests" not in text
            assert not any(number in text for number in NUMBERS)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
def test_an_aborted_call_ends_at_once_and_is_unclear(
    serve: Serve, batch: BatchSend, certificate: Path, *, encrypted: bool
) -> None:
    """A cancelled run has only seconds to end; calls in the air may have been sent."""
    read = threading.Event()

    def read_and_wait(connection: socket.socket, server: Server) -> None:
        server.arrived.append(read_request(connection))
        read.set()
        connection.recv(1)

    if encrypted:
        server = serve(read_and_wait, tls=_server_context(certificate))
        endpoint, options = Endpoint("https", "127.0.0.1", server.port), {"transport": _trusting(certificate)}
    else:
        server = serve(read_and_wait)
        endpoint, options = server.endpoint, {}
    with _gateway(endpoint, **options) as gateway, ThreadPoolExecutor(1) as pool:
        future = pool.submit(gateway.send, batch)
        assert read.wait(LONGEST_WAIT)
        gateway.abort()
        outcome = future.result(timeout=LONGEST_WAIT)
    assert (outcome.verdict, outcome.reason) == NO_REPLY
