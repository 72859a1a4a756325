"""The sandbox gateway over real sockets: compatible with the official SDK, strict, and faulty on request."""

import hashlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
import pytest
from alibabacloud_dysmsapi20180501 import models
from alibabacloud_dysmsapi20180501.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ThrottlingException
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_openapi.utils import Utils

from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from globe_sms.deployments.sandbox.gateway.fault_rules import FaultRule
from globe_sms.deployments.sandbox.gateway.settings import Account, GatewaySettings
from globe_sms.deployments.sandbox.gateway_server import GatewayControl, GatewayServer
from tests.waiting import LONGEST_WAIT, await_event

FAST = Account(key_id="LTAIfast", secret="fast-secret", calls_per_second=1000)
STS = Account(key_id="STS.test", secret="sts-secret", token="sts/token+with==", calls_per_second=1000)
TEN = Account(key_id="LTAIten", secret="ten-secret", calls_per_second=10)
WAITS = Account(key_id="LTAIwaits", secret="waits-secret", retry_after_ms=1500)
BUSY = Account(key_id="LTAIbusy", secret="busy-secret", throttle_as="business")
LARGE = Account(key_id="LTAIlarge", secret="large-secret", calls_per_second=1000, numbers_per_call=1000)
ACCOUNTS = (FAST, STS, TEN, WAITS, BUSY, LARGE)

TOO_MANY = [str(number) for number in range(6590000000, 6590000251)]

_numbers = itertools.count(6580000000)


def fresh(count: int = 3) -> list[str]:
    """Return numbers that no other test sends."""
    return [str(next(_numbers)) for _ in range(count)]


def parameters(numbers: list[str], **changes: str) -> dict[str, str]:
    """Return the parameters of a valid call, with changes."""
    messages = json.dumps([f"Hello {number} ~*+%20 é😀" for number in numbers], ensure_ascii=False)
    return {"To": json.dumps(numbers), "Message": messages, "Type": "NOTIFY", "TaskId": "c-0-1", **changes}


def headers_for(body: bytes, host: str, account: Account, **changes: str) -> dict[str, str]:
    """Return the headers of a form call, signed by the official SDK's code."""
    headers = {
        "host": host,
        "accept": "application/json",
        "content-type": "application/x-www-form-urlencoded",
        "x-acs-action": "BatchSendMessageToGlobe",
        "x-acs-version": "2018-05-01",
        "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": os.urandom(16).hex(),
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        **({"x-acs-security-token": account.token} if account.token else {}),
        **changes,
    }
    request = SimpleNamespace(method="POST", pathname="/", query={}, headers=headers)
    digest = headers["x-acs-content-sha256"]
    signed = Utils.get_authorization(request, "ACS3-HMAC-SHA256", digest, account.key_id, account.secret)
    return {**headers, "authorization": signed}


def post(
    gateway: GatewayControl, sent: dict[str, str], account: Account = FAST, *, wait: float = 5, **changes: str
) -> httpx.Response:
    """Post a signed call on its own connection."""
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in sent.items()).encode()
    headers = headers_for(body, urlsplit(gateway.endpoint).netloc, account, **changes)
    return httpx.post(gateway.endpoint, content=body, headers=headers, timeout=wait, trust_env=False)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Return an answer's HTTP status and code."""
    body = answer.json()
    return answer.status_code, body.get("ResponseCode") or body["Code"]


@pytest.fixture(scope="module")
def server() -> Iterator[GatewayServer]:
    """One gateway process for all tests of this module."""
    with GatewayServer(GatewaySettings(accounts=ACCOUNTS)) as running:
        yield running


@pytest.fixture
def gateway(server: GatewayServer) -> GatewayServer:
    """The gateway with an empty log, no faults and no latency."""
    server.reset()
    return server


@pytest.fixture
def sdk(gateway: GatewayServer) -> Callable[..., dict[str, str]]:
    """The official SDK's client: sends a batch to the gateway and returns the answer's body."""

    def send(numbers: list[str], account: Account = FAST, **options: Any) -> dict[str, str]:
        config = Config(
            access_key_id=account.key_id,
            access_key_secret=account.secret,
            security_token=account.token,
            endpoint=urlsplit(gateway.endpoint).netloc,
            protocol="HTTP",
        )
        request = models.BatchSendMessageToGlobeRequest(
            to=json.dumps(numbers),
            message=json.dumps([f"Hello & ~*+%20 é😀 {number}" for number in numbers], ensure_ascii=False),
            **{"type": "NOTIFY", **options},
        )
        return Client(config).batch_send_message_to_globe(request).body.to_map()

    return send


@pytest.mark.parametrize("account", [FAST, STS], ids=["plain key", "sts token"])
def test_the_official_sdk_is_understood(
    gateway: GatewayServer, sdk: Callable[..., dict[str, str]], account: Account
) -> None:
    """Its query form with plus for spaces is valid, and its models read the answer."""
    numbers = fresh()
    body = sdk(numbers, account, task_id="c-0-1", from_="Alicloud321", validity_period=600)
    assert (body["ResponseCode"], body["From"], body["SuccessCount"]) == ("OK", "Alicloud321", "3")
    (arrival,) = gateway.log()
    assert list(arrival.accepted) == numbers
    assert json.loads(body["MessageIdList"]) == list(arrival.accepted.values())
    assert (arrival.key_id, arrival.task_id, arrival.validity) == (account.key_id, "c-0-1", 600)


def test_the_official_sdk_sends_a_thousand_numbers(sdk: Callable[..., dict[str, str]]) -> None:
    """Its very long request lines are read."""
    assert sdk(fresh(1000), LARGE)["SuccessCount"] == "1000"


def test_the_official_sdk_reads_a_business_error(sdk: Callable[..., dict[str, str]]) -> None:
    """It returns normally, with the code in the body."""
    assert sdk(["8613123456789"])["ResponseCode"] == "NOT_SUPPORTED_COUNTRY"


def test_the_official_sdk_reads_a_gateway_error(sdk: Callable[..., dict[str, str]]) -> None:
    """It raises, with the code."""
    with pytest.raises(ClientException) as caught:
        sdk(fresh(), Account(key_id="LTAIfast", secret="wrong"))
    assert caught.value.code == "SignatureDoesNotMatch"


def test_the_official_sdk_reads_how_long_to_wait(sdk: Callable[..., dict[str, str]]) -> None:
    """The header x-acs-retry-after becomes the SDK's own throttling error, in milliseconds."""
    sdk(fresh(), WAITS)
    with pytest.raises(ThrottlingException) as caught:
        sdk(fresh(), WAITS)
    assert (caught.value.code, caught.value.retry_after) == ("Throttling.User", 1500)


def test_a_form_body_is_understood(gateway: GatewayServer) -> None:
    """The parameters may be in the body."""
    numbers = fresh()
    answer = post(gateway, parameters(numbers))
    assert code_of(answer) == (200, "OK")
    assert {type(value) for value in answer.json().values()} == {str}
    assert list(gateway.log()[0].accepted) == numbers


@pytest.mark.parametrize(
    ("changes", "headers", "expected"),
    [
        ({}, {"x-acs-action": "SendMessageToGlobe"}, (404, "InvalidAction.NotFound")),
        ({}, {"x-acs-version": "2017-05-25"}, (400, "InvalidVersion")),
        ({}, {"x-acs-date": "2020-01-01T00:00:00Z"}, (400, "InvalidTimeStamp.Expired")),
        ({}, {"x-acs-date": "today"}, (400, "InvalidTimeStamp.Format")),
        ({}, {"x-acs-content-sha256": "0" * 64}, (400, "SignatureDoesNotMatch")),
        ({}, {"x-acs-security-token": "nobody's"}, (400, "InvalidSecurityToken.MismatchWithAccessKey")),
        ({}, {"content-type": "application/json"}, (400, "InvalidParameter")),
        ({"Unknown": "1"}, {}, (400, "InvalidParameter")),
        ({"From": "TwelveLetter"}, {}, (200, "INVALID_SENDERID")),
        ({"Message": '["one text"]'}, {}, (200, "INVALID_PARAMETERS")),
        ({"To": json.dumps(TOO_MANY)}, {}, (200, "MOBILE_COUNT_OVER_LIMIT")),
        ({"To": '["+6581234567"]', "Message": '["a"]'}, {}, (200, "MOBILE_NUMBER_ILLEGAL")),
        ({"To": '["12015550123"]', "Message": '["a"]'}, {}, (200, "NOT_SUPPORTED_COUNTRY")),
        ({"To": "6581234567"}, {}, (200, "INVALID_JSON_PARAM")),
        ({"Message": json.dumps(["x" * 1501] * 3)}, {}, (200, "PARAM_LENGTH_LIMIT")),
    ],
)  # fmt: skip
def test_a_call_that_breaks_a_rule_is_refused_and_not_accepted(
    gateway: GatewayServer, changes: dict[str, str], headers: dict[str, str], expected: tuple[int, str]
) -> None:
    """With the documented code, and the log says that nothing was accepted."""
    assert code_of(post(gateway, parameters(fresh(), **changes), **headers)) == expected
    (arrival,) = gateway.log()
    assert (arrival.code, arrival.accepted, arrival.accepted_count) == (expected[1], {}, 0)


def test_a_gateway_error_has_the_documented_keys(gateway: GatewayServer) -> None:
    """Code, Message, RequestId, HostId, Recommend; in XML under Error on request."""
    as_json = post(gateway, parameters(fresh()), Account(key_id="stranger", secret="s"))
    assert as_json.status_code == 404
    assert set(as_json.json()) == {"Code", "Message", "RequestId", "HostId", "Recommend"}
    as_xml = post(gateway, parameters(fresh()), Account(key_id="stranger", secret="s"), accept="application/xml")
    assert "<Error>" in as_xml.text
    assert "<Code>InvalidAccessKeyId.NotFound</Code>" in as_xml.text


def test_the_same_signed_bytes_are_accepted_once(gateway: GatewayServer) -> None:
    """A replay gets SignatureNonceUsed, and nothing is accepted."""
    sent, nonce = parameters(fresh()), {"x-acs-signature-nonce": "replayed"}
    assert code_of(post(gateway, sent, **nonce)) == (200, "OK")
    assert code_of(post(gateway, sent, **nonce)) == (400, "SignatureNonceUsed")
    assert gateway.stats().accepted_twice == 0


def test_impossible_numbers_come_back_in_the_failed_list(gateway: GatewayServer) -> None:
    """The call's other numbers are accepted."""
    (good,) = fresh(1)
    body = post(gateway, parameters(["658123", good, "9991234567"])).json()
    assert json.loads(body["FailedList"]) == ["658123", "9991234567"]
    assert (len(json.loads(body["MessageIdList"])), body["SuccessCount"]) == (1, "1")
    assert gateway.log()[0].failed == ["658123", "9991234567"]


def test_no_sliding_second_holds_more_than_the_rate(gateway: GatewayServer) -> None:
    """Of thirty calls at once against ten a second, ten are admitted, and the others accept nothing."""
    with ThreadPoolExecutor(30) as pool:
        codes = list(pool.map(lambda _: code_of(post(gateway, parameters(fresh()), TEN)), range(30)))
    stats = gateway.stats()
    assert stats.max_admitted_in_second <= 10
    assert codes.count((200, "OK")) == stats.admitted >= 10
    assert codes.count((400, "Throttling.User")) == stats.throttled == 30 - stats.admitted
    assert stats.accounts["LTAIten"]["calls"] == 30


def test_an_account_can_be_throttled_by_a_business_code(gateway: GatewayServer) -> None:
    """QPS_LIMIT_CONTROL with HTTP 200."""
    assert code_of(post(gateway, parameters(fresh()), BUSY)) == (200, "OK")
    assert code_of(post(gateway, parameters(fresh()), BUSY)) == (200, "QPS_LIMIT_CONTROL")


@pytest.mark.parametrize(
    ("kind", "seen", "accepted"),
    [
        ("accept_then_drop", httpx.RemoteProtocolError, 3),
        ("drop_before", httpx.RemoteProtocolError, 0),
        ("reset", httpx.ReadError, 3),
        ("truncate", httpx.RemoteProtocolError, 3),
    ],
)
def test_a_cut_connection_reaches_the_caller(
    gateway: GatewayServer, kind: str, seen: type[Exception], accepted: int
) -> None:
    """The caller sees it on its socket; the log has the accepted numbers."""
    gateway.add_fault(kind, next=1)
    with pytest.raises(seen):
        post(gateway, parameters(fresh()))
    (arrival,) = gateway.log()
    assert (arrival.fault, arrival.status, arrival.accepted_count) == (kind, None, accepted)
    assert code_of(post(gateway, parameters(fresh()))) == (200, "OK")


def test_half_an_answer_reaches_the_caller(gateway: GatewayServer) -> None:
    """A truncated answer has its status, its full length and half of its bytes."""
    gateway.add_fault("truncate")
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in parameters(fresh()).items()).encode()
    place = urlsplit(gateway.endpoint)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers_for(body, place.netloc, FAST).items())
    with socket.create_connection((place.hostname, place.port), timeout=LONGEST_WAIT) as raw:
        raw.sendall(f"POST / HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        received = b"".join(iter(lambda: raw.recv(65536), b""))
    answer_head, _, half = received.partition(b"\r\n\r\n")
    length = int(answer_head.lower().partition(b"content-length: ")[2].split()[0])
    assert answer_head.startswith(b"HTTP/1.1 200")
    assert len(half) == length // 2


def test_a_hanging_gateway_never_answers(gateway: GatewayServer) -> None:
    """The numbers are accepted and logged, and the call stays in the air until the caller leaves."""
    gateway.add_fault("hang", next=1)
    gone = threading.Event()

    def call() -> None:
        with pytest.raises(httpx.ReadTimeout):
            post(gateway, parameters(fresh()), wait=1.5)
        gone.set()

    thread = threading.Thread(target=call)
    thread.start()
    await_event(lambda: gateway.stats().accepted_numbers == 3, "the hanging call")
    post(gateway, parameters(fresh()))
    assert not gone.is_set()
    hanging, other = gateway.log()
    assert (hanging.fault, hanging.status, hanging.duration) == ("hang", None, None)
    assert other.in_air == 2
    thread.join()
    await_event(lambda: (post(gateway, parameters(fresh())), gateway.log()[-1].in_air)[1] == 1, "its end")


@pytest.mark.parametrize(
    ("rule", "status", "says", "accepted"),
    [
        (FaultRule(kind="http_500"), 500, '"Code": "InternalError"', 3),
        (FaultRule(kind="http_500", processed=False), 500, '"Code": "InternalError"', 0),
        (FaultRule(kind="http_503", processed=False), 503, '"Code": "ServiceUnavailable"', 0),
        (FaultRule(kind="html_502"), 502, "<html>", 3),
        (FaultRule(kind="html_502", processed=False), 502, "<html>", 0),
        (FaultRule(kind="broken_json"), 200, '{"ResponseCode": "OK"', 3),
        (FaultRule(kind="empty_body"), 200, "", 3),
        (FaultRule(kind="few_ids"), 200, '"SuccessCount": "3"', 3),
        (FaultRule(kind="many_ids"), 200, '"SuccessCount": "3"', 3),
        (FaultRule(kind="no_ids"), 200, '"MessageIdList": "[]"', 3),
        (FaultRule(kind="ids_shape", shape="array"), 200, '"FailedList": []', 3),
        (FaultRule(kind="ids_shape", shape="empty"), 200, '"MessageIdList": ""', 3),
        (FaultRule(kind="ids_shape", shape="null"), 200, '"MessageIdList": null', 3),
        (FaultRule(kind="failed_share", share=1), 200, '"SuccessCount": "0"', 0),
        (FaultRule(kind="failed_foreign"), 200, "99900000000", 3),
        (FaultRule(kind="throttle"), 400, '"Code": "Throttling.User"', 0),
        (FaultRule(kind="nonce_used"), 400, '"Code": "SignatureNonceUsed"', 0),
        (FaultRule(kind="clock"), 400, '"Code": "InvalidTimeStamp.Expired"', 0),
        (FaultRule(kind="code:AMOUNT_NOT_ENOUGH"), 200, '"ResponseCode": "AMOUNT_NOT_ENOUGH"', 0),
        (FaultRule(kind="code:SYSTEM_ERROR", processed=True), 200, '"ResponseCode": "SYSTEM_ERROR"', 3),
        (FaultRule(kind="gateway_code:Forbidden.RAM:403"), 403, '"Code": "Forbidden.RAM"', 0),
    ],
)  # fmt: skip
def test_every_fault_reaches_the_caller(
    gateway: GatewayServer, rule: FaultRule, status: int, says: str, accepted: int
) -> None:
    """As the table of faults says; the log has what really happened."""
    gateway.add_fault(rule)
    answer = post(gateway, parameters(fresh()))
    assert answer.status_code == status
    assert says in answer.text
    (arrival,) = gateway.log()
    assert (arrival.fault, arrival.accepted_count, arrival.status) == (rule.kind, accepted, status)


def test_a_throttling_fault_can_say_how_long_to_wait(gateway: GatewayServer) -> None:
    """In milliseconds, in the header that the SDK reads."""
    gateway.add_fault("throttle", retry_after_ms=700)
    assert post(gateway, parameters(fresh())).headers["x-acs-retry-after"] == "700"


def test_broken_json_cannot_be_read(gateway: GatewayServer) -> None:
    """It ends in the middle, but the HTTP answer is complete."""
    gateway.add_fault("broken_json")
    with pytest.raises(json.JSONDecodeError):
        post(gateway, parameters(fresh())).json()


def test_a_wrong_fault_is_refused(gateway: GatewayServer) -> None:
    """A misspelled kind must not look like a run without faults."""
    answer = httpx.post(f"{gateway.endpoint}/_sandbox/faults", json={"kind": "explode"}, trust_env=False)
    assert answer.status_code == 422
    assert gateway.faults() == []


def test_latency_delays_the_answer_and_not_the_acceptance(gateway: GatewayServer) -> None:
    """Calls overlap in the gateway, and are logged before their answers leave."""
    gateway.set_latency(2.0, 2.2)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(post, gateway, parameters(fresh())) for _ in range(8)]
        await_event(lambda: gateway.stats().accepted_numbers == 24, "eight acceptances")
        assert sum(call.done() for call in calls) < 8
        assert all(code_of(call.result()) == (200, "OK") for call in calls)
    assert time.monotonic() - started >= 2.0
    assert gateway.stats().max_in_air == 8
    assert all(arrival.duration and arrival.duration >= 2.0 for arrival in gateway.log())


def test_the_log_has_arrival_times_and_duplicates(gateway: GatewayServer) -> None:
    """Arrival times are between the caller's own, on both clocks; duplicates are counted."""
    numbers = fresh()
    wall, monotonic = time.time(), time.monotonic()
    post(gateway, parameters(numbers, TaskId="c-7-2", From="Shop"))
    post(gateway, parameters(numbers[:1]))
    first, second = gateway.log()
    assert wall <= first.wall <= second.wall <= time.time()
    assert monotonic <= first.monotonic <= second.monotonic <= time.monotonic()
    assert (first.sequence, second.sequence, first.task_id, first.sender) == (1, 2, "c-7-2", "Shop")
    assert (first.numbers, list(first.accepted)) == (numbers, numbers)
    stats = gateway.stats()
    assert (stats.calls, stats.accepted_numbers, stats.accepted_twice) == (2, 4, 1)
    assert [Arrival.read(line) for line in gateway.log_path.read_text().splitlines()] == [first, second]


def test_a_caller_that_leaves_before_its_body_ends_sends_nothing(gateway: GatewayServer) -> None:
    """The arrival is logged as broken off, with nothing accepted."""
    place = urlsplit(gateway.endpoint)
    with socket.create_connection((place.hostname, place.port), timeout=LONGEST_WAIT) as raw:
        raw.sendall(f"POST / HTTP/1.1\r\nhost: {place.netloc}\r\ncontent-length: 500\r\n\r\nTo=".encode())
    await_event(lambda: gateway.stats().calls == 1, "the broken call")
    assert (gateway.log()[0].code, gateway.log()[0].accepted_count) == ("broken_off", 0)


def test_a_killed_gateway_loses_nothing_and_continues() -> None:
    """Killed while a call waits for its answer: the acceptance is in the log, and the next start continues it."""
    with GatewayServer(GatewaySettings(accounts=ACCOUNTS)) as own:
        own.set_latency(30)
        numbers = fresh()
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(post, own, parameters(numbers))
            await_event(lambda: own.stats().accepted_numbers == 3, "the acceptance")
            own.kill()
            assert isinstance(call.exception(), httpx.TransportError)
        with pytest.raises(httpx.ConnectError):
            post(own, parameters(fresh()))
        own.start_again()
        assert code_of(post(own, parameters(numbers))) == (200, "OK")
        assert [list(arrival.accepted) for arrival in own.log()] == [numbers, numbers]
        assert own.stats().accepted_twice == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_the_gateway_does_not_outlive_its_owner(tmp_path: Path, number: signal.Signals) -> None:
    """However the owner ends, the process and its folder are removed; a requested log stays."""
    program = f"""
import threading
from pathlib import Path
from globe_sms.deployments.sandbox.gateway_server import GatewayServer
from globe_sms.deployments.sandbox.gateway.settings import Account, GatewaySettings
accounts = (Account(key_id="k", secret="s"),)
with GatewayServer(GatewaySettings(accounts=accounts), log=Path({str(tmp_path / "log")!r})) as server:
    print(server.pid, flush=True)
    threading.Event().wait()
"""
    folder = tmp_path / "tmp"
    folder.mkdir()
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    with owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        assert list(folder.iterdir())
        owner.send_signal(number)
        owner.wait()
    await_event(lambda: not Path(f"/proc/{pid}").exists(), "the gateway's end")
    await_event(lambda: not list(folder.iterdir()), "the folder's end")
    assert (tmp_path / "log").exists()


def test_no_secret_is_in_a_process_list_or_a_repr(server: GatewayServer) -> None:
    """Keys are passed in a file that only the owner can read."""
    command = Path(f"/proc/{server.pid}/cmdline").read_text()
    assert not any(account.secret in command or account.secret in repr(account) for account in ACCOUNTS)
    config = server.log_path.with_name("gateway.json")
    assert config.stat().st_mode & 0o077 == 0
