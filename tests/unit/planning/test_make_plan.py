"""From the lists of a campaign to its frozen plan, and back by chunks."""

from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.planning.campaign_lists import find_campaign_lists
from globe_sms.tasks.planning.chunk_layout import WINDOW_CHUNKS
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.left_out import hash_texts
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError


def no_s3() -> S3Access:
    raise AssertionError("S3 was asked for")


def config(path: Path, **options: object) -> CampaignConfig:
    return CampaignConfig.checked(
        recipients=(str(path),), message="hello", type=MessageType.NOTIFY, results=str(path.parent), **options
    )


def plan_of(folder: Path, content: str, store: LocalStore, **options: object) -> FrozenPlan:
    path = folder / "list.csv"
    path.write_text(content)
    values = {"recipients": str(path), "type": MessageType.NOTIFY, "results": str(folder), **options}
    plan, _ = make_plan(CampaignConfig.checked(**values), store, no_s3, folder)
    return plan


@pytest.mark.parametrize("message", ["Hi {{name}}", "Hi *|NAME|*", "Hi {name}, it's ((code))"])
def test_a_placeholder_of_another_system_that_names_a_column_is_refused(
    message: str, local_store: LocalStore, tmp_path: Path
) -> None:
    """In any list; the refusal says what to write, and an option sends it all the same."""
    content = "phone,name,code\n6581234567,Anna,7A\n"
    with pytest.raises(InputError, match=r"list\.csv has a column '(name|code)'.*write \{(name|code)\}"):
        plan_of(tmp_path, content, local_store, message=message)
    assert list(local_store.list("plans/")) == []
    assert plan_of(tmp_path, content, local_store, message=message, literal_placeholders=True).counts() == {
        "sendable": 1
    }


def test_a_row_whose_own_text_has_a_placeholder_left_is_refused(local_store: LocalStore, tmp_path: Path) -> None:
    """Another system has made the texts, and not filled in all of them."""
    content = "phone,name,text\n6581234567,Anna,Hi Anna\n6581234568,Bert,Hi {Name}\n"
    with pytest.raises(InputError, match=r"list\.csv: row 1 has \{Name\} in its text.*column 'name'"):
        plan_of(tmp_path, content, local_store, message_column="text")
    sent = plan_of(tmp_path, content, local_store, message_column="text", literal_placeholders=True)
    assert sent.counts() == {"sendable": 2}


def test_who_must_not_get_the_text_is_left_out_by_each_file_and_the_first_one_is_named(
    local_store: LocalStore, tmp_path: Path
) -> None:
    """One knows the texts by their hash, the other numbers alone: neither is asked about rows that aren't sent."""
    path = tmp_path / "list.csv"
    path.write_text("phone,name\n6581234561,Anna\n6581234562,Bert\n6581234563,Cleo\nlandline,Dan\n")
    asked: list[str] = []

    def find(rows: pl.LazyFrame, folder: Path) -> tuple[Path, Path]:
        asked.extend(rows.collect()["message"])
        texts = rows.filter(pl.col("message") == "Hi Anna").select("e164", hash_texts(pl.col("message")))
        texts.with_columns(source=pl.lit("repeat:first")).collect().write_parquet(folder / "texts.parquet")
        numbers = pl.DataFrame({"e164": [6581234561, 6581234562], "source": "frequency"})
        numbers.write_parquet(folder / "numbers.parquet")
        return folder / "texts.parquet", folder / "numbers.parquet"

    values = {"recipients": str(path), "type": MessageType.NOTIFY, "results": "out", "message": "Hi {name}"}
    plan, _ = make_plan(CampaignConfig.checked(**values), local_store, no_s3, tmp_path, find_left_out=find)
    assert asked == ["Hi Anna", "Hi Bert", "Hi Cleo"]
    assert plan.scan().collect()["reason"].to_list() == ["repeat:first", "frequency", None, "not_a_number"]


@pytest.fixture
def long_plan(tmp_path: Path, local_store: LocalStore) -> FrozenPlan:
    """A plan of more than two blocks, one number a chunk, with rows between that are not sent."""
    lines = [f"65{81_000_000 + number // 3}" if number % 3 else "n/a" for number in range(WINDOW_CHUNKS * 9)]
    (tmp_path / "list").write_text("\n".join(["phone", *lines]))
    plan, _ = make_plan(config(tmp_path / "list", numbers_per_call=1), local_store, no_s3, tmp_path)
    return plan


@pytest.mark.parametrize(
    ("first", "last"), [(0, 0), (0, WINDOW_CHUNKS - 1), (WINDOW_CHUNKS - 1, WINDOW_CHUNKS), (10, 3 * WINDOW_CHUNKS - 1)]
)
def test_chunks_are_read_across_blocks(first: int, last: int, long_plan: FrozenPlan) -> None:
    """Whichever block a chunk is in."""
    found = list(long_plan.chunks(first, last))
    assert [chunk.index for chunk in found] == list(range(first, last + 1))
    assert [chunk.phone_numbers for chunk in found] == [(f"+65{81_000_000 + at}",) for at in range(first, last + 1)]


def test_blocks_hold_every_row_once(long_plan: FrozenPlan) -> None:
    """With the chunks that stand in them, and no others."""
    blocks = [(rows.collect(), chunks) for rows, chunks in long_plan.blocks()]
    assert pl.concat([rows for rows, _ in blocks]).equals(long_plan.scan().collect())
    for rows, chunks in blocks:
        assert rows["chunk"].drop_nulls().to_list() == list(chunks)


def test_two_plans_are_two_objects(tmp_path: Path, local_store: LocalStore) -> None:
    """Also where they were made of the same: a plan never changes under its name."""
    (tmp_path / "list").write_text("phone\n+6581234567\n")
    first, _ = make_plan(config(tmp_path / "list"), local_store, no_s3, tmp_path)
    second, _ = make_plan(config(tmp_path / "list"), local_store, no_s3, tmp_path)
    assert [*local_store.list("plans/")] == sorted(f"plans/{plan.id}.parquet" for plan in (first, second))
    loaded = FrozenPlan.load(first.id, local_store, tmp_path)
    assert loaded is not None
    assert loaded.scan().collect().equals(first.scan().collect())


def test_a_list_that_changed_after_its_campaign_was_named_is_refused(tmp_path: Path, local_store: LocalStore) -> None:
    """A campaign's id is made of the lists' contents; other contents are another campaign."""
    (tmp_path / "list").write_text("phone\n+6581234567\n")
    sources = find_campaign_lists(config(tmp_path / "list"), no_s3)
    (tmp_path / "list").write_text("phone\n+6581234568\n")
    with pytest.raises(InputError, match="it has changed since it was found"):
        make_plan(config(tmp_path / "list"), local_store, no_s3, tmp_path, sources=sources)
    assert not [*local_store.list("plans/")]


def test_header_and_encoding_are_those_of_the_configuration(tmp_path: Path, local_store: LocalStore) -> None:
    """They decide which numbers are read, so they are frozen."""
    (tmp_path / "list").write_bytes("Zoë,+6581234567\n".encode("windows-1252"))
    plain = config(tmp_path / "list")
    given = config(tmp_path / "list", no_header=True, encoding="Windows-1252", number_column="2")
    plan, _ = make_plan(given, local_store, no_s3, tmp_path)
    assert plan.scan().collect()["phone_number"].to_list() == ["+6581234567"]
    assert (plain.frozen_settings()["no_header"], plain.frozen_settings()["encoding"]) == (False, None)
    assert given.frozen_settings()["no_header"] is True
    assert given.frozen_settings()["encoding"] == "cp1252"
    with pytest.raises(InputError, match="--encoding: unknown text encoding 'klingon'"):
        config(tmp_path / "list", encoding="klingon")
