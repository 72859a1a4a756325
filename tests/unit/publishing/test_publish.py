"""The table that all campaigns share: what is in it, who reads it, and that it follows the results."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.campaign.campaign_json import CampaignDocument, Publication
from globe_sms.tasks.campaign.number_hashes import NumberHashes
from globe_sms.tasks.campaign.options.results_table import PublishNumbers
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.publishing.publish import Publisher, partition_uris
from globe_sms.tasks.publishing.published_rows import published_rows, write_published
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import StoreError

ROOT = Path(__file__).parents[3]
NOW = datetime.now(UTC)
HASHES = NumberHashes(b"secret")


def results(kept: dict[str, Any] | None = None, *rows: dict[str, Any]) -> pl.LazyFrame:
    """Results of accepted rows with these fields, and kept columns (a list of values each)."""
    blank = {**dict.fromkeys(RESULTS_SCHEMA), "source": "s3://lists/a.csv", "status": "accepted", "chunk": 0}
    numbered = [{**blank, "row": place, **row} for place, row in enumerate(rows)]
    return pl.LazyFrame(numbered, schema=RESULTS_SCHEMA).with_columns(**(kept or {}))


ONE = {"phone_number": "+6581234567", "recipient": "8123 4567"}


@pytest.mark.parametrize(
    ("numbers", "number"),
    [("full", "+6581234567"), ("masked", "+65••••4567"), ("hashed", HASHES.number("+6581234567")), ("none", None)],
)
def test_a_number_is_told_as_far_as_was_asked(numbers: str, number: str | None) -> None:
    found = published_rows(results(None, ONE), PublishNumbers(numbers), HASHES).collect()
    assert found["phone_number"].to_list() == [number]
    assert found["recipient"].to_list() == ["8123 4567" if numbers == "full" else None]


@settings(max_examples=30)
@given(
    st.sampled_from([each for each in PublishNumbers if each is not PublishNumbers.FULL]),
    st.lists(st.sampled_from(["+6581234567", "+4915112345678", None]), min_size=1, max_size=4),
    st.sampled_from(["{}", "tel: {}", "a{}b", "{:.3}"]),
)
def test_a_number_that_is_not_told_is_in_no_column(
    numbers: PublishNumbers, phones: list[str | None], written: str
) -> None:
    """Not as the list wrote it, nor among its own columns, nor in what the gateway said; other values stay."""
    national = [f"0{(each or '+65912345')[3:]}" for each in phones]
    kept: dict[str, Any] = {
        "phone": pl.Series([each and written.format(each) for each in phones], dtype=pl.String),
        "tel": pl.Series([each.replace("12", "1-2 ") for each in national]),
        "digits": pl.Series([each and int(each[1:]) for each in phones], dtype=pl.Int64),
        "others": pl.Series([[each or ""] for each in phones]),
        "customer": pl.Series([f"c{place}" for place in range(len(phones))]),
    }
    rows = [
        {"phone_number": each, "recipient": raw, "response_description": f"no {each}"}
        for each, raw in zip(phones, national, strict=True)
    ]
    found = published_rows(results(kept, *rows), numbers, HASHES).collect()
    for row in found.drop("customer", "row", "source").iter_rows():
        digits = re.sub(r"\D", "", repr(row).replace("••••", "x"))
        assert not any(each and each[3:] in digits for each in phones)
    assert found["customer"].to_list() == kept["customer"].to_list()


@pytest.mark.parametrize(
    "written",
    [
        pl.Series(["081234567"]),
        pl.Series([81234567]),
        pl.Series(["tel. 8123-4567"], dtype=pl.Enum(["tel. 8123-4567"])),
        pl.Series([b"+6581234567"]),
        pl.Series([{"tel": "(8123) 4567"}]),
    ],
    ids=["text", "number", "enum", "bytes", "nested"],
)
def test_a_number_is_recognized_without_its_country_code_and_in_columns_of_every_type(written: pl.Series) -> None:
    """Also if the list's own column of numbers has the country code."""
    row = {"phone_number": "+6581234567", "recipient": "+65 8123 4567"}
    kept = {"tel": written, "since": pl.Series([NOW]), "paid": pl.Series([True]), "customer": pl.Series(["c-234567"])}
    found = published_rows(results(kept, row), PublishNumbers.NONE, None).collect()
    assert found.select("tel", "since", "paid", "customer").row(0) == (None, NOW, True, "c-234567")


def test_rows_after_the_first_block_are_told_as_the_first(tmp_path: Path) -> None:
    rows = results(None, ONE).select(pl.all().repeat_by(250_001).explode())
    rows.collect().write_parquet(tmp_path / "results.parquet")
    write_published(tmp_path / "results.parquet", PublishNumbers.NONE, None, tmp_path / "published.parquet")
    found = pl.read_parquet(tmp_path / "published.parquet")
    assert (found.height, found["phone_number"].count(), found["recipient"].count()) == (250_001, 0, 0)


def test_every_engine_reads_the_types() -> None:
    found = published_rows(results({"big": pl.Series([2**64 - 1], dtype=pl.UInt64)}, ONE), PublishNumbers.NONE, None)
    schema = found.collect_schema()
    assert "campaign" not in schema  # it's in the path
    assert not any(each.is_unsigned_integer() or isinstance(each, pl.Enum) for each in schema.values())
    assert str(found.collect()["big"].item()) == str(2**64 - 1)


class Campaign:
    """A campaign that holds its lease: its document, and where it is."""

    def __init__(self, name: str, place: LocalStore, *tables: Publication) -> None:
        self.store = place.within(name)
        self.document = CampaignDocument(
            campaign=name, created_at=NOW, settings={}, sending_since=NOW, published=tables
        )

    def update(self, **fields: Any) -> None:
        self.document = self.document.changed(**fields)


def published(folder: Path) -> Callable[..., None]:
    """Return a function that publishes a campaign's results."""
    place = LocalStore(folder / "out")

    def no_s3() -> Any:
        raise AssertionError

    publisher = Publisher(place, no_s3, folder)

    def publish(name: str, rows: pl.LazyFrame, numbers: str = "hashed") -> CampaignDocument:
        campaign = Campaign(name, place)
        tables = publisher.tables_of(campaign.document, str(folder / "sms"), PublishNumbers(numbers))
        campaign.update(published=tables)
        assert not any(each.is_current for each in campaign.document.published)
        rows.collect().write_parquet(folder / "results.parquet")
        publisher.publish(campaign, folder / "results.parquet")  # type: ignore[arg-type]
        assert all(each.is_current for each in campaign.document.published)
        return campaign.document

    return publish


def blocks(language: str) -> list[str]:
    """The code of the page for operators about the table, in this language."""
    page = (ROOT / "flows" / "manual" / "results.md").read_text(encoding="utf-8")
    section = page.split("## One table of all campaigns\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_queries_of_the_page_for_operators_count_the_table(tmp_path: Path) -> None:
    """With polars and DuckDB; Athena's query on DuckDB, which has its functions. Campaigns keep different columns."""
    publish = published(tmp_path)
    delivered, lost = ({**ONE, "delivery": each} for each in ("delivered", "undelivered"))
    publish("spring", results({"customer": pl.lit(1)}, *({**row, "variant": "A"} for row in (delivered, lost))))
    publish("autumn", results({"segment": pl.lit("x")}, delivered, {**ONE, "status": "failed"}), "none")
    expected = [("autumn", None, 1, 1), ("spring", "A", 2, 1)]
    assert partition_uris(publish("spring", results(None, {**delivered, "variant": "A"}, {**lost, "variant": "A"})))

    def here(code: str) -> str:
        return code.replace("s3://lake/sms", str(tmp_path / "sms"))

    (python,) = blocks("python")
    names: dict[str, Any] = {}
    exec(here(python), names)  # noqa: S102 - it's our own page
    assert names["delivered"].rows() == expected
    duck, table, athena = blocks("sql")
    assert duckdb.sql(here(duck)).fetchall() == expected
    everything = f"{tmp_path}/sms/campaign=*/date=*/part.parquet"
    source = f"read_parquet('{everything}', hive_partitioning = true, union_by_name = true)"
    with duckdb.connect() as connection:
        connection.sql(f"FROM {source}").create_view("sms")
        assert connection.execute(athena).fetchall() == expected
    declared = re.findall(r"(\w+)`? (?:string|bigint|int|timestamp|date)\b", table)
    assert [*declared[:-2], "campaign"] == [*(name for name in RESULTS_SCHEMA if name != "campaign"), "campaign"]


def test_a_campaign_has_one_partition_whatever_the_day(tmp_path: Path) -> None:
    """A later run replaces it, and keeps the day on which the sending began."""
    publish = published(tmp_path)
    publish("spring", results(None, ONE))
    document = publish("spring", results(None, ONE, ONE), "full")
    files = [*(tmp_path / "sms").rglob("*.parquet")]
    assert [str(each) for each in files] == [*partition_uris(document)]
    assert f"campaign=spring/date={NOW:%Y-%m-%d}" in str(files[0])
    assert pl.read_parquet(files[0], hive_partitioning=False)["phone_number"].to_list() == ["+6581234567"] * 2


def test_what_never_sent_or_is_a_test_is_in_no_table_and_a_table_that_fails_is_named(tmp_path: Path) -> None:
    """The results are complete by then, so the same command tries again."""
    place = LocalStore(tmp_path / "out")
    publisher = Publisher(place, lambda: pytest.fail("no S3"), tmp_path)
    sent = Campaign("spring", place).document
    for document in (sent.changed(sending_since=None), sent.changed(settings={"test_to_sha256": "x"})):
        assert publisher.tables_of(document, str(tmp_path / "sms"), PublishNumbers.FULL) == ()
    (tmp_path / "file").write_text("")
    table = Publication(uri=str(tmp_path / "file" / "sms"), numbers="full", date="2026-11-30")
    campaign = Campaign("spring", place, table)
    results(None, ONE).collect().write_parquet(tmp_path / "results.parquet")
    with pytest.raises(StoreError, match=r"accounted for in .*out/spring, but the table at .*file/sms wasn't updated"):
        publisher.publish(campaign, tmp_path / "results.parquet")  # type: ignore[arg-type]
    assert not campaign.document.published[0].is_current
