"""A data team's campaign: its own columns, variants, a holdout and a shared table, from the dry run to the erasure."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.command_line.app import make_app, run_app

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_sandbox")]


def test_an_experiment_is_split_once_and_carries_its_columns(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dry run's split is the one that's sent; the lists may be gone by the resume; exit 0 despite the holdout."""
    frame = pl.DataFrame(
        {
            "phone": [f"+65{81_000_000 + n}" for n in range(60)],
            "customer": range(60),
            "name": [f"N{n}" for n in range(60)],
        }
    )
    lists = tmp_path / "lists"
    lists.mkdir()
    frame.write_parquet(lists / "members.parquet")
    config = tmp_path / "spring.toml"
    config.write_text(
        'variant = ["A:70=Hi {name}, open at 9.", "B:30=Only today, {name}: -20 %"]\n'
        'holdout = "20%"\nkeep = ["customer"]\ntype = "MKT"\ncampaign = "spring"\n'
        f'results = "{tmp_path / "out"}"\ncalls-per-second = 50\nnumbers-per-call = 10\nyes = true\n'
        f'publish = "{tmp_path / "lake"}"\n'
    )

    def send(*options: str) -> tuple[int, pl.DataFrame, str]:
        code = run_app(make_app(), ("send", str(lists), "--config", str(config), "--json", *options))
        return code, pl.read_parquet(tmp_path / "out" / "spring" / "results.parquet"), capsys.readouterr().err

    def published() -> pl.DataFrame:
        return pl.read_parquet(tmp_path / "lake" / "campaign=spring" / "*" / "part.parquet", hive_partitioning=False)

    code, planned, preview = send("--dry-run")
    assert code == 0
    assert not (tmp_path / "lake").exists()
    assert "Numbers by variant" in preview
    frame.reverse().write_parquet(lists / "members.parquet")
    code, sent, _ = send()
    assert code == 0
    assert planned["customer"].equals(sent["customer"].reverse())
    assert planned["variant"].equals(sent["variant"].reverse())
    assert sent.columns[-2:] == ["variant", "customer"]
    assert sent.schema["customer"] == pl.Int64
    assert set(sent["status"]) == {"accepted", "not_sent"}
    held = sent.filter(status="not_sent")
    assert held["reason"].unique().to_list() == ["holdout"]
    assert 0 < held.height < 30
    assert sandbox.gateway.stats().accepted_numbers == 60 - held.height
    assert set(sent.filter(status="accepted")["variant"]) == {"A", "B"}

    shutil.rmtree(lists)
    lists.mkdir()
    code, resumed, _ = send()
    assert code == 0
    assert resumed.equals(sent)
    code, _, said = send("--holdout", "30%")
    assert code == 2
    assert "--holdout: was '20%', now '30%'" in said

    table = published()
    assert (
        table.select("row", "variant", "customer", "status").rows()
        == sent.select(table.columns).select("row", "variant", "customer", pl.col("status").cast(pl.String)).rows()
    )
    assert table["phone_number"].str.starts_with("~").all()
    assert run_app(make_app(), ("track", "spring", "--results", str(tmp_path / "out"))) in {0, 3}
    assert published()["delivery"].equals(
        pl.read_parquet(tmp_path / "out" / "spring" / "results.parquet")["delivery"].cast(pl.String)
    )
    assert published()["delivery"].null_count() == held.height
    capsys.readouterr()
    assert run_app(make_app(), ("show", "spring", "--results", str(tmp_path / "out"), "--json")) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["open"] == 0
    erase = ("purge", "--older-than", "0s", "--results", str(tmp_path / "out"), "--apply")
    assert run_app(make_app(), erase) == 0
    erased = pl.read_parquet(tmp_path / "out" / "spring" / "results.parquet")
    assert erased["customer"].null_count() == published()["customer"].null_count() == 60
    assert erased["variant"].equals(sent["variant"])
    assert "open at 9" not in (tmp_path / "out" / "spring" / "campaign.json").read_text()
