"""Alibaba's official client of its message queue beside the simulated one, and the keys that open it."""

import json
from collections.abc import Generator
from contextlib import ExitStack, closing

import pytest
from pydantic import SecretStr

from globe_sms.deployments.receipts.message_queue import MessageQueue, QueueRefusedError, QueueUnavailableError
from globe_sms.deployments.receipts.queue_token import QueueTokens
from globe_sms.deployments.sandbox.queue_messages import QueueMessages
from globe_sms.deployments.sandbox.queue_server import QueueServer
from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.signature import Credentials

pytest.importorskip("mns", reason="needs Alibaba's client of message queues: install the extra mns")

NAME = "Alicom-Queue-1234567890-GlobeSmsReport"
OWN = Credentials("own-key", SecretStr("own-secret"))
RECEIPT = {"To": "6581234567", "MessageId": "1", "Status": "1"}


class Clock:
    """The queue's clock: a message is hidden until a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Generator[QueueServer]:
    messages = QueueMessages(visibility=30.0, clock=clock)
    with QueueServer(NAME, messages, key_id="own-key", secret="own-secret") as running:
        yield running


class Opened:
    """Opens connections that a test leaves open."""

    def __init__(self, server: QueueServer, until: ExitStack) -> None:
        self._at = Endpoint.parse(server.endpoint)
        self._until = until

    def tokens(self, own: Credentials = OWN, queue: str = NAME, at: Endpoint | None = None) -> QueueTokens:
        keys = QueueTokens(at or self._at, lambda: own, message_type="GlobeSmsReport", queue=queue)
        return self._until.enter_context(closing(keys))

    def queue(self, keys: QueueTokens, name: str = NAME, at: Endpoint | None = None) -> MessageQueue:
        queue = MessageQueue(at or self._at, name, keys, wait_seconds=1, on_no_keys=keys.forget)
        return self._until.enter_context(closing(queue))


@pytest.fixture
def opened(server: QueueServer) -> Generator[Opened]:
    with ExitStack() as until:
        yield Opened(server, until)


def test_messages_are_received_as_they_are_and_deleted_sixteen_at_once(server: QueueServer, opened: Opened) -> None:
    """One token serves all calls; an empty queue returns no messages, without an error."""
    for number in range(20):
        server.messages.send(json.dumps({**RECEIPT, "MessageId": str(number)}))
    queue = opened.queue(opened.tokens())
    first, rest = queue.receive(wait=True), queue.receive(wait=False)
    assert (len(first), len(rest)) == (16, 4)
    assert queue.delete([each.handle for each in first]) == 0
    assert queue.delete([each.handle for each in rest]) == 0
    assert queue.receive(wait=False) == ()
    assert (server.messages.left, server.tokens_given) == (0, 1)


def test_a_message_comes_again_and_its_old_handle_deletes_nothing(
    server: QueueServer, opened: Opened, clock: Clock
) -> None:
    """After the visibility timeout, as documented; the others of the call are deleted."""
    server.messages.send(json.dumps(RECEIPT))
    queue = opened.queue(opened.tokens())
    (early,) = queue.receive(wait=False)
    assert queue.receive(wait=False) == ()
    clock.now += 30.0
    (again,) = queue.receive(wait=True)
    assert (again.body, again.handle != early.handle) == (early.body, True)
    assert queue.delete([early.handle, again.handle]) == 1
    assert server.messages.left == 0


def test_keys_that_the_queue_does_not_take_are_replaced(server: QueueServer, opened: Opened) -> None:
    """A token may end sooner than it says."""
    server.messages.send(json.dumps(RECEIPT))
    keys = opened.tokens()
    queue = opened.queue(keys)
    assert len(queue.receive(wait=False)) == 1
    server.expire_tokens()
    with pytest.raises(QueueRefusedError, match="SecurityTokenExpired"):
        queue.receive(wait=False)
    server.messages.send(json.dumps(RECEIPT))
    assert len(queue.receive(wait=True)) == 1
    assert server.tokens_given == 2


@pytest.mark.parametrize(
    ("secret", "queue", "words"),
    [
        ("wrong-secret", NAME, "SignatureDoesNotMatch"),
        ("own-secret", "Alicom-Queue-99-GlobeSmsReport", "isv.MNS_QUEUE_NOT_EXIST"),
    ],
)
def test_a_refused_token_says_what_to_check(opened: Opened, secret: str, queue: str, words: str) -> None:
    """The code, the queue and the permissions; never the secret."""
    with pytest.raises(QueueRefusedError) as refused:
        opened.queue(opened.tokens(Credentials("own-key", SecretStr(secret)), queue), queue).receive(wait=False)
    assert words in str(refused.value)
    assert f"Check the queue's name and the message type (GlobeSmsReport, {queue})" in str(refused.value)
    assert secret not in str(refused.value)


def test_a_wrong_name_and_a_broken_queue_are_told_apart(server: QueueServer, opened: Opened) -> None:
    """One is for people, the other is tried again."""
    keys = opened.tokens()
    with pytest.raises(QueueRefusedError, match="QueueNotExist"):
        opened.queue(keys, "another-queue").receive(wait=False)
    server.broken = 1
    with pytest.raises(QueueUnavailableError, match="InternalError"):
        opened.queue(keys).receive(wait=False)


def test_nobody_there_is_no_clear_answer(opened: Opened) -> None:
    """Neither at the queue nor where the token comes from."""
    keys = opened.tokens()
    keys()
    nowhere = Endpoint.parse("http://127.0.0.1:9")
    with pytest.raises(QueueUnavailableError, match=r"127\.0\.0\.1:9"):
        opened.queue(keys, at=nowhere).receive(wait=False)
    with pytest.raises(QueueUnavailableError, match=r"127\.0\.0\.1:9"):
        opened.tokens(at=nowhere)()
