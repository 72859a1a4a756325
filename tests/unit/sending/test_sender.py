from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.lease import LEASE_SECONDS
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.settlement import ChunkState, Settlement
from globe_sms.tasks.gateway import CallVerdict, Outcome
from globe_sms.tasks.pacing.pacer import Departure, Pacer, Turn
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.failure_limit import FailureLimit
from globe_sms.tasks.sending.retries import Retries
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal
from tests.unit.sending.scripted_sender import CHUNK, FAST, NUMBERS, Answer, ToldGateway, accepts, make_sender

Found = TypeVar("Found")
Make = Callable[..., tuple[Sender, ToldGateway]]

ALONE = Chunk(0, NUMBERS[:1])
THROTTLED = Outcome(verdict=CallVerdict.THROTTLED, code="Throttling.User", advice="Slow down.")
STALE = Outcome(verdict=CallVerdict.STALE, code="SignatureNonceUsed")
UNREACHABLE = Outcome(verdict=CallVerdict.UNREACHABLE, reason="unreachable", advice="Check the network.")
REFUSED = Outcome(verdict=CallVerdict.ROW, code="MOBILE_NUMBER_ILLEGAL")
NO_BALANCE = Outcome(verdict=CallVerdict.ACCOUNT, code="AMOUNT_NOT_ENOUGH", advice="Top up the account.")
NO_REPLY = Outcome(verdict=CallVerdict.UNCLEAR, reason="no_reply", detail="no reply within 60 s")


class SeenWaits(StopSignal):
    """A stop signal that notes how long its owner wanted to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return super().wait(seconds)


@pytest.fixture
def make(local_store: LocalStore, tmp_path: Path) -> Generator[Make]:
    """Senders of one campaign, closed at the end."""
    opened: list[Sender] = []

    def make_one(*answers: Answer, failure_limit: FailureLimit | None = None) -> tuple[Sender, ToldGateway]:
        for sender in opened:
            sender.campaign.__exit__(None, None, None)
        gateway = ToldGateway(*answers)
        opened.append(make_sender(local_store, gateway, tmp_path, failure_limit=failure_limit))
        return opened[-1], gateway

    yield make_one
    for sender in opened:
        sender.campaign.__exit__(None, None, None)


def history(sender: Sender) -> History:
    """The chunk's history as the ledger has it."""
    return sender.ledger.histories().get(0, History())


@pytest.mark.parametrize(("lapses_at", "settlements"), [("take", {}), ("depart", {0: History((Settlement.NOT_SENT,))})])
def test_without_its_lease_a_run_neither_claims_nor_calls(
    local_store: LocalStore, tmp_path: Path, lapses_at: str, settlements: dict[int, History]
) -> None:
    """The lease lapses while the chunk waits for its turn, or between its claim and its call."""
    now = [1_800_000_000.0]

    class LapsingPacer(Pacer):
        """Lets the lease lapse at a turn, and ends the run at the next."""

        def take(self) -> Turn:
            if now[0] > 1_800_000_000.0:
                sender.stop.set(Stop(StopCause.STOPPED, "seen enough"))
            turn = super().take()
            return self.lapse("take", turn)

        def depart(self, turn: Turn) -> Departure:
            return self.lapse("depart", super().depart(turn))

        def lapse(self, where: str, found: Found) -> Found:
            now[0] += LEASE_SECONDS if where == lapses_at else 0.0
            return found

    gateway = ToldGateway(accepts)
    sender = make_sender(local_store, gateway, tmp_path, lease_clock=lambda: now[0], make_pacer=LapsingPacer)
    with sender.campaign:
        sender.send(CHUNK, History())
        assert gateway.written == []
        assert sender.ledger.histories() == settlements


def test_a_chunk_is_claimed_before_it_is_written_and_has_its_receipt_after(make: Make) -> None:
    """The order turn, claim, call, receipt is what makes a crash harmless."""
    seen: list[dict[int, History]] = []

    def look(batch: Any) -> Outcome:
        seen.append(sender.ledger.histories())
        return accepts(batch)

    sender, gateway = make(look)
    record = sender.send(CHUNK, History())
    assert seen == [{0: History((None,))}]
    assert history(sender) == History((Settlement.ACCEPTED,))
    assert record is not None
    assert record.message_ids == {index: f"id-{number[1:]}" for index, number in enumerate(NUMBERS)}
    assert gateway.written[0].task_id == "camp-0-1"


@pytest.mark.parametrize("refusal", [THROTTLED, STALE, UNREACHABLE])
def test_what_proves_that_nothing_was_sent_is_tried_again(make: Make, refusal: Outcome) -> None:
    """Throttled, a stale nonce, no connection: the same chunk goes out at a later turn, under the same claim."""
    sender, gateway = make(refusal, accepts)
    record = sender.send(CHUNK, History())
    assert record is not None
    assert record.settlement is Settlement.ACCEPTED
    assert history(sender) == History((Settlement.ACCEPTED,))
    assert gateway.written[-1].task_id == "camp-0-2"
    assert sender.stop.stop is None


def test_a_call_that_is_throttled_once_takes_the_next_free_turn(local_store: LocalStore, tmp_path: Path) -> None:
    """It has cost a turn already; only one that is throttled again waits longer."""
    stop = SeenWaits()
    retries = Retries(tries=4, first_pause=0.01, longest_pause=0.02)
    gateway = ToldGateway(THROTTLED, THROTTLED, accepts)
    sender = make_sender(local_store, gateway, tmp_path, retries=retries)
    sender.stop = stop
    with sender.campaign:
        sender.send(CHUNK, History())
    assert len(gateway.written) == 3
    assert stop.waits[0] == 0.0
    assert 0.005 <= stop.waits[1] <= 0.01


def test_every_attempt_has_a_task_id_of_its_own(make: Make) -> None:
    """Delivery receipts tell by it which attempt produced a message."""
    sender, gateway = make(THROTTLED, THROTTLED, accepts)
    sender.send(CHUNK, History())
    assert [batch.task_id for batch in gateway.written] == ["camp-0-1", "camp-0-2", "camp-0-3"]


@pytest.mark.parametrize("answer", [NO_REPLY, ValueError("a bug in the client")])
def test_what_is_unclear_is_never_tried_again(make: Make, answer: Outcome | Exception) -> None:
    """Once written and without a clear answer, the chunk is unknown, whatever went wrong."""
    sender, gateway = make(answer)
    if isinstance(answer, Exception):
        with pytest.raises(ValueError, match="a bug"):
            sender.send(CHUNK, History())
    else:
        sender.send(CHUNK, History())
    assert len(gateway.written) == 1
    assert history(sender).state is ChunkState.UNKNOWN


def test_a_refused_number_is_settled_and_the_campaign_goes_on(make: Make) -> None:
    """The refusal is the number's own."""
    sender, _ = make(REFUSED)
    record = sender.send(ALONE, History())
    assert record is not None
    assert (record.settlement, record.reason) == (Settlement.REFUSED, "MOBILE_NUMBER_ILLEGAL")
    assert history(sender).state is ChunkState.SETTLED
    assert sender.stop.stop is None


def test_an_account_level_refusal_stops_the_campaign_at_first_sight(make: Make) -> None:
    """No further call; the message has the code and what to do; a resume goes on with the chunk."""
    sender, gateway = make(NO_BALANCE)
    sender.send(CHUNK, History())
    stop = sender.stop.stop
    assert stop is not None
    assert "AMOUNT_NOT_ENOUGH" in stop.message
    assert "Top up the account." in stop.message
    assert sender.send(replace(CHUNK, index=1), History()) is None
    assert len(gateway.written) == 1
    assert history(sender).state is ChunkState.OPEN


def test_an_unclear_answer_that_allows_no_calls_stops_the_campaign(make: Make) -> None:
    """HTTP 403 from a proxy: its own numbers are unknown, and nobody else's become so."""
    sender, gateway = make(replace(NO_REPLY, stops=True, advice="Ask the proxy's people."))
    record = sender.send(CHUNK, History())
    assert record is not None
    assert record.settlement is Settlement.UNKNOWN
    assert sender.stop.stop is not None
    assert "Ask the proxy's people." in sender.stop.stop.message
    assert sender.send(replace(CHUNK, index=1), History()) is None
    assert len(gateway.written) == 1


@pytest.mark.parametrize("refusal", [THROTTLED, UNREACHABLE])
def test_retries_are_bounded_and_then_stop_the_campaign(make: Make, refusal: Outcome) -> None:
    """An account that answers nothing else is not called for ever; the rest waits for a resume."""
    sender, gateway = make(refusal)
    sender.send(CHUNK, History())
    assert sender.stop.stop is not None
    assert len(gateway.written) <= FAST.tries
    assert history(sender).state is ChunkState.OPEN


def test_a_resume_presents_an_account_refusal_again_under_a_new_claim(make: Make) -> None:
    """With a task id that no earlier attempt had."""
    sender, _ = make(NO_BALANCE)
    sender.send(CHUNK, History())
    sender, gateway = make(accepts)
    sender.send(CHUNK, history(sender))
    assert history(sender) == History((Settlement.STOPPED, Settlement.ACCEPTED))
    assert gateway.written[0].task_id == "camp-0-101"


def test_a_chunk_that_another_run_has_claimed_is_not_sent(make: Make) -> None:
    """A run that loses the claim writes nothing."""
    sender, gateway = make(accepts)
    sender.send(CHUNK, History())
    assert sender.send(CHUNK, History()) is None
    assert len(gateway.written) == 1


def test_a_stopped_run_claims_and_sends_nothing(make: Make) -> None:
    """A thread that outlives the stop finds it before its turn."""
    sender, gateway = make(accepts)
    sender.stop.set(Stop(StopCause.CANCELLED, "test"))
    assert sender.send(CHUNK, History()) is None
    assert (gateway.written, sender.ledger.histories()) == ([], {})


def test_a_stop_between_two_tries_releases_the_chunk(make: Make) -> None:
    """It was proved not to have been sent, so a resume may send it."""

    def throttle_and_stop(_: Any) -> Outcome:
        sender.stop.set(Stop(StopCause.CANCELLED, "test"))
        return THROTTLED

    sender, _ = make(throttle_and_stop)
    record = sender.send(CHUNK, History())
    assert record is not None
    assert (record.settlement, record.reason) == (Settlement.NOT_SENT, "cancelled")
    assert history(sender).state is ChunkState.OPEN


def test_a_run_without_its_lease_writes_nothing(make: Make, local_store: LocalStore) -> None:
    """A process that wakes up after another run took over finds the lease gone at its last look."""
    sender, gateway = make(accepts)
    campaign = local_store.get("camp/campaign.json")
    assert campaign is not None
    sender.campaign._lease = None
    sender.stop.set(Stop(StopCause.LEASE_LOST, "test"))
    assert sender.send(CHUNK, History()) is None
    assert gateway.written == []


@pytest.mark.parametrize(("answer", "settled"), [(accepts, "accepted"), (REFUSED, "refused"), (NO_REPLY, "unknown")])
def test_a_chunk_whose_receipt_is_lost_is_never_taken_for_unsent(
    make: Make, monkeypatch: pytest.MonkeyPatch, answer: Answer, settled: str
) -> None:
    """Neither the store nor this machine takes the receipt of what was presented, and both take others right after.

    It was sent, or may have been: a receipt that says otherwise would have the next run send it again.
    """
    chunk = ALONE if answer is REFUSED else CHUNK
    sender, gateway = make(answer)
    put, keep = LocalStore.put_if_absent, Spill._keep

    def put_others(store: LocalStore, key: str, body: bytes) -> str | None:
        if key.endswith(f"-{settled}"):
            raise StoreUnavailableError(key)
        return put(store, key, body)

    def keep_others(spill: Spill, key: str, body: bytes) -> Path:
        if key.endswith(f"-{settled}"):
            raise OSError(28, "No space left on device")
        return keep(spill, key, body)

    monkeypatch.setattr(LocalStore, "put_if_absent", put_others)
    monkeypatch.setattr(Spill, "_keep", keep_others)
    assert sender.send(chunk, History()) is None
    assert sender.stop.stop is not None
    assert sender.stop.stop.cause is StopCause.STORE_DOWN
    assert "No space left on device" in sender.stop.stop.message
    assert history(sender).state is ChunkState.UNKNOWN
    assert gateway.presented() == [number[1:] for number in chunk.phone_numbers]


def test_no_failure_to_record_an_answer_gives_the_chunk_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the ledger raises once the gateway has answered: nothing says afterwards that nobody was texted."""
    sender, _ = make(accepts)
    settle = sender.ledger.settle

    def fail_at_first(record: SendRecord) -> None:
        monkeypatch.setattr(sender.ledger, "settle", settle)
        raise StoreUnavailableError(record.key)

    monkeypatch.setattr(sender.ledger, "settle", fail_at_first)
    assert sender.send(CHUNK, History()) is None
    assert history(sender).state is ChunkState.UNKNOWN


def test_too_many_failures_stop_the_campaign_after_a_thousand_numbers(make: Make) -> None:
    """Failed and unknown numbers count alike: a gateway in trouble must not swallow a whole list."""
    sender, gateway = make(NO_REPLY, failure_limit=FailureLimit(0.5, fewest=6))
    for index in range(4):
        sender.send(replace(CHUNK, index=index), History())
    assert len(gateway.written) == 2
    stop = sender.stop.stop
    assert stop is not None
    assert "6 of the first 6 numbers" in stop.message


def test_ids_that_do_not_pair_are_kept_as_they_came(make: Make) -> None:
    """A wrong pairing would be worse than none."""

    def one_id_short(batch: Any) -> Outcome:
        return Outcome(
            verdict=CallVerdict.ACCEPTED,
            code="OK",
            accepted=tuple((number, None) for number in batch.numbers),
            message_ids=("a", "b"),
            ids_unmatched=True,
        )

    sender, _ = make(one_id_short)
    record = sender.send(CHUNK, History())
    assert record is not None
    assert (record.message_ids, record.unpaired_ids) == ({}, ("a", "b"))


def test_a_receipt_survives_its_encoding(make: Make) -> None:
    """What is read back is what was written."""
    sender, _ = make(THROTTLED, accepts)
    record = sender.send(CHUNK, History())
    assert record is not None
    assert SendRecord.decode(record.encode()) == record
