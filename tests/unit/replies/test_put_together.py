"""Small objects of replies are put together: killed, read or changed meanwhile, nobody's STOP is missing."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from globe_sms.tasks.replies.put_together import FEWEST, TOGETHER, put_replies_together
from globe_sms.tasks.replies.stored_replies import StoredReplies
from globe_sms.tasks.store import LocalStore, Stored

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
OBJECTS = FEWEST + 20


class Killed(BaseException):
    """What SIGKILL does to the process, for a test: nothing catches it."""


class Store(LocalStore):
    """Replies in memory, one in an object, written two hours ago; `before` is called with each key before it's used."""

    def __init__(self, numbers: int = OBJECTS) -> None:
        super().__init__(Path("/nowhere"))
        self.objects = {f"replies/2026/{number:03}.ndjson": stop(number) for number in range(numbers)}
        self.before: Callable[[str, str], object] = lambda _what, _key: None

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def get(self, key: str) -> Stored | None:
        self.before("get", key)
        body = self.objects.get(key)
        return None if body is None else Stored(body, str(hash(body)), (NOW - timedelta(hours=2)).timestamp())

    def put_if_absent(self, key: str, body: bytes) -> str:
        self.before("put", key)
        self.objects[key] = body
        return "1"

    def delete(self, key: str) -> None:
        self.before("delete", key)
        self.objects.pop(key, None)


def stop(number: int) -> bytes:
    fields = {"phone_number": f"658123{number:04}", "content": "STOP", "send_time": "2026-11-30 10:00:00"}
    return json.dumps(fields).encode()


def opted_out(store: Store) -> int:
    found = StoredReplies(store, now=lambda: NOW)
    found.look()
    return len(found.opted_out)


def test_many_small_objects_become_one_that_says_the_same() -> None:
    store = Store()
    assert put_replies_together(store, now=NOW) == OBJECTS
    assert [key.startswith(TOGETHER) for key in store.objects] == [True]
    assert opted_out(store) == OBJECTS
    assert put_replies_together(store, now=NOW) == 0


def test_few_objects_and_young_ones_stay() -> None:
    few, young = Store(FEWEST - 1), Store()
    assert put_replies_together(few, now=NOW) == 0
    assert put_replies_together(young, now=NOW - timedelta(minutes=90)) == 0
    assert (len(few.objects), len(young.objects)) == (FEWEST - 1, OBJECTS)


@pytest.mark.parametrize("at", [1, 2, 60])
def test_killed_at_a_write_nobody_is_missing(at: int) -> None:
    """Before the new object, before the first deletion, and in the middle of them."""
    store, writes = Store(), list[str]()

    def kill(what: str, key: str) -> None:
        if what != "get":
            writes.append(key)
            if len(writes) >= at:
                raise Killed

    store.before = kill
    with suppress(Killed):
        put_replies_together(store, now=NOW)
    assert opted_out(store) == OBJECTS


def test_an_object_that_changes_meanwhile_is_not_put_back() -> None:
    """Somebody was forgotten: what was read before still has the number."""
    store = Store()

    def forget(what: str, _key: str) -> None:
        if what == "put":
            store.objects["replies/2026/000.ndjson"] = b"{}"

    store.before = forget
    assert put_replies_together(store, now=NOW) == 0
    assert not any(b"6581230000" in body for body in store.objects.values())


def test_who_reads_meanwhile_finds_everybody() -> None:
    """Half of the objects that were listed are gone when they are read: what they had is in the new one."""
    store = Store()

    def put_together(what: str, key: str) -> None:
        if (what, key) == ("get", "replies/2026/060.ndjson"):
            store.before = lambda _what, _key: None
            put_replies_together(store, now=NOW)

    store.before = put_together
    assert opted_out(store) == OBJECTS
