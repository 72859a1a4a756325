"""A chunk that is refused for its size or for some of its numbers: presented in parts, down to the ones at fault."""

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.gateway import BatchSend, CallVerdict, Outcome
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.chunk_portions import ChunkOutcome, send_chunk
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause
from tests.unit.sending.scripted_sender import Answer, ToldGateway, accepts, make_sender

NO_REPLY = Outcome(verdict=CallVerdict.UNCLEAR, reason="no_reply")
Make = Callable[..., Sender]


def chunk_of(size: int, **fields: object) -> Chunk:
    """A chunk of so many numbers."""
    return Chunk(0, tuple(f"+65{81_000_000 + place}" for place in range(size)), **fields)  # type: ignore[arg-type]


class StrictGateway(ToldGateway):
    """Refuses every call that has a bad number, or a bad text, or too many numbers, whole; keeps what it accepted."""

    def __init__(
        self,
        bad: Collection[str] = (),
        *,
        most: int = 1_000,
        text: str | None = None,
        verdict: CallVerdict = CallVerdict.ROW,
        answers: Mapping[int, Answer] | None = None,
    ) -> None:
        super().__init__(self._judge)
        self.bad = frozenset(number.removeprefix("+") for number in bad)
        self.most = most
        self.text = text
        self.verdict = verdict
        self.accepted = Counter[str]()
        self.doubtful = Counter[str]()
        self._instead = dict(answers or {})

    def _judge(self, batch: BatchSend) -> Outcome:
        instead = self._instead.pop(len(self.written), None)
        if instead is not None:
            self.doubtful.update(batch.numbers)
            assert isinstance(instead, Outcome)
            return instead
        if len(batch.numbers) > self.most:
            return Outcome(verdict=CallVerdict.SIZE, code="MOBILE_COUNT_OVER_LIMIT", advice="Lower it.")
        if self.bad.intersection(batch.numbers):
            return Outcome(
                verdict=self.verdict, code="MOBILE_NUMBER_ILLEGAL", description="illegal", advice="Check it."
            )
        if self.text is not None and any(self.text in message for message in batch.messages):
            return Outcome(verdict=CallVerdict.CONTENT, code="BLACK_KEY_CONTROL_LIMIT", advice="Change it.")
        self.accepted.update(batch.numbers)
        return accepts(batch)


@pytest.fixture
def make(local_store: LocalStore, tmp_path: Path) -> Generator[Make]:
    """Senders of one campaign, one after the other."""
    opened: list[Sender] = []

    def make_one(gateway: ToldGateway) -> Sender:
        for sender in opened:
            sender.campaign.give_back()
        opened.append(make_sender(local_store, gateway, tmp_path, rate=10_000.0))
        return opened[-1]

    yield make_one
    for sender in opened:
        sender.campaign.give_back()


def settlements(outcome: ChunkOutcome) -> Counter[Settlement]:
    return Counter(record.settlement for record in outcome.records)


def test_one_bad_number_of_250_is_found_and_the_others_are_accepted(make: Make) -> None:
    """In two calls for each halving, and one for the whole."""
    chunk = chunk_of(250)
    gateway = StrictGateway([chunk.phone_numbers[137]])
    sender = make(gateway)
    outcome = send_chunk(sender, chunk, History())
    assert outcome.history.left == ()
    assert sum(gateway.accepted.values()) == 249
    assert set(gateway.accepted.values()) == {1}
    assert settlements(outcome)[Settlement.REFUSED] == 1
    refused = next(record for record in outcome.records if record.settlement is Settlement.REFUSED)
    assert (refused.positions, refused.reason) == ((137,), "MOBILE_NUMBER_ILLEGAL")
    assert len(gateway.written) <= 1 + 2 * math.ceil(math.log2(250))
    assert sender.stop.stop is None
    assert {number.name: count for number, count in sender.progress.snapshot.numbers.items()} == {
        "ACCEPTED": 249,
        "FAILED": 1,
    }


def test_each_half_is_a_presentation_with_a_claim_a_turn_and_a_record_of_its_own(make: Make) -> None:
    chunk = chunk_of(4)
    sender = make(gateway := StrictGateway([chunk.phone_numbers[3]]))
    send_chunk(sender, chunk, History())
    store = sender.campaign.store
    assert sorted(store.list("claims/")) == [f"claims/000000-{number}" for number in range(5)]
    assert sorted(store.list("records/")) == [
        "records/000000-0-split",
        "records/000000-1-accepted-part",
        "records/000000-2-split-part",
        "records/000000-3-accepted-part",
        "records/000000-4-refused-part",
    ]
    assert [batch.task_id for batch in gateway.written] == [
        f"camp-0-{number}01".replace("-001", "-1") for number in range(5)
    ]


def test_a_chunk_of_bad_numbers_stops_the_run_with_what_it_saw(make: Make) -> None:
    """Not in 499 calls. Nobody but those that were refused alone is failed; the next run goes on with the others."""
    chunk = chunk_of(250)
    gateway = StrictGateway(chunk.phone_numbers)
    sender = make(gateway)
    outcome = send_chunk(sender, chunk, History())
    assert len(gateway.written) <= 40
    assert settlements(outcome)[Settlement.REFUSED] == 8
    stop = sender.stop.stop
    assert stop is not None
    assert "refused 8 of 8 numbers" in stop.message
    assert "MOBILE_NUMBER_ILLEGAL (illegal)" in stop.message
    gateway.bad = frozenset()
    sender = make(gateway)
    assert outcome.history.left is not None
    send_chunk(sender, chunk, outcome.history)
    assert len(gateway.accepted) == 242
    assert set(gateway.accepted.values()) == {1}


def test_bad_numbers_at_the_start_of_a_chunk_do_not_end_the_search(make: Make) -> None:
    """A list is often sorted by country."""
    chunk = chunk_of(250)
    gateway = StrictGateway(chunk.phone_numbers[:12])
    outcome = send_chunk(make(gateway), chunk, History())
    assert settlements(outcome)[Settlement.REFUSED] == 12
    assert len(gateway.accepted) == 238


def test_a_forbidden_word_in_one_personal_text_fails_its_row_alone(make: Make) -> None:
    texts = tuple(f"hello {place}" if place != 5 else "buy this" for place in range(20))
    gateway = StrictGateway(text="buy")
    outcome = send_chunk(make(gateway), chunk_of(20, messages=texts), History())
    assert len(gateway.accepted) == 19
    refused = [record for record in outcome.records if record.settlement is Settlement.REFUSED]
    assert [(record.positions, record.code) for record in refused] == [((5,), "BLACK_KEY_CONTROL_LIMIT")]


@pytest.mark.parametrize("verdict", [CallVerdict.ACCOUNT, CallVerdict.CAMPAIGN, CallVerdict.CONTENT])
def test_a_refusal_that_all_calls_share_stops_the_run_and_keeps_the_rows(make: Make, verdict: CallVerdict) -> None:
    """Nobody is failed; once it is fixed, the same chunk goes out whole."""
    chunk = chunk_of(20)
    gateway = StrictGateway(chunk.phone_numbers, verdict=verdict)
    sender = make(gateway)
    outcome = send_chunk(sender, chunk, History())
    assert [(each.settlement, each.reason, each.code) for each in outcome.records] == [
        (Settlement.STOPPED, "stopped", "MOBILE_NUMBER_ILLEGAL")
    ]
    assert len(gateway.written) == 1
    assert sender.stop.stop is not None
    gateway.bad = frozenset()
    sender = make(gateway)
    send_chunk(sender, chunk, sender.ledger.histories()[0])
    assert len(gateway.accepted) == 20


def test_a_call_that_is_too_large_is_halved_and_the_size_holds_for_the_run(make: Make) -> None:
    """The first chunk finds the size; the next one is presented in calls of it at once."""
    sender = make(gateway := StrictGateway(most=250))
    send_chunk(sender, chunk_of(1_000), History())
    assert [len(batch.numbers) for batch in gateway.written] == [1_000, 500, 250, 250, 250, 250]
    other = Chunk(1, tuple(f"+65{82_000_000 + place}" for place in range(600)))
    send_chunk(sender, other, History())
    assert [len(batch.numbers) for batch in gateway.written[6:]] == [250, 250, 100]
    assert sender.call_size.found == 250
    assert set(gateway.accepted.values()) == {1}
    assert len(gateway.accepted) == 1_600


def test_numbers_that_are_left_out_take_no_room_in_a_call(make: Make) -> None:
    """And are settled with the call around them."""
    sender = make(gateway := StrictGateway(most=4))
    sender.call_size.refuse(8)
    chunk = chunk_of(10, left_out={0: "opted", 2: "opted", 9: "opted"})
    outcome = send_chunk(sender, chunk, History())
    assert [len(batch.numbers) for batch in gateway.written] == [4, 3]
    assert [each.positions for each in outcome.records] == [(0, 1, 2, 3, 4, 5), (6, 7, 8, 9)]
    assert [dict(each.left_out) for each in outcome.records] == [{0: "opted", 2: "opted"}, {9: "opted"}]
    assert outcome.history.left == ()


def test_a_chunk_of_which_all_is_left_out_is_not_claimed(make: Make) -> None:
    sender = make(gateway := StrictGateway())
    outcome = send_chunk(sender, chunk_of(2, left_out={0: "opted", 1: "opted"}), History())
    assert (gateway.written, outcome.records, list(sender.campaign.store.list("claims/"))) == ([], (), [])


def test_a_half_without_a_reply_is_not_presented_again_and_the_others_are(make: Make) -> None:
    chunk = chunk_of(8)
    gateway = StrictGateway([chunk.phone_numbers[7]], answers={2: NO_REPLY})
    outcome = send_chunk(make(gateway), chunk, History())
    assert gateway.doubtful.keys() == {number[1:] for number in chunk.phone_numbers[:4]}
    assert gateway.accepted.keys() == {number[1:] for number in chunk.phone_numbers[4:7]}
    assert outcome.history.left == ()


def test_a_stop_in_the_middle_leaves_the_rest_for_the_next_run(make: Make) -> None:
    chunk = chunk_of(8)

    class Stops(StrictGateway):
        def _judge(self, batch: BatchSend) -> Outcome:
            if len(self.written) == 3:
                sender.stop.set(Stop(StopCause.CANCELLED, "test"))
            return super()._judge(batch)

    sender = make(gateway := Stops([chunk.phone_numbers[7]]))
    outcome = send_chunk(sender, chunk, History())
    assert len(gateway.written) == 3
    assert [each.positions for each in outcome.history.left or ()] == [(4, 5), (6, 7)]
    gateway.written.append(gateway.written[0])  # past the stop
    send_chunk(make(gateway), chunk, outcome.history)
    assert len(gateway.accepted) == 7


@settings(max_examples=10, deadline=None)  # a call takes its 30 ms
@given(
    st.integers(1, 8),
    st.sets(st.integers(0, 7)),
    st.integers(1, 8),
    st.dictionaries(st.integers(1, 10), st.sampled_from([NO_REPLY]), max_size=4),
)
def test_nobody_is_presented_after_an_acceptance_or_a_doubt_whatever_the_gateway_refuses(
    size: int, bad: set[int], most: int, unclear: dict[int, Outcome]
) -> None:
    """The gateway's own count is the judge."""
    chunk = chunk_of(size)
    wrong = [number for place, number in enumerate(chunk.phone_numbers) if place in bad]
    gateway = StrictGateway(wrong, most=most, answers=unclear)
    with tempfile.TemporaryDirectory() as folder:
        history = History()
        for _ in range(size + 1):
            sender = make_sender(LocalStore(Path(folder)), gateway, Path(folder), rate=10_000.0)
            with sender.campaign:
                history = send_chunk(sender, chunk, history).history
            if history.left == ():
                break
    assert history.left == ()
    assert not (gateway.accepted + gateway.doubtful) - Counter(dict.fromkeys(gateway.accepted | gateway.doubtful, 1))
    lost = {number[1:] for number in chunk.phone_numbers} - gateway.accepted.keys() - gateway.doubtful.keys()
    assert lost <= gateway.bad
