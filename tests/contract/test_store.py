import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path

import pytest

from globe_sms.tasks.store import LocalStore, S3Store, Store, probe
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.store.store_clock import StoreClock
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, StoreRefusedError, StoreUnavailableError


def test_the_first_put_wins_and_the_second_changes_nothing(store: Store) -> None:
    """Claims build on put-if-absent."""
    assert store.put_if_absent("claims/1", b"first") is not None
    assert store.put_if_absent("claims/1", b"second") is None
    assert store.put_if_absent("claims/1", b"first") is not None  # still ours: a reply may have been lost
    stored = store.get("claims/1")
    assert stored is not None
    assert stored.body == b"first"


def test_a_put_whose_reply_was_lost_is_recognized_by_its_bytes() -> None:
    """A retried PutObject that had succeeded the first time is answered 412; the claim is still ours."""
    ours = _AnswersAfterWriting()
    assert S3Store(ours, "bucket", "p", sleep=lambda _: None).put_if_absent("claims/1", b"ours") is not None
    assert ours.puts == 1


def test_exactly_one_of_many_writers_of_a_key_wins(store: Store) -> None:
    """If many runs race for a chunk, one gets it."""
    for number in range(5):
        start = threading.Barrier(8)

        def put(writer: int, key: str = f"race/{number}", start: threading.Barrier = start) -> bool:
            start.wait()
            return store.put_if_absent(key, f"writer {writer}".encode()) is not None

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(put, range(8))) == 1


def test_a_swap_of_a_stale_version_loses(store: Store) -> None:
    """Leases and turns build on compare-and-swap."""
    version = store.put_if_absent("lease", b"one")
    assert version is not None
    newer = store.compare_and_swap("lease", b"two", version)
    assert newer is not None
    assert store.compare_and_swap("lease", b"three", version) is None
    stored = store.get("lease")
    assert stored is not None
    assert (stored.body, stored.version) == (b"two", newer)


def test_a_swap_of_a_missing_key_loses(store: Store) -> None:
    """AWS answers 404, other servers 412; both mean that the swap lost."""
    assert store.compare_and_swap("nothing", b"body", '"0123456789abcdef0123456789abcdef"') is None


def test_concurrent_swaps_lose_no_update(store: Store) -> None:
    """Sixteen increments from four threads add up to sixteen."""
    store.put_if_absent("counter", b"0")

    def increment(_: int) -> None:
        while True:
            current = store.get("counter")
            assert current is not None
            body = f"{int(current.body.split()[0]) + 1} {uuid.uuid4()}"  # unlike any other body of the key
            if store.compare_and_swap("counter", body.encode(), current.version):
                return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(16)))
    stored = store.get("counter")
    assert stored is not None
    assert stored.body.split()[0] == b"16"


def test_keys_are_listed_sorted_and_by_prefix(store: Store) -> None:
    """A listing of the claims tells each chunk's state."""
    for key in ("claims/2", "claims/10", "claims/1", "receipts/1", "other"):
        store.put_if_absent(key, b"x")
    assert list(store.list("claims/")) == ["claims/1", "claims/10", "claims/2"]
    assert list(store.list("claims/1")) == ["claims/1", "claims/10"]
    assert list(store.list("nowhere/")) == []


def test_files_are_put_once_replaced_and_fetched(store: Store, tmp_path: Path) -> None:
    """The plan is written once; the results are replaced as a whole."""
    one, two, back = tmp_path / "one", tmp_path / "two", tmp_path / "back"
    one.write_bytes(b"one")
    two.write_bytes(b"two")
    assert store.put_file_if_absent("plan", one)
    assert not store.put_file_if_absent("plan", two)
    store.put_file("results", one)
    store.put_file("results", two)
    assert store.fetch("plan", back)
    assert back.read_bytes() == b"one"
    assert store.fetch("results", back)
    assert back.read_bytes() == b"two"
    assert not store.fetch("nothing", back)


def test_a_listing_of_all_keys_leaves_other_folders_out(store: Store) -> None:
    """Spilled send records are listed beside other campaigns' spills."""
    mine = store.within("mine")
    mine.put_if_absent("receipts/1", b"x")
    store.within("neighbour").put_if_absent("receipts/2", b"x")
    assert list(mine.list("")) == ["receipts/1"]


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    """Others, whose names the prefix doesn't begin, don't matter."""
    store = LocalStore(tmp_path)
    store.put_if_absent("replies/1", b"")
    (tmp_path / "claims").symlink_to(tmp_path / "claims")  # one that nobody can read, not even root
    with pytest.raises(StoreError, match="claims/"):
        list(store.list("claims/"))
    assert list(store.list("rep")) == ["replies/1"]
    assert list(store.list("nothing/here/")) == list(store.list("replies/1/")) == []


def test_folders_are_listed_without_their_contents(store: Store) -> None:
    """The names of hundreds of campaigns, without their millions of claims."""
    for key in ("b/claims/1", "a/claims/1", "a/claims/2", "a.json", "c/d/e/f"):
        store.put_if_absent(key, b"x")
    assert [name for name in store.folders() if name[0] != "."] == ["a", "b", "c"]
    assert list(store.within("c").folders()) == ["d"]
    assert list(store.within("nothing").folders()) == []


def test_a_folder_of_the_store_sees_its_own_keys(store: Store) -> None:
    """A campaign's store is a folder in the results folder."""
    inner = store.within("campaign-1")
    inner.put_if_absent("plan", b"x")
    assert list(inner.list("")) == ["plan"]
    assert list(store.list("campaign-1/")) == ["campaign-1/plan"]
    inner.delete("plan")
    inner.delete("plan")
    assert inner.get("plan") is None


def test_the_probe_accepts_a_store_with_conditional_writes_and_leaves_nothing(store: Store) -> None:
    """Every run starts with the probe."""
    probe(store)
    assert [key for key in store.list(".globe-sms/") if "probe" in key] == []


class _IgnoresIfNoneMatch(LocalStore):
    """Like rclone, nanio and s3rver: the second put overwrites the first and reports success."""

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        current = self.get(key)
        return (
            super().put_if_absent(key, body) if current is None else self.compare_and_swap(key, body, current.version)
        )


class _IgnoresIfMatch(LocalStore):
    """Like localbucket: a swap of a stale version succeeds."""

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:  # noqa: ARG002  # ignoring it is the fault
        current = self.get(key)
        return None if current is None else super().compare_and_swap(key, body, current.version)


class _ClockIsOff(LocalStore):
    @property
    def clock(self) -> StoreClock:
        clock = StoreClock(wall=lambda: 1_800_000_000.0, monotonic=lambda: 0.0)
        clock.answered(formatdate(1_800_000_007.0, usegmt=True), 0.0, 0.0)
        return clock


@pytest.mark.parametrize(
    ("kind", "error", "word"),
    [
        (_IgnoresIfNoneMatch, StoreRefusedError, "If-None-Match"),
        (_IgnoresIfMatch, StoreRefusedError, "If-Match"),
        (_ClockIsOff, InputError, "7 s behind"),
    ],
)
def test_the_probe_refuses_a_store_that_would_break_a_promise(
    kind: type[LocalStore], error: type[Exception], word: str, tmp_path: Path
) -> None:
    """A server that ignores conditional writes would let two runs send the same chunk."""
    with pytest.raises(error, match=word):
        probe(kind(tmp_path))


def test_the_clock_of_a_real_server_agrees_with_ours(s3_access: S3Access) -> None:
    """Both run on this machine."""
    store = S3Store(s3_access.client(), "tests", "")
    for _ in range(3):
        store.get("nothing")
    assert store.clock.skew() == 0.0
    assert abs(store.clock.now() - time.time()) < 0.01


def test_a_missing_bucket_is_one_clear_line(s3_access: S3Access) -> None:
    """The operator sees what to check, not a traceback."""
    with pytest.raises(StoreError, match="bucket doesn't exist"):
        S3Store(s3_access.client(), "no-such-bucket", "").put_if_absent("a", b"b")
    with pytest.raises(InputError, match="bucket doesn't exist"):
        probe(S3Store(s3_access.client(), "no-such-bucket", ""))


@pytest.mark.usefixtures("s3_access")
def test_a_wrong_secret_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line doesn't show the secret."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(StoreError, match=r"AWS_SECRET_ACCESS_KEY|access denied") as caught:
        S3Store(S3Access.from_environment().client(), "tests", "").get("a")
    assert "not-the-secret" not in str(caught.value)


@pytest.mark.usefixtures("s3_access")
def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unavailable means that the same call may succeed later."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreUnavailableError, match="AWS_ENDPOINT_URL"):
        S3Store(S3Access.from_environment().client(), "tests", "").get("a")


def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    """A file has the folder's name."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="check the folder"):
        LocalStore(tmp_path / "file").put_if_absent("a", b"b")


class _AnswersAfterWriting:
    """A client whose first PutObject is written, but whose reply is lost; boto3's retry is answered 412."""

    def __init__(self) -> None:
        self.body = b""
        self.puts = 0

    def put_object(self, *, Body: bytes, **_: object) -> dict[str, str]:  # noqa: N803  # boto3's names
        from botocore.exceptions import ClientError

        self.puts += 1
        self.body = Body
        raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")

    def get_object(self, **_: object) -> dict[str, object]:
        from io import BytesIO

        return {"Body": BytesIO(self.body), "ETag": '"1"'}
