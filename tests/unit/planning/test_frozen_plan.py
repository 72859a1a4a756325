import tempfile
from pathlib import Path

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.numbers import validate
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.plan_rows import plan_rows
from globe_sms.tasks.planning.sending_groups import groups_of
from globe_sms.tasks.results.join_plan_and_ledger import make_results
from globe_sms.tasks.results.ledger_answers import gather
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError

RECIPIENTS = st.one_of(
    st.none(),
    st.text(max_size=15),
    st.integers(0, 9).map(lambda last: f"659123456{last}"),
    st.integers(0, 9).map(lambda last: f"+65 9123 456{last}"),
    st.sampled_from(["8613800138000", "+1 202 555 0104", "6561234567", "6.58E+09", "0065 91234561"]),
)

SENDERS = [Senders(), Senders("Other", {"SG": "Acme"})]


def rows(recipients: list[str | None]) -> pl.LazyFrame:
    """A list with one source, as the reading gives it."""
    return pl.LazyFrame(
        {"source": ["s3://b/list.csv"] * len(recipients), "row": range(len(recipients)), "recipient": recipients},
        schema={"source": pl.String, "row": pl.UInt64, "recipient": pl.String},
    )


def planned(recipients: list[str | None], numbers_per_call: int = 3) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = plan_rows(validate(rows(recipients), default_region=None), numbers_per_call, "p", Path(folder))
        return FrozenPlan(path).scan().collect(engine="streaming")


@given(st.lists(RECIPIENTS, max_size=40), st.integers(1, 7))
def test_every_row_is_planned_once_and_every_number_in_one_place(recipients: list[str | None], size: int) -> None:
    """Conservation: input order, no row lost, no number twice, chunks full but for the last."""
    plan = planned(recipients, size)
    assert plan["row"].to_list() == list(range(len(recipients)))
    assert plan["recipient"].to_list() == recipients
    sendable = plan.filter(pl.col("status").is_null())
    assert sendable["phone_number"].n_unique() == sendable.height
    assert sendable["chunk"].to_list() == [place // size for place in range(sendable.height)]
    assert sendable["position"].to_list() == [place % size for place in range(sendable.height)]
    assert plan.filter(pl.col("status").is_not_null())["chunk"].null_count() == plan.height - sendable.height


def test_the_first_row_wins_and_later_ones_name_it() -> None:
    """In whatever spelling."""
    plan = planned(["x", "6591234567", "+65 9123-4567", "0065 9123 4567"])
    assert plan["status"].to_list() == ["invalid", None, "duplicate", "duplicate"]
    assert plan["reason"].to_list()[2:] == ["s3://b/list.csv#1", "s3://b/list.csv#1"]


def test_a_plan_keeps_regions_and_reasons_as_texts() -> None:
    """Whatever they were judged as: its types depend neither on the metadata's regions nor on the reasons there are."""
    plan = planned(["6591234567", "x", "6591234567"])
    assert plan.select("region", "reason").rows() == [("SG", None), (None, "not_a_number"), ("SG", "s3://b/list.csv#0")]
    assert plan.select("region", "reason").dtypes == [pl.String, pl.String]


def test_rows_that_cannot_be_sent_are_no_duplicates_of_each_other() -> None:
    """A fixed line that stands twice is twice not mobile."""
    assert planned(["6561234567", "6561234567"])["reason"].to_list() == ["not_mobile", "not_mobile"]


def test_a_frozen_plan_reads_back_chunk_by_chunk(local_store: LocalStore, tmp_path: Path) -> None:
    """In position order."""
    numbers: list[str | None] = [f"6591{number:06}" for number in range(10)]
    path = plan_rows(validate(rows(numbers), default_region=None), 4, "p1", tmp_path)
    assert local_store.put_file_if_absent("plans/p1.parquet", path)
    plan = FrozenPlan.load("p1", local_store, tmp_path)
    assert plan is not None
    assert plan.id == "p1"
    assert plan.chunk_count() == 3
    assert dict(plan.counts()) == {"sendable": 10}
    assert [make() for make in plan.open_chunks([0, 2]).values()] == [*plan.chunks(0, 0), *plan.chunks(2, 2)]
    assert [chunk.phone_numbers for chunk in plan.chunks(1, 2)] == [
        tuple(f"+{number}" for number in numbers[4:8]),
        tuple(f"+{number}" for number in numbers[8:]),
    ]
    assert local_store.put_file_if_absent("plans/p2.parquet", path)
    with pytest.raises(InputError, match=r"plans/p2\.parquet isn't the plan that its name says"):
        FrozenPlan.load("p2", local_store, tmp_path)


def test_the_metadatas_version_is_frozen_and_stands_beside_each_number_that_it_does_not_list(tmp_path: Path) -> None:
    """A later run with newer metadata still names the version that turned the row away."""
    path = plan_rows(
        validate(rows(["6571234567", "6561234567", "6581234567", "x"]), default_region=None), 4, "s", tmp_path
    )
    plan = FrozenPlan(path)
    assert plan.phonenumbers == phonenumbers.__version__
    found = make_results(plan.scan(), gather({}, []), "camp", "stopped", "8.0.1").collect()
    assert found["reason"].to_list() == ["not_valid_for_region", "not_mobile", "stopped", "not_a_number"]
    assert found["metadata"].to_list() == ["phonenumbers 8.0.1", None, None, None]
    assert found.columns.index("metadata") == found.columns.index("sent_at") + 1


def test_a_plan_that_was_deleted_is_not_loaded(local_store: LocalStore, tmp_path: Path) -> None:
    """A run that has made it again has deleted it."""
    assert FrozenPlan.load("p1", local_store, tmp_path) is None


@given(
    st.lists(RECIPIENTS, max_size=25),
    st.lists(st.sampled_from([None, *Settlement]), max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_results_account_for_every_row_whatever_the_ledger_says(
    recipients: list[str | None], settlements: list[Settlement | None], dice: object
) -> None:
    """Conservation again, at the other end; the schema is the contract's, to the letter."""
    plan = planned(recipients)
    sizes = dict(plan.drop_nulls("chunk").group_by("chunk").len().iter_rows())
    histories = {chunk: History((settlements[chunk],)) for chunk in sizes if chunk < len(settlements)}
    send_records = [
        SendRecord(
            chunk=chunk,
            submission=0,
            run="r",
            settlement=history.settlements[0],
            reason="REASON",
            code="CODE",
            description="words",
            request_id="R",
            sent_at=1.0,
            fingerprint="",
            failed=(0,) if history.settlements[0] is Settlement.ACCEPTED and dice.random() < 0.5 else (),  # type: ignore[attr-defined]
            message_ids={position: f"id-{position}" for position in range(1, sizes[chunk])},
        )
        for chunk, history in histories.items()
        if history.settlements[0] is not None
    ]
    found = make_results(plan.lazy(), gather(histories, send_records), "camp", "stopped").collect(engine="streaming")
    assert found.schema == RESULTS_SCHEMA
    assert found["row"].to_list() == list(range(len(recipients)))
    assert found["status"].null_count() == 0
    assert found.filter((pl.col("status") != "accepted") & pl.col("reason").is_null()).height == 0
    assert (
        found.filter(
            (pl.col("status") == "accepted") & (pl.col("message_id").is_null() != pl.col("reason").is_not_null())
        ).height
        == 0
    )
    for row in found.iter_rows(named=True):
        if row["chunk"] is None:
            continue
        settlement = histories[row["chunk"]].settlements[0] if row["chunk"] in histories else Settlement.NOT_SENT
        expected = {
            None: "unknown",
            Settlement.UNKNOWN: "unknown",
            Settlement.REFUSED: "failed",
            Settlement.STOPPED: "not_sent",
            Settlement.SPLIT: "not_sent",
            Settlement.NOT_SENT: "not_sent",
        }.get(settlement)
        assert expected is None or row["status"] == expected


@given(st.lists(RECIPIENTS, max_size=40), st.integers(1, 7), st.integers(1, 50), st.sampled_from(SENDERS))
def test_a_canary_is_exactly_the_first_numbers_in_chunks_of_their_own(
    recipients: list[str | None], size: int, canary: int, senders: Senders
) -> None:
    """Whatever cuts the chunks; numbers stay dense, positions count from 0, nobody is left out."""
    groups = groups_of(senders)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        validated = validate(rows(recipients), default_region=None)
        plan = FrozenPlan(plan_rows(validated, size, "s", folder, groups=groups, canary=canary))
        sent = plan.scan().filter(pl.col("status").is_null()).collect()
        chunks = plan.canary_chunks(canary)
        assert plan.chunk_count() == sent["chunk"].n_unique()
        if chunks:
            read = {chunk.index: len(chunk.phone_numbers) for chunk in plan.chunks(0, plan.chunk_count() - 1)}
            assert read == dict(sent.group_by("chunk").len().iter_rows())
    assert sent.filter(pl.col("chunk") < chunks)["row"].to_list() == sent["row"].to_list()[:canary]
    assert set(sent["chunk"]) == set(range(sent["chunk"].n_unique()))
    for _, positions in sent.group_by("chunk").agg("position").iter_rows():
        assert sorted(positions) == list(range(len(positions))) != []
        assert len(positions) <= size


def test_a_canary_costs_one_short_chunk_at_most(tmp_path: Path) -> None:
    """Three people are three people, though a call has four."""
    numbers: list[str | None] = [f"6591{number:06}" for number in range(12)]
    plan = FrozenPlan(plan_rows(validate(rows(numbers), default_region=None), 4, "s", tmp_path, canary=3))
    assert [len(chunk.phone_numbers) for chunk in plan.chunks(0, 3)] == [3, 4, 4, 1]
    assert plan.canary_chunks(3) == 1
