"""The lists and tables beside a campaign, on a real S3 server: opt-outs, earlier results, prices, prefixes."""

import gzip
import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import PlanFigures, PlanInputs
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.planning.campaign_lists import check_campaign_lists
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.planning.prefix_override_table import read_overrides
from globe_sms.tasks.reports.prices import read_prices
from globe_sms.tasks.runs.open_campaign_run import preflight
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal
from tests.integration.objects_on_s3 import Put

pytestmark = pytest.mark.usefixtures("only_this_server")

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEYS = ["opt outs/stop list.csv", "Abmeldungen/é-表 ✉.csv", "a+b&c=%20/[1]*?.csv", "2026-11-24/out#1.csv"]


def order_of(recipients: str, results: Path, **options: Any) -> CampaignConfig:
    return CampaignConfig.checked(recipients=recipients, message="Hi", type="NOTIFY", results=str(results), **options)


def verdicts(folder: Path, recipients: str, **options: Any) -> list[tuple[str | None, str | None]]:
    """What each row is planned as, and why."""
    s3 = cache(S3Access.from_environment)
    config = order_of(recipients, folder, **options)
    check_campaign_lists(config, s3)
    plan, _ = make_plan(config, LocalStore(folder / uuid.uuid4().hex), s3, folder, now=NOW)
    return plan.scan().select(pl.col("status").cast(pl.String), "reason").collect().rows()


def results_of(*rows: tuple[str, str, float]) -> bytes:
    """The results of an earlier campaign: numbers, statuses, and days since."""
    frame = pl.DataFrame(
        {
            "phone_number": [number for number, _, _ in rows],
            "status": [status for _, status, _ in rows],
            "sent_at": [NOW - timedelta(days=days) for _, _, days in rows],
        },
        schema={
            name: pl.String if name == "status" else RESULTS_SCHEMA[name]
            for name in ("phone_number", "status", "sent_at")
        },
    ).with_columns(
        pl.lit(None).alias(name) for name in RESULTS_SCHEMA if name not in ("phone_number", "status", "sent_at")
    )
    body = io.BytesIO()
    frame.select(pl.col(name).cast(dtype) for name, dtype in RESULTS_SCHEMA.items()).write_parquet(body)
    return body.getvalue()


LIST = b"phone\n+6581234567\n+6581234568\n+447400123456\n"
OUT = b"mobile\n0065 8123 4568\n"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("ending", "pack"), [("", bytes), (".gz", gzip.compress), (".zst", zstandard.compress)], ids=["plain", "gz", "zst"]
)
def test_an_opt_out_list_may_have_any_key_and_be_packed(
    key: str, ending: str, pack: Callable[[bytes], bytes], put: Put, tmp_path: Path
) -> None:
    """The key is taken as it is, and is the reason."""
    opted_out = put(key + ending, pack(OUT))
    assert verdicts(tmp_path, put("list.csv", LIST), suppress=[opted_out]) == [
        (None, None),
        ("suppressed", opted_out),
        (None, None),
    ]


def test_opt_out_lists_may_be_a_prefix_or_a_pattern(put: Put, prefix: str, tmp_path: Path) -> None:
    """Several kinds of lists, each the reason of its own numbers; what the pattern leaves out does not count."""
    first, second = put("out lists/é a.csv", OUT), put("out lists/b.csv.gz", gzip.compress(b"msisdn\n447400123456\n"))
    put("out lists/c.txt.csv", b"phone\n+6581234567\n")
    recipients = put("list.csv", LIST)
    everything = verdicts(tmp_path, recipients, suppress=f"{prefix}/out lists/")
    assert [status for status, _ in everything] == ["suppressed"] * 3
    some = verdicts(tmp_path, recipients, suppress=[f"{prefix}/out lists/é*", f"{prefix}/out l?sts/b.*"])
    assert some == [(None, None), ("suppressed", first), ("suppressed", second)]


@pytest.mark.parametrize("key", ["prod runs/é-1/results.parquet", "a+b=1/[x]/results.parquet"])
def test_earlier_results_may_have_any_key(key: str, put: Put, tmp_path: Path) -> None:
    """Whom they texted within the days is left out."""
    rows = [("+6581234567", "accepted", 2.0), ("+6581234568", "failed", 2.0), ("+447400123456", "accepted", 40.0)]
    results = put(key, results_of(*rows))
    found = verdicts(tmp_path, put("list.csv", LIST), exclude_results=[results])
    assert found == [("suppressed", results), (None, None), (None, None)]


def test_earlier_results_may_be_a_pattern(put: Put, prefix: str, tmp_path: Path) -> None:
    """The results of all campaigns of a place, and nothing else that lies in their folders."""
    first = put("prod/one camp/results.parquet", results_of(("+6581234567", "accepted", 1.0)))
    second = put("prod/zwei-ü/results.parquet", results_of(("+6581234568", "accepted", 1.0)))
    put("prod/zwei-ü/campaign.json", b"{}")
    found = verdicts(tmp_path, put("list.csv", LIST), exclude_results=[f"{prefix}/prod/*/results.parquet"])
    assert found == [("suppressed", first), ("suppressed", second), (None, None)]


@pytest.mark.parametrize("key", KEYS)
def test_prices_and_prefixes_may_have_any_key_and_be_packed(key: str, put: Put) -> None:
    """Read as lists are."""
    prices = read_prices(
        put(f"{key}.gz", gzip.compress(b"country,price,currency\nSG,0.04,USD\n")), S3Access.from_environment
    )
    assert prices is not None
    assert set(prices.by_region) == {"SG"}
    table = put(f"numbers {key}.gz", gzip.compress(b"prefix,mobile\n+65 7,yes\n"))
    assert read_overrides(table, S3Access.from_environment).mobile == {"657": True}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"suppress": ["{prefix}/no such.csv"]}, "no such.csv"),
        ({"suppress": ["{prefix}/nothing here/"]}, "nothing here/"),
        ({"suppress": ["{prefix}/é none*.csv"]}, "none"),
        ({"suppress": ["{good}", "{prefix}/bad.csv"]}, "bad.csv"),
        ({"suppress": ["s3://no-such-bucket-here/x.csv"]}, "no-such-bucket-here"),
        ({"exclude_results": ["{prefix}/gone/results.parquet"]}, "gone/results.parquet"),
        ({"exclude_results": ["{good}"]}, "a campaign's results.parquet"),
        ({"exclude_results": ["{prefix}/torn.parquet"]}, "torn.parquet"),
        ({"prices": "{prefix}/no prices.csv"}, "no prices.csv"),
        ({"numbers_override": "{prefix}/no prefixes.csv"}, "no prefixes.csv"),
    ],
)
def test_what_cannot_be_read_is_found_before_a_run(
    options: dict[str, Any], words: str, put: Put, prefix: str, tmp_path: Path
) -> None:
    """Named in one line, and nothing is left behind where the results would go."""
    good = put("good out.csv", OUT)
    put("bad.csv", b"a,b\n1,2\n")
    put("torn.parquet", results_of(("+6581234567", "accepted", 1.0))[:-9])

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        return value.replace("{prefix}", prefix).replace("{good}", good)

    given = {name: filled(value) for name, value in options.items()}
    config = order_of(put("list.csv", LIST), tmp_path / "out", dry_run=True, campaign="c", **given)
    with pytest.raises(InputError, match=words) as caught:
        preflight(config, {})
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "out" / "c").exists()


def test_a_campaign_that_is_being_sent_is_resumed_without_its_lists(prefix: str, tmp_path: Path) -> None:
    """Their rows are in the frozen plan."""
    config = order_of(f"{prefix}/gone.csv", tmp_path, dry_run=True, campaign="c")
    with pytest.raises(InputError, match=r"gone\.csv"):
        preflight(config, {})
    with Campaign(LocalStore(tmp_path), "c", stop=StopSignal()) as campaign:
        campaign.open(config.frozen_settings())
        figures = PlanFigures(id="p", inputs=PlanInputs(numbers_per_call=250), rows={"sendable": 1}, chunks=1)
        campaign.adopt(figures, config.frozen_settings(), ())
        campaign.begin_sending()
    preflight(config, {})
    with pytest.raises(InputError, match=r"gone out\.csv"):  # people may have opted out since
        preflight(config.model_copy(update={"suppress": (f"{prefix}/gone out.csv",)}), {})
