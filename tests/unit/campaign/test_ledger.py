import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.send_record import Claim, SendRecord
from globe_sms.tasks.campaign.settlement import ChunkState, Settlement
from globe_sms.tasks.results.join_plan_and_ledger import make_results
from globe_sms.tasks.results.ledger_answers import gather
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import SendRecordLostError, StoreError, StoreUnavailableError
from globe_sms.tasks.vocabulary.statuses import STATUSES


def claim(chunk: int = 0, submission: int = 0, run: str = "run-1") -> Claim:
    return Claim(chunk, submission, run, "host", 1.0, 2.0, "f" * 64)


def record(settlement: Settlement, chunk: int = 0, submission: int = 0) -> SendRecord:
    return SendRecord(chunk, submission, "run-1", settlement, "reason", "CODE", None, "R-1", 3.0, "f" * 64)


def ledger(store: LocalStore, folder: Path) -> Ledger:
    return Ledger(store, Spill(folder / "spill", store.uri, patience=0.0, wait=lambda _: None))


def test_a_claim_is_given_once(local_store: LocalStore, tmp_path: Path) -> None:
    """Also to the same chunk in another run; a repeated claim of the same run's own is its own."""
    books = ledger(local_store, tmp_path)
    assert books.claim(claim())
    assert books.claim(claim())
    assert not books.claim(claim(run="run-2"))
    assert books.claim(claim(submission=1, run="run-2"))


def test_a_claim_without_a_receipt_is_unknown(local_store: LocalStore, tmp_path: Path) -> None:
    """To every later run."""
    books = ledger(local_store, tmp_path)
    books.claim(claim())
    assert books.histories() == {0: History((None,))}
    assert books.histories()[0].state is ChunkState.UNKNOWN


def test_histories_come_from_listings_alone(local_store: LocalStore, tmp_path: Path) -> None:
    """A resume of 40,000 chunks reads keys, not objects."""
    books = ledger(local_store, tmp_path)
    for chunk in range(12):
        books.claim(claim(chunk))
        books.settle(record(Settlement.ACCEPTED if chunk % 2 else Settlement.NOT_SENT, chunk))
    for path in (tmp_path / "store").rglob("claims/*"):
        path.write_bytes(b"unreadable")
    found = books.histories()
    assert [found[chunk].state for chunk in range(4)] == [
        ChunkState.OPEN,
        ChunkState.SETTLED,
        ChunkState.OPEN,
        ChunkState.SETTLED,
    ]


class _Flaky(LocalStore):
    """A store that is away while `away` is set."""

    away = False

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        if self.away:
            raise StoreUnavailableError(key)
        return super().put_if_absent(key, body)


def test_a_receipt_that_the_store_does_not_take_is_kept_and_written_later(tmp_path: Path) -> None:
    """The last resort: a local file, read by the next run of the campaign on this machine."""
    store = _Flaky(tmp_path / "store")
    books = ledger(store, tmp_path)
    books.claim(claim())
    store.away = True
    books.settle(record(Settlement.ACCEPTED))
    store.away = False
    assert books.histories()[0].state is ChunkState.UNKNOWN
    assert ledger(store, tmp_path).recover() == 1
    assert books.histories()[0].state is ChunkState.SETTLED
    assert ledger(store, tmp_path).recover() == 0


@pytest.mark.parametrize("taken", ["by a file", "by nobody's leave"])
def test_where_no_receipt_can_be_kept_the_store_is_tried_on(
    tmp_path: Path, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk here must not lose what the store takes a second later."""
    store = _Flaky(tmp_path / "store")
    folder = tmp_path / "spill"
    if taken == "by a file":
        folder.touch()
    else:
        monkeypatch.setattr(LocalStore, "put_if_absent", _no_room_in(folder, LocalStore.put_if_absent))
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        store.away = len(waits) < 3

    books = Ledger(store, Spill(folder, store.uri, patience=60.0, wait=wait))
    books.claim(claim())
    store.away = True
    books.settle(record(Settlement.ACCEPTED))
    assert len(waits) == 3
    assert books.histories() == {0: History((Settlement.ACCEPTED,))}


def _no_room_in(folder: Path, put: Callable[..., str | None]) -> Callable[..., str | None]:
    def put_where_there_is_room(store: LocalStore, key: str, body: bytes) -> str | None:
        if str(folder) in store.uri:
            raise StoreError("no space left on device")
        return put(store, key, body)

    return put_where_there_is_room


def test_a_receipt_that_is_lost_is_said_to_be(tmp_path: Path) -> None:
    """With what to do, and without a word of who was texted."""
    store = _Flaky(tmp_path / "store")
    (tmp_path / "spill").touch()
    books = ledger(store, tmp_path)
    books.claim(claim())
    store.away = True
    with pytest.raises(SendRecordLostError, match=r"stay unknown\. Free space for .* XDG_STATE_HOME"):
        books.settle(record(Settlement.ACCEPTED))
    store.away = False
    assert books.histories()[0].state is ChunkState.UNKNOWN


class LedgerMachine(RuleBasedStateMachine):
    """Runs begin, claim, get answers, lose them, die and resume, in any order, against a gateway that keeps the truth.

    The rules do what `Sender` and `read_ledger` do: present what is open, and what is unknown only when told to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = LocalStore(Path(self.folder.name) / "store")
        self.books = ledger(self.store, Path(self.folder.name))
        self.maybe_taken: list[int] = []  # chunks, once for each submission that the gateway may have taken
        self.taken: set[int] = set()  # chunks that it did take
        self.refused: set[int] = set()
        self.resends = 0
        self.in_air: dict[int, int] = {}

    @initialize(chunks=st.integers(1, 4))
    def plan(self, chunks: int) -> None:
        self.chunks = chunks

    def may_present(self, chunk: int, *, resend: bool) -> int | None:
        history = self.books.histories().get(chunk, History())
        allowed = history.state is ChunkState.OPEN or (resend and history.state is ChunkState.UNKNOWN)
        return history.next if allowed and chunk not in self.in_air else None

    @rule(chunk=st.integers(0, 3), resend=st.booleans(), run=st.sampled_from(["a", "b"]))
    def claim_chunk(self, chunk: int, resend: bool, run: str) -> None:  # noqa: FBT001  # a drawn value
        submission = self.may_present(chunk, resend=resend) if chunk < self.chunks else None
        if submission is None:
            return
        unknown = self.books.histories().get(chunk, History()).state is ChunkState.UNKNOWN
        assert self.books.claim(claim(chunk, submission, run))
        assert not self.books.claim(claim(chunk, submission, "another run"))
        self.in_air[chunk] = submission
        self.resends += unknown

    @precondition(lambda self: self.in_air)
    @rule(data=st.data(), takes=st.booleans(), settlement=st.sampled_from([*Settlement, None]))
    def answer(self, data: st.DataObject, takes: bool, settlement: Settlement | None) -> None:  # noqa: FBT001
        chunk = data.draw(st.sampled_from(sorted(self.in_air)))
        submission = self.in_air.pop(chunk)
        if settlement in (None, Settlement.UNKNOWN):
            self.maybe_taken.append(chunk)
            if takes:
                self.taken.add(chunk)
        elif settlement is Settlement.ACCEPTED:
            self.maybe_taken.append(chunk)
            self.taken.add(chunk)
        elif settlement is Settlement.REFUSED:
            self.refused.add(chunk)
        if settlement is not None:
            self.books.settle(record(settlement, chunk, submission))

    @rule()
    def die_and_resume(self) -> None:
        """Every call in the air may have been taken; its claim has no receipt."""
        for chunk in self.in_air:
            self.maybe_taken.append(chunk)
        self.in_air.clear()
        self.books = ledger(self.store, Path(self.folder.name))

    @invariant()
    def no_chunk_is_presented_again_unless_the_operator_said_so(self) -> None:
        extra = len(self.maybe_taken) + len(self.in_air) - len({*self.maybe_taken, *self.in_air})
        assert extra <= self.resends

    @invariant()
    def the_results_tell_the_truth(self) -> None:
        if not hasattr(self, "chunks"):
            return
        histories = self.books.histories()
        plan = pl.LazyFrame(
            {
                "source": ["s"] * self.chunks,
                "row": list(range(self.chunks)),
                "recipient": ["x"] * self.chunks,
                "phone_number": ["x"] * self.chunks,
                "region": ["SG"] * self.chunks,
                "status": [None] * self.chunks,
                "reason": [None] * self.chunks,
                "chunk": list(range(self.chunks)),
                "position": [0] * self.chunks,
            },
            schema_overrides={"status": pl.Enum(STATUSES), "chunk": pl.UInt32, "position": pl.UInt16},
        )
        rows = make_results(
            plan, gather(histories, self.books.last_presentations(histories)), "camp", "stopped"
        ).collect()
        assert rows["row"].to_list() == list(range(self.chunks))
        for chunk, status in zip(rows["chunk"], rows["status"], strict=True):
            if chunk in self.taken:
                assert status in ("accepted", "unknown")
            if status == "accepted":
                assert chunk in self.taken
            if status in ("failed", "not_sent"):
                assert chunk not in self.maybe_taken

    def teardown(self) -> None:
        self.folder.cleanup()


LedgerMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
test_ledger_machine = LedgerMachine.TestCase
