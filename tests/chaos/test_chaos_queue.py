"""The consumer of Alibaba's queue, killed again and again: what the queue no longer has is in the store."""

import json
import signal
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from globe_sms.deployments.sandbox.flaky_s3_proxy import FlakyProxy, Trouble
from globe_sms.deployments.sandbox.queue_messages import QueueMessages
from globe_sms.deployments.sandbox.queue_server import QueueServer
from globe_sms.deployments.sandbox.s3_server import S3Server
from tests.chaos.long_form import LONG, dice
from tests.chaos.queue_consumer_process import Consumer
from tests.waiting import await_event

pytest.importorskip("mns", reason="needs Alibaba's client of message queues: install the extra mns")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 20 if LONG else 2
AT_ONCE = 400
BUCKET = "tests"
NAME = "Alicom-Queue-1234567890-GlobeSmsReport"


def stored(s3_server: S3Server, prefix: str, folder: str) -> list[dict[str, Any]]:
    """Every line of every object, read without any code of the product."""
    client = s3_server.client()
    lines: list[dict[str, Any]] = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/{folder}"):
        for entry in page.get("Contents", ()):
            body: bytes = client.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            lines.extend(json.loads(line) for line in body.splitlines())
    return lines


def send(messages: QueueMessages, first: int) -> None:
    """Receipts in both shapes, every tenth message a reply."""
    for number in range(first, first + AT_ONCE):
        if number % 10 == 0:
            body = {"phone_number": "6581234567", "content": str(number), "send_time": "2026-11-30 10:00:00"}
        elif number % 2:
            body = {"To": "6581234567", "MessageId": str(number), "Status": "1", "TaskId": "load-1-1"}
        else:
            body = {"to": "6581234567", "message_id": str(number), "status": "2"}
        messages.send(json.dumps(body))


def test_nothing_that_the_queue_no_longer_has_is_lost_however_often_the_consumer_is_killed(
    s3_server: S3Server, tmp_path: Path
) -> None:
    """SIGKILL at instants drawn at random, while S3 loses every third answer; then SIGTERM, which ends in order."""
    throw, seed = dice()
    prefix = f"queue-{uuid.uuid4().hex}"
    messages = QueueMessages(visibility=2.0)
    keys = {"key_id": "own-key", "secret": "own-secret"}
    sent = 0
    with (
        FlakyProxy(s3_server.endpoint) as road,
        QueueServer(NAME, messages, **keys, token_seconds=90.0, most_wait_seconds=1.0) as queue,
        Consumer(
            queue, f"s3://{BUCKET}/{prefix}", s3_server.environment | {"AWS_ENDPOINT_URL": road.endpoint}, tmp_path
        ) as consumer,
    ):
        road.set_trouble(Trouble("lose_answer", method="PUT", probability=0.3, seed=throw.randrange(1 << 30)))
        for _ in range(KILLS):
            send(messages, sent)
            sent += AT_ONCE
            seen = messages.received
            await_event(lambda seen=seen: messages.received > seen or not consumer.alive, "a message that is taken")
            threading.Event().wait(throw.uniform(0.0, 1.0))
            consumer.end(signal.SIGKILL)
            left = messages.left
            kept = {*ids(s3_server, prefix)}
            assert len(kept) + left >= sent, (seed, consumer.output[-2_000:])
            consumer.start_again()
        send(messages, sent)
        sent += AT_ONCE
        await_event(lambda: not messages.left or not consumer.alive, "an empty queue")
        consumer.end(signal.SIGTERM)
        kept = ids(s3_server, prefix)
        print(f"{seed}: {KILLS} kills, {sent} sent, {len(kept)} kept, {messages.received_again} came again")  # noqa: T201
        assert {*kept} == {*map(str, range(sent))}, (seed, consumer.output[-2_000:])
        assert "Stopped." in consumer.output
        assert "Traceback" not in consumer.output, consumer.output[-3_000:]
        assert "own-secret" not in consumer.output


def ids(s3_server: S3Server, prefix: str) -> list[str]:
    """The ids of all receipts and replies that are kept."""
    receipts = [line.get("MessageId") or line["message_id"] for line in stored(s3_server, prefix, "2")]
    return receipts + [line["content"] for line in stored(s3_server, prefix, "replies/2")]
