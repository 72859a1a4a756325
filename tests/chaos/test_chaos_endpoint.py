"""The endpoint of delivery receipts, killed again and again under load: what it acknowledged is in the store."""

import json
import queue
import random
import threading
import time
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from globe_sms.deployments.sandbox.flaky_s3_proxy import FlakyProxy, Trouble
from globe_sms.deployments.sandbox.s3_server import S3Server
from tests.chaos.long_form import LONG, dice
from tests.chaos.receipts_endpoint_process import Endpoint
from tests.waiting import LONGEST_WAIT, await_event

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 20 if LONG else 4
PUSHERS = 8
BUCKET = "tests"


class Pushers:
    """Threads that push receipts as fast as they are answered; `acknowledged` are the ids that were taken for kept."""

    def __init__(self, url: str, seed: int) -> None:
        self.acknowledged: set[str] = set()
        self.refused = 0
        self._url = url
        self._ids = (f"{number:020d}" for number in range(10**18, 10**18 + 10**9))
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._push_on, args=(random.Random(seed + place),), daemon=True)
            for place in range(PUSHERS)
        ]
        for thread in self._threads:
            thread.start()

    def _push_on(self, throw: random.Random) -> None:
        with httpx.Client(trust_env=False, timeout=15.0) as client:
            while not self._done.is_set():
                with self._lock:
                    ids = [next(self._ids) for _ in range(throw.randint(1, 60))]
                taken = self._push(client, ids)
                with self._lock:
                    if taken:
                        self.acknowledged.update(ids)
                    else:
                        self.refused += 1
                if not taken:
                    self._done.wait(0.02)

    def _push(self, client: httpx.Client, ids: list[str]) -> bool:
        receipts = [{"To": "6581234567", "MessageId": each, "Status": "1", "TaskId": "load-1-1"} for each in ids]
        try:
            answer = client.post(self._url, json=receipts)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and answer.json()["code"] == 0

    def count(self) -> int:
        """How many receipts have been acknowledged by now."""
        with self._lock:
            return len(self.acknowledged)

    def await_more(self, receipts: int, seconds: float = 60.0) -> None:
        """Wait until so many more have been acknowledged."""
        wanted, end = self.count() + receipts, time.monotonic() + seconds
        while self.count() < wanted:
            assert time.monotonic() < end, f"only {self.count()} of {wanted} receipts were acknowledged"
            self._done.wait(0.01)

    def stop(self) -> None:
        """Push no more; returns when the last answer has come."""
        self._done.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def road(s3_server: S3Server) -> Generator[FlakyProxy]:
    """The road to S3 that the endpoint takes; the judge has one of its own."""
    with FlakyProxy(s3_server.endpoint) as proxy:
        yield proxy


def stored(s3_server: S3Server, prefix: str) -> list[str]:
    """The message ids of every line of every object, read without any code of the product."""
    client = s3_server.client()
    ids: list[str] = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/2"):
        for entry in page.get("Contents", ()):
            body: bytes = client.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            lines: list[dict[str, Any]] = [json.loads(line) for line in body.splitlines()]
            ids.extend(line["MessageId"] for line in lines)
    return ids


def test_no_acknowledged_receipt_is_lost_however_often_the_endpoint_is_killed(
    s3_server: S3Server, tmp_path: Path
) -> None:
    """SIGKILL at instants drawn at random, under load from eight connections, and started again each time."""
    throw, seed = dice()
    prefix = f"receipts-{uuid.uuid4().hex}"
    with Endpoint(f"s3://{BUCKET}/{prefix}", s3_server.environment, tmp_path) as endpoint:
        pushers = Pushers(endpoint.url, throw.randrange(1 << 30))
        try:
            for _ in range(KILLS):
                pushers.await_more(1)
                threading.Event().wait(throw.uniform(0.0, 1.0))
                endpoint.kill()
                endpoint.start_again()
            pushers.await_more(200)
            endpoint.terminate()
        finally:
            pushers.stop()
        kept = stored(s3_server, prefix)
        print(f"{seed}: {KILLS} kills, {len(pushers.acknowledged)} acknowledged, {len(kept)} kept")  # noqa: T201
        assert pushers.refused, "no push met a kill"
        assert pushers.acknowledged - set(kept) == set(), seed
        assert "Traceback" not in endpoint.output, endpoint.output[-3_000:]
        assert endpoint.secret not in endpoint.output


def test_nothing_is_acknowledged_while_s3_is_gone_and_all_goes_on_when_it_is_back(
    s3_server: S3Server, road: FlakyProxy, tmp_path: Path
) -> None:
    """Writes that S3 refuses, writes whose answers are lost, and no S3 at all."""
    prefix = f"receipts-{uuid.uuid4().hex}"
    environment = {**s3_server.environment, "AWS_ENDPOINT_URL": road.endpoint}
    with Endpoint(f"s3://{BUCKET}/{prefix}", environment, tmp_path) as endpoint:
        pushers = Pushers(endpoint.url, 1)
        try:
            pushers.await_more(100)
            road.set_trouble(Trouble("lose_answer", method="PUT", probability=0.5, seed=1))
            pushers.await_more(100)
            road.set_trouble(Trouble("slow_down", method="PUT"))
            road.refuse()
            refused = pushers.refused
            while pushers.refused < refused + PUSHERS:
                assert endpoint.is_up()
            at_the_outage = pushers.count()
            while pushers.refused < refused + 3 * PUSHERS:
                assert endpoint.is_up()
            assert pushers.count() == at_the_outage
            road.accept()
            road.set_trouble()
            pushers.await_more(100)
        finally:
            pushers.stop()
        endpoint.terminate()
        assert pushers.acknowledged - set(stored(s3_server, prefix)) == set()
        assert endpoint.output.count("accepts receipts again") >= 1
        assert "Traceback" not in endpoint.output, endpoint.output[-3_000:]


def test_sigterm_answers_what_is_in_the_air_and_keeps_it(s3_server: S3Server, road: FlakyProxy, tmp_path: Path) -> None:
    """Pushes that wait for a slow S3 at the signal are written and acknowledged before the process ends."""
    prefix = f"receipts-{uuid.uuid4().hex}"
    environment = {**s3_server.environment, "AWS_ENDPOINT_URL": road.endpoint}
    with Endpoint(f"s3://{BUCKET}/{prefix}", environment, tmp_path) as endpoint:
        road.set_trouble(Trouble("delay", method="PUT", delay=1.5))
        answers: queue.Queue[httpx.Response] = queue.Queue()
        push = threading.Thread(
            target=lambda: answers.put(
                httpx.post(endpoint.url, json=[{"MessageId": "1"}], trust_env=False, timeout=LONGEST_WAIT)
            )
        )
        push.start()
        await_event(lambda: endpoint.health()["waiting_bytes"] > 0, "a push that waits for S3")
        endpoint.terminate()
        push.join()
        assert answers.get_nowait().json() == {"code": 0, "msg": "success"}
        assert stored(s3_server, prefix) == ["1"]
