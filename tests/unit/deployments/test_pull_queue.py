"""`globe-sms receipts pull`: what is deleted from the queue is in the store, whatever happens in between."""

import base64
import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.deployments.receipts.message_queue import QueueMessage, QueueRefusedError, QueueUnavailableError
from globe_sms.deployments.receipts.pull_queue import Puller
from globe_sms.deployments.sandbox.queue_messages import QueueMessages
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError

RECEIPT = {"To": "6581234567", "MessageId": "1", "Status": "1"}
GLOBE = {"to": "6581234567", "message_id": "2", "status": "2", "send_date": "2026-11-30 10:00:00"}
REPLY = {"phone_number": "6581234567", "content": "STOP", "send_time": "2026-11-30 10:00:00"}


class Killed(BaseException):
    """What SIGKILL does to the process, for a test: nothing catches it."""


class Store(LocalStore):
    """Keeps objects in memory; each write takes the next of `fates`, then all are taken."""

    def __init__(self, fates: Sequence[str] = ()) -> None:
        super().__init__(Path("/nowhere"))
        self.objects: dict[str, bytes] = {}
        self._fates = list(fates)
        self._folder = ""

    def within(self, prefix: str) -> "Store":
        inner = Store()
        inner.objects, inner._fates, inner._folder = self.objects, self._fates, f"{prefix}/"
        return inner

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        fate = self._fates.pop(0) if self._fates else "taken"
        if fate != "refused":
            self.objects[self._folder + key] = body
        if fate == "killed":
            raise Killed
        if fate != "taken":
            raise StoreUnavailableError("memory: no")
        return "1"

    def lines(self, folder: str = "") -> list[Any]:
        return [
            json.loads(line)
            for key, body in self.objects.items()
            if key.startswith(folder or "20")
            for line in body.splitlines()
        ]


class Connection:
    """A connection to a queue in this process; each call takes the next of `fates`, then all go well."""

    def __init__(self, messages: QueueMessages, fates: Sequence[str] = ()) -> None:
        self._messages = messages
        self._fates = list(fates)

    def receive(self, *, wait: bool) -> tuple[QueueMessage, ...]:  # noqa: ARG002  # nothing waits here
        self._meet()
        found = self._messages.receive(16)
        return tuple(QueueMessage(each.body.encode(), each.handle) for each in found)

    def delete(self, handles: Sequence[str]) -> int:
        self._meet()
        return sum(self._messages.delete(handle) is not None for handle in handles)

    def _meet(self) -> None:
        fate = self._fates.pop(0) if self._fates else "well"
        if fate == "killed":
            raise Killed
        if fate != "well":
            raise QueueUnavailableError("the queue: no")


class Impatient(threading.Event):
    """Doesn't wait; `waits` says how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


def puller(messages: QueueMessages, store: Store, *fates: str, connections: int = 1, **options: Any) -> Puller:
    queues = [Connection(messages, fates), *(Connection(messages) for _ in range(connections - 1))]
    return Puller(queues, store, Impatient(), gather_seconds=0.0, **options)


def test_both_shapes_replies_and_what_is_not_json_are_kept_apart_and_deleted() -> None:
    """Single or in arrays, in base64 or not; nothing that came is thrown away."""
    messages, store = QueueMessages(), Store()
    for body in (json.dumps(RECEIPT), json.dumps([GLOBE, RECEIPT]), json.dumps(REPLY), "no JSON"):
        messages.send(body)
    messages.send_raw(json.dumps(GLOBE))
    pull = puller(messages, store)
    pull.run(until_empty=True)
    assert store.lines() == [RECEIPT, GLOBE, RECEIPT, GLOBE]
    assert store.lines("replies") == [REPLY]
    assert store.lines("_refused") == [{"body": base64.b64encode(b"no JSON").decode()}]
    assert (messages.left, pull.pulled.receipts, pull.pulled.replies, pull.pulled.refused) == (0, 4, 1, 1)


def test_many_messages_are_taken_by_several_connections_into_few_objects() -> None:
    """A backlog needs an object for hundreds of messages, not one for sixteen."""
    messages, store = QueueMessages(), Store()
    for number in range(300):
        messages.send(json.dumps({**RECEIPT, "MessageId": str(number)}))
    puller(messages, store, connections=4).run(until_empty=True)
    assert sorted(int(line["MessageId"]) for line in store.lines()) == list(range(300))
    assert (messages.left, messages.received_again, len(store.objects)) == (0, 0, 1)


FATES = st.lists(st.sampled_from(["well", "down", "killed"]), max_size=6)
STORE_FATES = st.lists(st.sampled_from(["taken", "refused", "lost", "killed"]), max_size=4)


@settings(max_examples=60)
@given(
    sent=st.lists(st.sampled_from(["receipt", "reply", "junk"]), max_size=40),
    runs=st.lists(
        st.tuples(FATES, st.lists(st.sampled_from(["taken", "refused", "lost", "killed"]), max_size=4)), max_size=4
    ),
)
def test_killed_and_refused_anywhere_nothing_is_lost(sent: list[str], runs: list[tuple[list[str], list[str]]]) -> None:
    """At each moment every message is in the store or still in the queue; in the end all are in the store."""
    now = [1_000.0]
    messages, objects = QueueMessages(visibility=30.0, clock=lambda: now[0]), Store()
    wanted: dict[str, set[str]] = {"": set(), "replies": set(), "_refused": set()}
    for number, kind in enumerate(sent):
        if kind == "junk":
            messages.send_raw(f"junk {number}")
            wanted["_refused"].add(f"junk {number}")
        elif kind == "reply":
            messages.send(json.dumps({**REPLY, "content": str(number)}))
            wanted["replies"].add(str(number))
        else:
            messages.send(json.dumps({**RECEIPT, "MessageId": str(number)}))
            wanted[""].add(str(number))
    for queue_fates, store_fates in [*runs, ([], [])]:
        store = Store(store_fates)
        store.objects = objects.objects
        with suppress(Killed):
            puller(messages, store, *queue_fates).run(until_empty=True)
        kept = sum(len({str(line) for line in objects.lines(folder)}) for folder in wanted)
        assert kept + messages.left >= len(sent)
        now[0] += 31.0
    found = {
        "": {line["MessageId"] for line in objects.lines()},
        "replies": {line["content"] for line in objects.lines("replies")},
        "_refused": {line["body"] for line in objects.lines("_refused")},
    }
    assert (found, messages.left) == (wanted, 0)


def test_a_queue_that_cannot_be_read_ends_it_at_the_start_and_is_tried_again_later() -> None:
    """A wrong name or key is for people; once it has worked, the queue may be back in a while."""
    messages, said = QueueMessages(), list[Exception | None]()

    class Refusing(Connection):
        def receive(self, *, wait: bool) -> tuple[QueueMessage, ...]:
            if messages.received == 0:
                raise QueueRefusedError("QueueNotExist")
            return super().receive(wait=wait)

    with pytest.raises(QueueRefusedError):
        Puller([Refusing(messages)], Store(), Impatient()).run(until_empty=True)
    messages.send(json.dumps(RECEIPT))
    stop = Impatient()
    pull = Puller(
        [Connection(messages, ["down", "down", "down"])], Store(), stop, on_trouble=said.append, gather_seconds=0
    )
    pull.run(until_empty=True)
    assert stop.waits[:3] == [1.0, 2.0, 4.0]
    assert [str(each) for each in said] == ["the queue: no"] * 3 + ["None", "None"]


def test_a_message_that_took_too_long_is_counted_and_comes_again() -> None:
    """The store was slow: the queue shows it again, and the handle is too old to delete it."""
    now = [1_000.0]
    messages = QueueMessages(visibility=30.0, clock=lambda: now[0])
    messages.send(json.dumps(RECEIPT))

    class Slow(Store):
        def put_if_absent(self, key: str, body: bytes) -> str | None:
            now[0] += 0.0 if self.objects else 40.0
            return super().put_if_absent(key, body)

    store = Slow()
    pull = puller(messages, store)
    pull.run(until_empty=True)
    assert (pull.pulled.not_deleted, messages.left, store.lines()) == (1, 0, [RECEIPT, RECEIPT])
