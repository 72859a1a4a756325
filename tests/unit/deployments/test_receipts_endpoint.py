"""The receipts endpoint: acknowledged pushes are stored, and refusals say why."""

import asyncio
import base64
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from globe_sms.deployments.receipts.endpoint import LARGEST_BODY, ReceiptsEndpoint
from globe_sms.deployments.receipts.group_commit import Batches
from globe_sms.deployments.receipts.push_body import NotReceiptsError, lines_of
from globe_sms.deployments.receipts.serve import read_secret
from globe_sms.tasks.planning.opt_outs import OptOutLists
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError, StoreUnavailableError
from tests.unit.planned_csv import no_s3
from tests.waiting import LONGEST_WAIT

SECRET = "a-secret-of-the-test-1234"
URL = f"http://endpoint/receipts/{SECRET}"
RECEIPT = {"To": "6581234567", "MessageId": "1", "Status": "1", "TaskId": "spring-0-1"}


class MemoryStore(LocalStore):
    """Keeps what it takes in memory; each write takes the next of `fates`, the last one for good.

    `taken` answers, `refused` raises, `lost` takes and raises, `broken` raises what no store should.
    """

    def __init__(self, fates: Sequence[str] = ("taken",)) -> None:
        super().__init__(Path("/nowhere"))
        self.objects: dict[str, bytes] = {}
        self._fates = list(fates)

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        """Write, as the fate of this write has it."""
        fate = self._fates.pop(0) if len(self._fates) > 1 else self._fates[0]
        if fate in {"taken", "lost"}:
            self.objects[key] = body
        if fate == "broken":
            raise RuntimeError("a bug of some library")
        if fate != "taken":
            raise StoreUnavailableError("memory: no")
        return "1"

    def kept(self) -> Iterator[dict[str, Any]]:
        """Every receipt of every object."""
        return (json.loads(line) for body in self.objects.values() for line in body.splitlines())


def serve(store: LocalStore, use: Callable[[httpx.AsyncClient], Awaitable[Any]], **options: Any) -> Any:
    """Run the application for as long as `use` takes."""
    most_waiting = options.pop("most_waiting", 1 << 20)

    async def run() -> Any:
        batches = Batches(store, gather_seconds=0.0, most_waiting=most_waiting)
        replies = Batches(store.within("replies"), gather_seconds=0.0)
        application = ReceiptsEndpoint(store, batches, replies, SecretStr(SECRET), **options).application()
        async with (
            application.router.lifespan_context(application),
            httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client,
        ):
            return await use(client)

    return asyncio.run(run())


def post(store: LocalStore, body: bytes, url: str = URL, **options: Any) -> httpx.Response:
    """Push one body."""

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(url, content=body)

    return serve(store, use, **options)


def test_a_push_is_answered_as_documented_and_stored_line_by_line() -> None:
    """HTTP 200 and code 0; every receipt of the array is a line of an object."""
    store = MemoryStore()
    answer = post(store, json.dumps([RECEIPT, {**RECEIPT, "MessageId": "2"}]).encode())
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "success"})
    assert [receipt["MessageId"] for receipt in store.kept()] == ["1", "2"]


@pytest.mark.parametrize("fate", ["refused", "lost", "broken"])
def test_a_push_that_may_not_be_stored_is_not_acknowledged(fate: str) -> None:
    """503 without code 0, so that Alibaba repeats the push."""
    answer = post(MemoryStore([fate]), json.dumps([RECEIPT]).encode())
    assert answer.status_code == 503
    assert answer.json()["code"] != 0


@pytest.mark.parametrize(
    ("url", "method", "status"),
    [
        ("http://endpoint/receipts/wrong-secret-of-the-test", "POST", 404),
        ("http://endpoint/", "POST", 404),
        (f"http://endpoint/{SECRET}/more", "POST", 404),
        ("http://endpoint/receipts/%F0%9F%92%A9", "POST", 404),
        (f"http://endpoint/{SECRET}", "POST", 200),
        (f"http://endpoint/behind/a/proxy/{SECRET}", "POST", 200),
        (URL, "PUT", 405),
        ("http://endpoint/receipts/wrong-secret-of-the-test", "GET", 404),
    ],
)
def test_only_a_post_to_the_secret_is_a_push(url: str, method: str, status: int) -> None:
    """A stranger learns nothing, not even that there is an endpoint."""
    store = MemoryStore()

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(method, url, json=[RECEIPT])

    assert serve(store, use).status_code == status
    assert bool(store.objects) == (status == 200)


@pytest.mark.parametrize(
    ("method", "body"), [("GET", b""), ("HEAD", b""), ("POST", b""), ("POST", b" \r\n"), ("POST", b"[]")]
)
def test_a_console_that_tries_the_url_gets_the_documented_answer(method: str, body: bytes) -> None:
    """A probe has no receipts; nothing is stored, and nothing is kept as refused."""
    store = MemoryStore()

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(method, URL, content=body)

    answer = serve(store, use)
    assert answer.status_code == 200
    assert method == "HEAD" or answer.json() == {"code": 0, "msg": "success"}
    assert store.objects == {}


def test_a_reply_is_stored_apart_from_receipts(tmp_path: Path) -> None:
    """Runs read replies for opt-outs before each stretch of sending, and not the receipts beside them."""
    reply = {"phone_number": "6581234567", "content": "STOP", "send_time": "2026-11-30 10:00:00"}
    store = LocalStore(tmp_path)
    assert post(store, json.dumps([RECEIPT, reply]).encode()).json() == {"code": 0, "msg": "success"}
    kept = {key.partition("/")[0]: (tmp_path / key).read_bytes() for key in store.list("")}
    assert json.loads(kept.pop("replies")) == reply
    assert [json.loads(body) for body in kept.values()] == [RECEIPT]
    (file,) = OptOutLists((f"{tmp_path}#replies",), no_s3, tmp_path).files()
    assert pl.read_parquet(file)["e164"].to_list() == [6581234567]


def test_a_push_in_base64_is_stored_as_what_it_holds() -> None:
    """A message queue's consumer may pass messages on as they are."""
    store = MemoryStore()
    answer = post(store, base64.b64encode(json.dumps([RECEIPT]).encode()))
    assert (answer.status_code, list(store.kept())) == (200, [RECEIPT])


@pytest.mark.parametrize("body", [b"hello", b"[1]", b'"text"', b"null", b"[{]", b'{"a": NaN}', b"\xff\xfe", b"[" * 99])
def test_an_invalid_body_is_refused_and_kept_for_inspection(body: bytes, caplog: Any) -> None:
    """400; the log says where it's kept, and quotes neither it nor the secret."""
    store = MemoryStore()
    with caplog.at_level(logging.WARNING, "globe_sms.receipts"):
        answer = post(store, body)
    assert answer.status_code == 400
    assert answer.json()["code"] != 0
    assert [key.partition("/")[0] for key in store.objects] == ["_refused"]
    assert "_refused/" in caplog.text
    assert SECRET not in caplog.text
    assert "hello" not in caplog.text


def test_a_hundred_refused_bodies_are_kept_and_no_more() -> None:
    """A client with the secret can't fill the bucket with junk."""
    store = MemoryStore()

    async def use(client: httpx.AsyncClient) -> None:
        for _ in range(103):
            assert (await client.post(URL, content=b"junk")).status_code == 400
        assert (await client.get("http://endpoint/health")).json()["refused"] == 103

    serve(store, use)
    assert len(store.objects) == 100


def test_a_body_that_is_too_long_is_refused_before_it_is_read_whole() -> None:
    """413 after 4 MiB, whatever length was announced."""
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 10 * LARGEST_BODY:
            sent += 1 << 20
            yield b" " * (1 << 20)

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(URL, content=endless())

    store = MemoryStore()
    assert serve(store, use).status_code == 413
    assert sent <= LARGEST_BODY + (2 << 20)
    assert store.objects == {}


def test_a_body_that_does_not_arrive_times_out() -> None:
    """A slow or dead client doesn't hold memory for long."""

    async def never() -> Any:
        yield b"["
        await asyncio.Event().wait()

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(URL, content=never())

    assert serve(MemoryStore(), use, body_seconds=0.05).status_code == 408


def test_unfinished_bodies_share_a_memory_limit() -> None:
    """A thousand slow clients hold no more than the limit; once they leave, the next push is accepted."""

    async def use(client: httpx.AsyncClient) -> list[int]:
        held, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> Any:
            yield b"[" + b" " * 900
            held.set()
            await go_on.wait()
            yield b"]"

        first = asyncio.create_task(client.post(URL, content=slow()))
        await held.wait()
        refused = await client.post(URL, content=b" " * 200)
        go_on.set()
        return [refused.status_code, (await first).status_code, (await client.post(URL, json=[RECEIPT])).status_code]

    assert serve(MemoryStore(), use, most_held=1_000) == [503, 200, 200]


class StuckStore(MemoryStore):
    """Answers no write until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.reached = threading.Event()

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        """Wait."""
        self.reached.set()
        assert self.released.wait(LONGEST_WAIT)
        return super().put_if_absent(key, body)


def test_waiting_pushes_have_a_limit_and_more_are_refused_at_once() -> None:
    """A hanging store costs no more memory than the limit; accepted pushes are written once it answers."""
    store = StuckStore()
    push = json.dumps([{**RECEIPT, "ErrorDescription": "x" * 1_000}]).encode()

    async def use(client: httpx.AsyncClient) -> tuple[httpx.Response, list[httpx.Response]]:
        waiting = [asyncio.create_task(client.post(URL, content=push)) for _ in range(3)]
        for _ in range(10_000):
            if (await client.get("http://endpoint/health")).json()["waiting_bytes"] > 3_000:
                break
            await asyncio.sleep(0.001)
        refused = await client.post(URL, content=push)
        store.released.set()
        return refused, await asyncio.gather(*waiting)

    refused, answers = serve(store, use, most_waiting=4_000)
    assert refused.status_code == 503
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(list(store.kept())) == 3


def test_concurrent_pushes_share_one_object() -> None:
    """A hundred waiting pushes need one write or a few, not one each."""
    store = MemoryStore()

    async def use(client: httpx.AsyncClient) -> list[httpx.Response]:
        return await asyncio.gather(*(client.post(URL, json=[RECEIPT]) for _ in range(100)))

    assert {answer.json()["code"] for answer in serve(store, use)} == {0}
    assert len(list(store.kept())) == 100
    assert len(store.objects) < 50


def test_a_client_that_hangs_up_does_not_affect_the_others_of_its_group() -> None:
    """One push of a group is abandoned; the others are stored and answered."""
    store = StuckStore()

    async def use(client: httpx.AsyncClient) -> list[httpx.Response]:
        pushes = [asyncio.create_task(client.post(URL, json=[RECEIPT])) for _ in range(3)]
        await asyncio.to_thread(store.reached.wait, 30.0)
        pushes[1].cancel()
        store.released.set()
        return [await push for push in (pushes[0], pushes[2])]

    assert [answer.status_code for answer in serve(store, use)] == [200, 200]


@settings(max_examples=60)
@given(
    pushes=st.lists(st.lists(st.integers(0, 10**24), min_size=0, max_size=4), max_size=12),
    fates=st.lists(st.sampled_from(["taken", "refused", "lost", "broken"]), min_size=1, max_size=12),
    together=st.booleans(),
)
def test_every_acknowledged_receipt_is_stored(pushes: list[list[int]], fates: list[str], *, together: bool) -> None:
    """Whatever the store does, and in any groups, no push is acknowledged without its receipts in an object."""
    store = MemoryStore(fates)
    receipts = [[{"MessageId": f"{push}-{each}"} for each in ids] for push, ids in enumerate(pushes)]

    async def use(client: httpx.AsyncClient) -> list[httpx.Response]:
        if together:
            return await asyncio.gather(*(client.post(URL, json=push) for push in receipts))
        return [await client.post(URL, json=push) for push in receipts]

    answers = serve(store, use)
    acknowledged = {
        receipt["MessageId"]
        for push, answer in zip(receipts, answers, strict=True)
        if answer.status_code == 200 and answer.json()["code"] == 0
        for receipt in push
    }
    assert acknowledged <= {receipt["MessageId"] for receipt in store.kept()}
    if fates == ["taken"]:
        assert len(acknowledged) == len({receipt["MessageId"] for push in receipts for receipt in push})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_every_array_of_objects_is_stored_unchanged(value: Any) -> None:
    """With any field values; any other body is refused without a crash."""
    try:
        lines = lines_of(json.dumps(value).encode())
    except NotReceiptsError:
        assert not isinstance(value, dict)
        assert not isinstance(value, list) or not all(isinstance(each, dict) for each in value)
        return
    wanted = [value] if isinstance(value, dict) else value
    assert [json.loads(line) for line in lines.receipts.splitlines()] == wanted
    assert not lines.replies


@pytest.mark.parametrize("secret", [None, "", "short", "x" * 15, "has a blank in it 123", "slash/slash/slash/slash"])
def test_a_missing_short_or_unusable_secret_is_refused(secret: str | None) -> None:
    """Exit 2 before anything is opened; the message doesn't repeat the secret."""
    with pytest.raises(InputError) as refused:
        read_secret({} if secret is None else {"GLOBE_SMS_RECEIPTS_SECRET": secret})
    assert not secret or secret not in str(refused.value)
