"""Columns of the lists on their way: in the plan, in the results, through deliveries, and through an erasure."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.campaign_json import plan_key
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.number_hashes import NumberHashes
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.delivery.apply_states import apply_states
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.results.join_plan_and_ledger import make_results, write_results
from globe_sms.tasks.results.ledger_answers import gather
from globe_sms.tasks.retention.erased_rows import Erasure, erase_rows
from globe_sms.tasks.store import LocalStore
from tests.unit.planned_csv import planned

LIST = (
    "phone,name,status,id_delivery,friend\n"
    "+6581234567,Anna,new,1,\n"
    "+6581234567,Bert,old,2,\n"
    "nonsense,Cleo,,3,(+65) 8123-4567\n"
    "+6581234568,,new,4,+6581234569\n"
)
KEPT = ["name", "list_status", "id_delivery", "friend"]


@pytest.fixture
def plan(tmp_path: Path) -> FrozenPlan:
    return planned(tmp_path, LIST, keep=["name", "status", "id_delivery", "friend"], message="Hi {name|you}")


def results_of(plan: FrozenPlan, folder: Path) -> Path:
    path, _ = write_results(
        plan, lambda rows, _: make_results(rows, gather({}, []), "c", "stopped", segments=None), folder
    )
    return path


def test_every_row_has_them_after_the_results_own_columns(plan: FrozenPlan, tmp_path: Path) -> None:
    """Duplicates and rows that aren't numbers, too."""
    found = pl.read_parquet(results_of(plan, tmp_path))
    assert found.columns == [*RESULTS_SCHEMA, *KEPT]
    assert found["status"].to_list() == ["not_sent", "duplicate", "invalid", "not_sent"]
    assert found.select("name", "list_status").rows() == [
        ("Anna", "new"),
        ("Bert", "old"),
        ("Cleo", None),
        (None, "new"),
    ]


def test_deliveries_leave_them_alone(plan: FrozenPlan, tmp_path: Path) -> None:
    """Also where one is called like a column of the join."""
    results = pl.scan_parquet(results_of(plan, tmp_path))
    state: dict[str, Any] = {
        **dict.fromkeys(STATE_SCHEMA),
        "message_id": "m",
        "phone_number": "+6581234567",
        "task_id": "c-0-1",
        "delivery": "delivered",
        "seen_at": datetime(2026, 11, 24, tzinfo=UTC),
    }
    found = apply_states(results, pl.LazyFrame([state], schema=STATE_SCHEMA), "c").collect()
    assert found["delivery"].to_list() == ["delivered", None, None, None]
    assert found.select(KEPT).equals(results.select(KEPT).collect())


def erased(plan: FrozenPlan, folder: Path, number: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Erase a number, or all, from plan and results; return both."""
    store = LocalStore(folder / "c")
    store.put_file_if_absent(plan_key(plan.id), plan.path)
    store.put_file("results.parquet", results_of(plan, folder))
    erasure = Erasure(NumberHashes(b"k"), number)
    for key in (plan_key(plan.id), "results.parquet"):
        assert erase_rows(store, key, erasure, folder, apply=True)
        assert not erase_rows(store, key, erasure, folder, apply=True)
    return pl.read_parquet(folder / "c" / plan_key(plan.id)), pl.read_parquet(folder / "c" / "results.parquet")


def test_a_purge_leaves_none_of_their_values(plan: FrozenPlan, tmp_path: Path) -> None:
    """They may say anything about a person; the columns stay, so that tables over campaigns still fit."""
    for found in erased(plan, tmp_path, None):
        kept = found.select(pl.col(f"^(kept:.*|{'|'.join(KEPT)})$"))
        assert kept.null_count().row(0) == (found.height,) * len(KEPT)


def test_forgetting_a_number_erases_all_of_its_rows_and_its_mention_in_others(plan: FrozenPlan, tmp_path: Path) -> None:
    """Somebody else's row loses the value that has the number, and nothing else."""
    stored, results = erased(plan, tmp_path, "+6581234567")
    assert results.select(KEPT).rows() == [
        (None,) * 4,
        (None,) * 4,
        ("Cleo", None, "3", None),
        (None, "new", "4", "+6581234569"),
    ]
    assert results["recipient"].to_list() == [None, None, "nonsense", "+6581234568"]
    assert stored["kept:name"].to_list() == [None, None, "Cleo", None]


def test_a_campaign_that_keeps_nothing_has_the_id_and_the_settings_that_it_had(tmp_path: Path) -> None:
    """With them, both say what is kept: another plan is made of other columns."""
    options: dict[str, Any] = {"recipients": "a.csv", "message": "Hi", "type": "NOTIFY", "results": str(tmp_path)}
    plain = CampaignConfig.checked(**options)
    assert "keep" not in plain.frozen_settings()
    assert plain.campaign_for(("a.csv x",)) == "campaign-49485f051b38"
    keeping = CampaignConfig.checked(**options, keep="id")
    assert keeping.frozen_settings()["keep"] == ["id"]
    assert keeping.campaign_for(("a.csv x",)) != plain.campaign_for(("a.csv x",))
