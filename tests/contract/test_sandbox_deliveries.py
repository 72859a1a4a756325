"""Deliveries over real sockets: queries through the official SDK, receipts, and their pushes."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from alibabacloud_dysmsapi20180501 import models
from alibabacloud_dysmsapi20180501.client import Client
from alibabacloud_tea_openapi.models import Config
from pydantic import SecretStr

from globe_sms.deployments.sandbox.gateway.delivery_receipts import Way
from globe_sms.deployments.sandbox.gateway.settings import Account, GatewaySettings
from globe_sms.deployments.sandbox.gateway_server import GatewayServer
from globe_sms.deployments.sandbox.receipt_files import write_receipts
from globe_sms.tasks.gateway import BatchSend, Credentials, Endpoint, Gateway, MessageType
from globe_sms.tasks.gateway.signature import AcsV3Auth
from tests.waiting import LONGEST_WAIT, await_event

ONE = Account(key_id="LTAIone", secret="one-secret", calls_per_second=1000)
TWO = Account(key_id="LTAItwo", secret="two-secret", calls_per_second=1000)
AT_ONCE = {"low": 0, "high": 0, "visible_after": 0, "undelivered": 0, "expired": 0}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    """One gateway process for all tests of this module."""
    log = tmp_path_factory.mktemp("gateway") / "arrivals.ndjson"
    with GatewayServer(GatewaySettings(accounts=(ONE, TWO), log_messages=True), log=log) as running:
        yield running


@pytest.fixture
def gateway(server: GatewayServer) -> GatewayServer:
    """The gateway with empty logs, no faults and no latency, whose messages are delivered at once."""
    server.reset()
    server.set_deliveries(**AT_ONCE)
    return server


def credentials(account: Account) -> Credentials:
    return Credentials(account.key_id, SecretStr(account.secret))


def send(gateway: GatewayServer, count: int = 3, *, task_id: str = "c-0-1", first: int = 6581000000) -> list[str]:
    """Send a batch and return the MessageIds from the gateway's log, whatever the answer."""
    numbers = tuple(str(number) for number in range(first, first + count))
    with Gateway(Endpoint.parse(gateway.endpoint), lambda: credentials(ONE)) as client:
        texts = tuple(f"Hello {number}" for number in numbers)
        client.send(BatchSend(numbers=numbers, messages=texts, type=MessageType.NOTIFY, task_id=task_id))
    return list(gateway.log()[-1].accepted.values())


def ask(gateway: GatewayServer, message_id: str, account: Account = ONE) -> dict[str, Any]:
    """Ask like the official SDK, and return the answer's body."""
    config = Config(
        access_key_id=account.key_id,
        access_key_secret=account.secret,
        endpoint=gateway.endpoint.removeprefix("http://"),
        protocol="http",
    )
    return Client(config).query_message(models.QueryMessageRequest(message_id=message_id)).body.to_map()


def test_the_official_sdk_reads_all_documented_fields_of_a_delivered_message(gateway: GatewayServer) -> None:
    message_id = send(gateway)[0]
    body = ask(gateway, message_id)
    assert body.pop("RequestId")
    assert parsedate_to_datetime(body["ReceiveDate"]) >= parsedate_to_datetime(body.pop("SendDate"))
    assert body.pop("ReceiveDate").endswith(" +0800")
    assert body == {
        "ResponseCode": "OK",
        "ResponseDescription": "The SMS Send Request was accepted",
        "MessageId": message_id,
        "To": "6581000000",
        "Message": "Hello 6581000000",
        "Status": "1",
        "ErrorCode": "DELIVERED",
        "ErrorDescription": "success",
        "NumberDetail": {"Carrier": "SG Mobile", "Region": "SG", "Country": "Singapore"},
    }


@pytest.mark.parametrize(
    ("fates", "status", "code"),
    [
        ({"undelivered": 1, "codes": ["REJECTD"]}, "2", "REJECTD"),
        ({"expired": 1}, "2", "EXPIRED"),
        ({"never_reported": 1}, "3", None),
        ({"low": 600, "high": 600}, "3", None),
    ],
)
def test_a_query_returns_the_fate(gateway: GatewayServer, fates: dict[str, Any], status: str, code: str | None) -> None:
    gateway.set_deliveries(**{**AT_ONCE, **fates})
    body = ask(gateway, send(gateway)[0])
    assert (body["Status"], body.get("ErrorCode")) == (status, code)
    assert ("ReceiveDate" in body) == (code is not None)


def test_a_query_finds_only_visible_messages_of_its_own_account(gateway: GatewayServer) -> None:
    seen = send(gateway)[0]
    gateway.set_deliveries(**{**AT_ONCE, "visible_after": 600})
    unseen = send(gateway)[0]
    answers = [ask(gateway, unseen), ask(gateway, seen, TWO), ask(gateway, "1"), ask(gateway, "x")]
    codes = [body["ResponseCode"] for body in answers]
    assert codes == ["DATA_NOT_EXIST", "DATA_NOT_EXIST", "DATA_NOT_EXIST", "INVALID_PARAMETERS"]
    assert [query.message_id for query in gateway.queries()] == [unseen, seen, "1", "x"]


def test_more_than_300_queries_in_a_second_are_throttled(gateway: GatewayServer) -> None:
    message_id = send(gateway)[0]

    async def ask_many() -> list[str]:
        async with httpx.AsyncClient(trust_env=False, auth=AcsV3Auth(lambda: credentials(ONE))) as client:
            answers = [
                client.post(
                    gateway.endpoint,
                    data={"MessageId": quote_plus(message_id)},
                    headers={
                        "accept": "application/json",
                        "x-acs-action": "QueryMessage",
                        "x-acs-version": "2018-05-01",
                    },
                    timeout=LONGEST_WAIT,
                )
                for _ in range(330)
            ]
            bodies = [answer.json() for answer in await asyncio.gather(*answers)]
        return [body.get("ResponseCode") or body["Code"] for body in bodies]

    codes = Counter(asyncio.run(ask_many()))
    stats = gateway.query_stats()
    admitted = sorted(query.monotonic for query in gateway.queries() if query.admitted)
    assert stats.admitted == codes["OK"] == len(admitted)
    assert stats.throttled == codes["Throttling.User"]
    assert all(later - earlier >= 1 for earlier, later in zip(admitted, admitted[300:], strict=False))


@pytest.mark.parametrize("kind", ["accept_then_drop", "http_500", "hang"])
def test_a_message_whose_call_got_no_answer_has_a_fate_and_a_receipt_too(gateway: GatewayServer, kind: str) -> None:
    """It settles what the caller can't know."""
    gateway.add_fault(kind, next=1)
    if kind == "hang":  # the test doesn't wait a minute for it
        timer = threading.Timer(0.5, gateway.clear_faults)
        timer.start()
        numbers = ("6581000000",)
        with Gateway(Endpoint.parse(gateway.endpoint), lambda: credentials(ONE), read_seconds=0.5) as client:
            client.send(BatchSend(numbers=numbers, messages=("Hi",), type=MessageType.NOTIFY, task_id="c-7-100"))
        timer.join()
    else:
        send(gateway, task_id="c-7-100")
    ids = list(gateway.log()[-1].accepted.values())
    assert {receipt["MessageId"] for receipt in gateway.receipts()} == set(ids)
    assert {receipt["TaskId"] for receipt in gateway.receipts()} == {"c-7-100"}


def test_the_same_seed_gives_the_same_fates(gateway: GatewayServer) -> None:
    """By number and TaskId, even if ids and times differ."""
    shares = {**AT_ONCE, "undelivered": 0.3, "expired": 0.2, "never_reported": 0.1}
    gateway.set_deliveries(**shares, seed=5)
    send(gateway, 200)
    send(gateway, 200)
    fates = [(record["number"], record["fate"], record["code"]) for record in gateway.deliveries()]
    assert fates[:200] == fates[200:]
    counted = Counter(fate for _, fate, _ in fates[:200])
    assert 30 < counted["undelivered"] < 90
    assert 20 < counted["expired"] < 60
    gateway.set_deliveries(**shares, seed=6)
    send(gateway, 200)
    assert [(r["number"], r["fate"], r["code"]) for r in gateway.deliveries()][400:] != fates[:200]


def test_a_kill_loses_no_message_and_changes_no_fate(gateway: GatewayServer) -> None:
    gateway.set_deliveries(**{**AT_ONCE, "undelivered": 0.5}, seed=3)
    send(gateway, 50)
    gateway.set_deliveries(**{**AT_ONCE, "expired": 0.5}, seed=4)
    send(gateway, 50)
    before = list(gateway.deliveries()), list(gateway.receipts())
    gateway.kill()
    gateway.start_again()
    assert (list(gateway.deliveries()), list(gateway.receipts())) == before
    send(gateway, 50, first=6582000000)
    assert {record["fate"] for record in list(gateway.deliveries())[100:]} == {"delivered", "expired"}


def test_receipts_are_late_doubled_or_lost_in_the_configured_shares(gateway: GatewayServer) -> None:
    ids = send(gateway, 250)
    come = Counter(receipt["MessageId"] for receipt in gateway.receipts(Way(doubled=0.4, lost=0.2, late_seconds=0)))
    assert 25 < len(ids) - len(come) < 80
    assert 50 < sum(count == 2 for count in come.values()) < 110
    late = list(gateway.receipts(Way(late=0.5, late_seconds=3600)))
    assert 90 < len(late) < 170


def test_a_gateway_without_logged_numbers_says_that_it_has_no_deliveries() -> None:
    with GatewayServer(GatewaySettings(accounts=(ONE,), log_numbers=False)) as running:
        answer = httpx.get(f"{running.endpoint}/_sandbox/deliveries", trust_env=False)
        assert answer.status_code == 409
        assert "log_numbers" in answer.json()["error"]


class _Taker:
    """A receiver of pushes that gives the configured answers, then the documented one."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.bodies: list[Any] = []
        waiting = list(answers)
        taker = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                taker.bodies.append(json.loads(body))
                status, text = waiting.pop(0) if waiting else (200, b'{"code":0,"msg":"ok"}')
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/secret"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def taker() -> Iterator[Callable[..., _Taker]]:
    """A factory of receivers."""
    made: list[_Taker] = []

    def make(*answers: tuple[int, bytes]) -> _Taker:
        made.append(_Taker(*answers))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_receipts_are_pushed_in_arrays_with_the_documented_fields(
    gateway: GatewayServer, taker: Callable[..., _Taker]
) -> None:
    ids = send(gateway, 5, task_id="c-3-100")
    receiver = taker()
    gateway.push_receipts(receiver.url, per_push=2)
    later = send(gateway, 2, task_id="c-4-100")
    await_event(lambda: sum(map(len, receiver.bodies)) == 7, "all receipts")
    pushed = [receipt for body in receiver.bodies for receipt in body]
    assert max(map(len, receiver.bodies)) == 2
    assert {receipt["MessageId"] for receipt in pushed} == {*ids, *later}
    one = next(receipt for receipt in pushed if receipt["MessageId"] == ids[0])
    assert one.pop("SendDate").endswith("+0800")
    assert one.pop("ReceiveDate").endswith("+0800")
    assert one == {
        "To": "6581000000",
        "Status": "1",
        "ErrorCode": "success",
        "ErrorDescription": "success",
        "TaskId": "c-3-100",
        "SmsSize": "1",
        "MessageId": ids[0],
    }


def test_a_push_is_repeated_until_it_is_taken(gateway: GatewayServer, taker: Callable[..., _Taker]) -> None:
    """Neither HTTP 200 alone nor the code alone is enough."""
    send(gateway, 3)
    receiver = taker((200, b'{"code":1,"msg":"no"}'), (500, b'{"code":0,"msg":"ok"}'))
    gateway.push_receipts(receiver.url, retry_after=(0.01, 0.01))
    await_event(lambda: any(push.taken for push in gateway.pushes()), "a taken push")
    assert [(push.attempt, push.status, push.taken) for push in gateway.pushes()] == [
        (1, 200, False),
        (2, 500, False),
        (3, 200, True),
    ]
    assert receiver.bodies[0] == receiver.bodies[1] == receiver.bodies[2]


def test_a_push_is_given_up_after_three_tries(gateway: GatewayServer, taker: Callable[..., _Taker]) -> None:
    send(gateway, 1)
    receiver = taker(*[(200, b"not json")] * 3)
    gateway.push_receipts(receiver.url, retry_after=(0.01, 0.01))
    await_event(lambda: any(push.given_up for push in gateway.pushes()), "the end of the tries")
    assert len(receiver.bodies) == 3


@pytest.mark.parametrize("form", ["ndjson", "array"])
def test_receipts_are_written_to_files(gateway: GatewayServer, tmp_path: Path, form: Any) -> None:
    ids = send(gateway, 25)
    paths = write_receipts(gateway.receipts(), str(tmp_path), form=form, per_file=10, shuffled=1)
    assert len(paths) == 3
    texts = [Path(path).read_text() for path in paths]
    read = [
        receipt
        for text in texts
        for receipt in (json.loads(text) if form == "array" else map(json.loads, text.splitlines()))
    ]
    assert [receipt["MessageId"] for receipt in read] != ids
    assert sorted(receipt["MessageId"] for receipt in read) == ids
