"""Chunks never mix senders or hours, and without groups they are what they were."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.numbers import validate
from globe_sms.tasks.planning.chunk_layout import ChunkLayout, SendingGroup, SendingGroups, lay_out_chunks, window_rows
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.plan_rows import plan_rows
from globe_sms.tasks.planning.sending_groups import groups_of
from globe_sms.tasks.vocabulary.errors import InputError

GIVEN = {"recipients": "a", "message": "a", "type": "NOTIFY", "results": "o"}
GROUPS = tuple(SendingGroup(str(number)) for number in range(4))


def by_digit(rows: pl.DataFrame) -> pl.Series:
    """Take the last digit of a number for its group."""
    return rows["e164"] % 10


@given(
    st.lists(st.none() | st.integers(0, len(GROUPS) - 1), max_size=60), st.integers(1, 5), st.integers(1, 4), st.data()
)
def test_every_sendable_row_is_in_one_chunk_and_no_chunk_mixes_lanes(
    rows: list[int | None], size: int, calls: int, data: st.DataObject
) -> None:
    """Dense numbers, full chunks but for the last of a group in a window, positions in input order, whole windows."""
    groups_used = data.draw(st.integers(1, len(GROUPS)))
    groups = [None if row is None else row % groups_used for row in rows]
    nth = iter(range(len(rows)))
    frame = pl.DataFrame(
        {
            "region": ["SG"] * len(rows),
            "e164": [None if group is None else 6581234560 + group for group in groups],
            "nth": [None if group is None else next(nth) for group in groups],
        },
        schema={"region": pl.String, "e164": pl.Int64, "nth": pl.UInt64},
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frame.select("region", "e164").write_parquet(folder / "rows")
        found, layout = lay_out_chunks(
            folder / "rows", frame.lazy().select("nth"), SendingGroups(GROUPS, by_digit, size * calls), size, folder
        )
        places = found.collect()
    placed = pl.DataFrame({"group": groups}, schema={"group": pl.Int64}).hstack(places).with_row_index("row")
    sent = placed.drop_nulls("group")
    assert placed.height == len(rows)
    assert placed.filter(pl.col("group").is_null(), pl.col("chunk").is_not_null()).is_empty()
    chunks = sent.group_by("chunk").agg(pl.all()).sort("chunk")
    assert chunks["chunk"].to_list() == list(range(layout.chunk_count))
    for chunk, _, group, positions in chunks.select("chunk", "row", "group", "position").iter_rows():
        assert positions == list(range(len(positions)))
        assert len(positions) == layout.size_of(chunk) <= size
        assert set(group) == {layout.group_of(chunk)}
    for at, (start, first) in enumerate(layout.windows):
        after, end = layout.windows[at + 1] if at + 1 < len(layout.windows) else (len(rows), layout.chunk_count)
        inside = sent.filter(pl.col("row").is_between(start, after - 1))["chunk"]
        assert set(inside) == set(range(first, end))
        of_lane = [each_range.group for each_range in layout.ranges if first <= each_range.first_chunk < end]
        assert len(of_lane) == len(set(of_lane))
    if groups_used == 1:
        assert sent["chunk"].to_list() == [place // size for place in range(sent.height)]
        assert sent["position"].to_list() == [place % size for place in range(sent.height)]


@given(st.integers(1, 1_000))
def test_a_window_is_big_and_has_whole_calls(size: int) -> None:
    """So that short chunks are few, and one group is cut as if there were no windows."""
    assert window_rows(size) >= 500_000
    assert window_rows(size) % size == 0


def test_how_chunks_were_cut_reads_back_from_its_text() -> None:
    """Without the groups that nobody is in."""
    text = ChunkLayout(
        (SendingGroup("A"), SendingGroup("B", ("Asia/Singapore",)), SendingGroup(None, ())), 2, ((0, 0),), ()
    ).encode()
    assert ChunkLayout.decode(text).groups == ()
    assert ChunkLayout.decode(text).chunk_count == 0


def listed(numbers: list[str]) -> pl.LazyFrame:
    """Judge some numbers."""
    rows = {"source": ["l"] * len(numbers), "row": range(len(numbers)), "recipient": numbers}
    return validate(
        pl.LazyFrame(rows, schema={"source": pl.String, "row": pl.UInt64, "recipient": pl.String}), default_region=None
    )


MIXED = ["+6581234567", "+447400123456", "x", "+6581234568", "+33612345678", "+6581234569", "+6581234567"]


def test_each_chunk_has_the_sender_of_its_countries(tmp_path: Path) -> None:
    """By rule, or the one for all others; read back from the frozen plan in any order."""
    plan = FrozenPlan(
        plan_rows(listed(MIXED), 2, "s", tmp_path, groups=groups_of(Senders("Other", {"SG": "Acme", "FR": "Other"})))
    )
    found = [(chunk.group.sender_id if chunk.group else "", chunk.phone_numbers) for chunk in plan.chunks(0, 2)]
    assert found == [
        ("Acme", ("+6581234567", "+6581234568")),
        ("Acme", ("+6581234569",)),
        ("Other", ("+447400123456", "+33612345678")),
    ]
    opened = plan.open_chunks([2, 0])
    assert {index: make().index for index, make in opened.items()} == {0: 0, 2: 2}
    blocks = [(rows.collect(), chunks) for rows, chunks in plan.blocks()]
    assert [(rows.height, chunks) for rows, chunks in blocks] == [(len(MIXED), range(3))]


def test_a_plan_of_several_windows_is_read_window_by_window(tmp_path: Path) -> None:
    """Chunks in any order, from wherever they stand; blocks with all rows and all chunks once."""
    numbers = [f"{code}{number:02}" for number in range(20) for code in ("+65812345", "x", "+4474001234")]
    ruled = groups_of(Senders(None, {"SG": "Acme"}))
    assert ruled is not None
    plan = FrozenPlan(plan_rows(listed(numbers), 3, "s", tmp_path, groups=SendingGroups(ruled.groups, ruled.sort, 9)))
    blocks = [(rows.collect(), chunks) for rows, chunks in plan.blocks()]
    assert len(blocks) == 5
    assert pl.concat([rows for rows, _ in blocks]).equals(plan.scan().collect())
    assert [chunk for _, chunks in blocks for chunk in chunks] == list(range(plan.chunk_count()))
    for rows, chunks in blocks:
        assert set(rows["chunk"].drop_nulls()) == set(chunks)
    every = {chunk.index: chunk for chunk in plan.chunks(0, plan.chunk_count() - 1)}
    assert sum(len(chunk.phone_numbers) for chunk in every.values()) == 40
    for chunk in every.values():
        assert {(number[:3] == "+65", chunk.group) for number in chunk.phone_numbers} in (
            {(True, SendingGroup("Acme"))},
            {(False, SendingGroup(None))},
        )
    some = [plan.chunk_count() - 1, 0, 5]
    assert {index: make() for index, make in plan.open_chunks(some).items()} == {index: every[index] for index in some}


def test_rules_that_name_one_sender_only_cut_the_chunks_of_a_plan_without_rules(tmp_path: Path) -> None:
    """The same chunk numbers and positions."""
    plain = FrozenPlan(plan_rows(listed(MIXED), 2, "plain", tmp_path))
    ruled = FrozenPlan(plan_rows(listed(MIXED), 2, "ruled", tmp_path, groups=groups_of(Senders("A", {"SG": "A"}))))
    assert ruled.scan().collect().equals(plain.scan().collect())
    assert [chunk.group for chunk in ruled.chunks(0, 0)] == [SendingGroup("A")]


@pytest.mark.parametrize(
    ("given", "usual", "rules"),
    [
        (None, None, ()),
        ([], None, ()),
        ("Acme", "Acme", ()),
        (["Acme"], "Acme", ()),
        ("*=Acme", "Acme", ()),
        (["sg=Acme", "*=12345", " gb =Acme"], "12345", ("GB=Acme", "SG=Acme")),
        (["SG=Acme"], None, ("SG=Acme",)),
    ],
)
def test_sender_ids_are_read_as_they_are_written(given: object, usual: str | None, rules: tuple[str, ...]) -> None:
    """And go to the flow, and into its configuration, as they were."""
    config = CampaignConfig.checked(**GIVEN, sender_id=given)
    assert (config.sender_id, config.sender_by_country) == (usual, rules)
    assert CampaignConfig.checked(**config.options()) == config


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (["SG=Acme", "SG=Other"], "SG has two"),
        (["Acme", "Other"], "all other countries have two"),
        (["Acme", "*=Other"], "all other countries have two"),
        (["XX=Acme"], "the country 'XX' is unknown"),
        (["=Acme"], "the country '' is unknown"),
        (["SG="], "can't be empty"),
        (["SG=Acme Ltd"], "only letters A to Z"),
        (["SG=AcmeAcmeAcme"], "at most 11"),
        (["*=Acme Ltd"], "only letters A to Z"),
        ([""], "can't be empty"),
    ],
)
def test_a_sender_id_that_is_none_is_refused_by_its_option(given: list[str], fault: str) -> None:
    """An unknown country too: nobody is texted from a sender that was not meant for them."""
    with pytest.raises(InputError, match=f"--sender-id: (.*){fault}"):
        CampaignConfig.checked(**GIVEN, sender_id=given)


def test_sender_ids_are_frozen_in_any_order() -> None:
    """One for all, or one a country, as a list or in one text with commas."""
    plain = CampaignConfig.checked(**GIVEN, sender_id="Acme")
    assert plain.frozen_settings()["sender_id"] == "Acme"
    assert plain.frozen_settings()["sender_by_country"] == []
    assert plain.frozen_settings() == CampaignConfig.checked(**GIVEN, sender_id=["*=Acme"]).frozen_settings()
    ruled = CampaignConfig.checked(**GIVEN, sender_id=["SG=A", "GB=B"])
    assert ruled.frozen_settings() == CampaignConfig.checked(**GIVEN, sender_id=["GB=B", "SG=A"]).frozen_settings()
    assert ruled.frozen_settings() == CampaignConfig.checked(**GIVEN, sender_id="GB=B, SG=A").frozen_settings()
    assert ruled.frozen_settings() != CampaignConfig.checked(**GIVEN).frozen_settings()


def test_a_country_without_a_rule_has_the_accounts_sender() -> None:
    """As a campaign that names none; a resume keeps what was frozen."""
    config = CampaignConfig.checked(**GIVEN, account="production", sender_id=["SG=Acme"])
    settled = config.taking_from({"sender_id": "Block"})
    assert [settled.senders.of(region) for region in ("SG", "GB", None)] == ["Acme", "Block", "Block"]
    assert CampaignConfig.checked(**settled.options()) == config
    assert settled.campaign_for(("l",)) == config.campaign_for(("l",))
