"""Who is left out, what it costs, and what stops a campaign before its first call."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.number_hashes import HASH_KEY, make_hashes
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.planned_csv import NOW, no_s3, planned, written


def verdicts(plan: FrozenPlan) -> list[tuple[str | None, str | None]]:
    """What each row is planned as, and why."""
    return plan.scan().select(pl.col("status").cast(pl.String), "reason").collect().rows()


PHONES = "phone\n+6581234567\n+6581234568\n+447400123456\n"


def test_each_number_has_its_own_text_in_its_chunk(tmp_path: Path) -> None:
    """In position order; a repeated number has none, an invalid row neither."""
    plan = planned(
        tmp_path, "phone,name\n+6581234567,Ann\n+6581234567,Bo\n+6581234568,\n+447400123456,Cy\n", message="Hi {name}"
    )
    assert [chunk.messages for chunk in plan.chunks(0, 0)] == [("Hi Ann", "Hi Cy")]
    assert verdicts(plan)[1][0] == "duplicate"
    assert verdicts(plan)[2] == ("invalid", "missing_name")
    assert plan.scan().select("message", "segments").collect().rows()[1:3] == [(None, None)] * 2


@pytest.mark.parametrize("column", ["source", "row", "recipient", "phone"])
def test_a_placeholder_may_have_any_columns_name(tmp_path: Path, column: str) -> None:
    """Also one that the frames use for themselves, and the numbers' own."""
    rows = f"mobile,{column}\n+6581234567,x\n"
    plan = planned(tmp_path, rows, message=f"Hi {{{column}}}", number_column="mobile")
    assert [chunk.messages for chunk in plan.chunks(0, 0)] == [("Hi x",)]


def test_an_unknown_placeholder_is_an_error_that_lists_the_columns(tmp_path: Path) -> None:
    """Before anything is frozen."""
    with pytest.raises(InputError, match=r"no column 'nmae' \(columns: phone, name\); the message needs it$"):
        planned(tmp_path, "phone,name\n+6581234567,Ann\n", message="Hi {nmae}")


def test_a_plan_without_personal_texts_has_the_columns_that_it_had(tmp_path: Path) -> None:
    """A million rows do not carry the same text a million times."""
    assert not planned(tmp_path, PHONES).has_messages


def test_who_is_on_an_opt_out_list_gets_nothing(tmp_path: Path) -> None:
    """In whatever spelling, with the list as the reason."""
    opted_out = written(tmp_path / "out.csv", "mobile\n0065 8123 4568\n")
    found = verdicts(planned(tmp_path, PHONES, suppress=[opted_out]))
    assert found == [(None, None), ("suppressed", opted_out), (None, None)]


@pytest.mark.parametrize("text", [None, "", "phone\nnone\nnothing\n", "a,b\n1,2\n"])
def test_an_opt_out_list_that_cannot_be_read_stops_the_campaign(tmp_path: Path, text: str | None) -> None:
    """It never means an empty one."""
    path = tmp_path / "out.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"out\.csv"):
        planned(tmp_path, PHONES, suppress=[str(path)])
    assert not (tmp_path / "store" / "plans").exists()


def test_an_opt_out_list_without_rows_suppresses_nobody(tmp_path: Path) -> None:
    """A header is a list that can be read."""
    opted_out = written(tmp_path / "out.csv", "mobile\n")
    assert verdicts(planned(tmp_path, PHONES, suppress=[opted_out])) == [(None, None)] * 3


def test_who_was_texted_lately_gets_nothing(tmp_path: Path) -> None:
    """Accepted, and within the days: a failure is no text, and an old one no reason."""
    rows = [("+6581234567", "accepted", 2), ("+6581234568", "failed", 2), ("+447400123456", "accepted", 9)]
    results = pl.DataFrame(
        [
            {"phone_number": number, "status": status, "sent_at": NOW - timedelta(days=days), "row": 0}
            for number, status, days in rows
        ]
    ).select(
        pl.col(name).cast(dtype)
        if name in ("phone_number", "status", "sent_at", "row")
        else pl.lit(None, dtype).alias(name)
        for name, dtype in RESULTS_SCHEMA.items()
    )
    path = tmp_path / "results.parquet"
    results.write_parquet(path)
    found = verdicts(planned(tmp_path, PHONES, exclude_results=[str(path)], exclude_days=7))
    assert found == [("suppressed", str(path)), (None, None), (None, None)]


def test_who_was_texted_by_an_erased_campaign_gets_nothing_while_the_key_is_there(tmp_path: Path) -> None:
    """Its results have hashes; without the key beside them it isn't known who they are, so nobody is planned."""
    place = tmp_path / "out"
    (place / "old").mkdir(parents=True)
    numbers = make_hashes(LocalStore(place)).numbers(pl.Series(["+6581234567", "+447400123456"]))
    known = {"phone_number": numbers, "status": ["accepted"] * 2, "sent_at": [NOW - timedelta(days=2)] * 2}
    results = pl.DataFrame(known).select(
        (pl.col(name) if name in known else pl.lit(None, dtype)).cast(dtype).alias(name)
        for name, dtype in RESULTS_SCHEMA.items()
    )
    path = place / "old" / "results.parquet"
    results.write_parquet(path)
    found = verdicts(planned(tmp_path, PHONES, exclude_results=[str(path)], exclude_days=7))
    assert found == [("suppressed", str(path)), (None, None), ("suppressed", str(path))]
    assert verdicts(planned(tmp_path, PHONES, exclude_results=[str(path)], exclude_days=1)) == [(None, None)] * 3
    (place / HASH_KEY).unlink()
    with pytest.raises(InputError, match=r"results\.parquet: its numbers were erased .*hash-key, isn't there"):
        planned(tmp_path, PHONES, exclude_results=[str(path)], exclude_days=7)


def test_several_erased_campaigns_count_beside_who_has_the_text(tmp_path: Path) -> None:
    """Each with the key of its own place; whom a campaign failed to reach isn't left out."""
    paths = []
    for name, number in (("one", "+6581234567"), ("two", "+6581234568")):
        place = tmp_path / name
        (place / "old").mkdir(parents=True)
        hashed = make_hashes(LocalStore(place)).numbers(pl.Series([number, "+447400123456"]))
        known = {"phone_number": hashed, "status": ["accepted", "failed"], "sent_at": [NOW - timedelta(days=2)] * 2}
        rows = pl.DataFrame(known).select(
            (pl.col(name) if name in known else pl.lit(None, dtype)).cast(dtype).alias(name)
            for name, dtype in RESULTS_SCHEMA.items()
        )
        rows.write_parquet(place / "old" / "results.parquet")
        paths.append(str(place / "old" / "results.parquet"))
    has_it = tmp_path / "has-it.parquet"
    pl.DataFrame({"e164": [6581234569], "source": ["repeat:other"]}).write_parquet(has_it)
    config = CampaignConfig.checked(
        recipients=written(tmp_path / "list.csv", f"{PHONES}+6581234569\n"),
        message="Hi",
        type="NOTIFY",
        results=str(tmp_path),
        exclude_results=paths,
        exclude_days=7,
    )
    store = LocalStore(tmp_path / "store")
    plan, _ = make_plan(config, store, no_s3, tmp_path, find_left_out=lambda _rows, _folder: (has_it,), now=NOW)
    assert [reason for _, reason in verdicts(plan)] == [*paths, None, "repeat:other"]


@pytest.mark.parametrize(
    ("options", "statuses"),
    [
        ({"allow_country": ["sg"]}, [None, None, "country_not_allowed"]),
        ({"deny_country": ["SG"]}, ["country_denied", "country_denied", None]),
        ({"allow_country": ["SG", "GB"], "deny_country": ["GB"]}, [None, None, "country_denied"]),
    ],
)
def test_countries_are_allowed_and_denied(tmp_path: Path, options: dict[str, Any], statuses: list[str | None]) -> None:
    """Those that are left out are unsupported."""
    found = verdicts(planned(tmp_path, PHONES, **options))
    assert [reason for _, reason in found] == statuses
    assert {status for status, reason in found if reason} == {"unsupported"}


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"message": "a", "message_column": "b"}, "exclude each other"),
        ({"message": ""}, "blank"),
        ({"message": "{"}, "--message: the { at character 1"),
        ({"message": "{{", "max_cost": 1}, "--prices"),
        ({"message": "abc", "max_characters": 2}, "3 characters, allowed are 2"),
        (
            {"message": "a", "allow_country": ["Singapore"]},
            "--allow-country: unknown country among 'Singapore'",
        ),
        ({"message": "a", "suppress": [" "]}, "--suppress"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], fault: str) -> None:
    """In a sentence that names the option."""
    with pytest.raises(InputError, match=fault):
        CampaignConfig.checked(recipients="a", type="OTP", results="o", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"message": "", "message_column": "x"},
        {"downgrade": False},
        {"exclude_results": ["x"]},
        {"exclude_results": ["x"], "exclude_days": 3},
        {"allow_country": ["SG"]},
        {"deny_country": ["SG"]},
        {"canary": 3},
        {"max_characters": 9},
        {"holdout": "5%"},
        {"keep": ["customer"]},
        {"message": "", "variant": ["A=a", "B=b"]},
        {"message_by_language": ["de=a"]},
        {"connection": "CRM", "query": "select 1 as phone"},
    ],
)
def test_what_decides_who_gets_what_is_frozen(options: dict[str, Any]) -> None:
    """Caps, prices, opt-out lists and the size of calls are not: they may change on a resume."""
    given: dict[str, Any] = {"recipients": "a", "message": "a", "type": "OTP", "results": "o"}
    plain = CampaignConfig.checked(**given)
    assert CampaignConfig.checked(**given | options).frozen_settings() != plain.frozen_settings()
    assert (
        CampaignConfig.checked(
            **given, prices="p", max_cost=1, max_recipients=1, suppress=["x"], numbers_per_call=9
        ).frozen_settings()
        == plain.frozen_settings()
    )
    again = CampaignConfig.checked(**given | options)
    assert CampaignConfig.checked(**again.options()) == again


def test_a_results_place_in_place_of_results_is_refused_with_how_to_name_them(tmp_path: Path) -> None:
    """It holds plans and claims as well, which are no lists: what is wrong with those helps nobody."""
    (tmp_path / "out" / "camp").mkdir(parents=True)
    written(tmp_path / "out" / "camp" / "campaign.json", "{")
    with pytest.raises(InputError, match=r"--exclude-results .*/out: .*/\*/results.parquet"):
        planned(tmp_path, "phone\n6581234567\n", exclude_results=[str(tmp_path / "out")])
