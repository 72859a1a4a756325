"""A run that is refused says first which field of the form is wrong: people look for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.options.declaration import not_in_form
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.groups import GROUPS
from globe_sms.tasks.campaign.options.merged_fields import MERGED
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.runs.open_campaign_run import open_run, preflight
from globe_sms.tasks.steps.plan_campaign import plan_campaign
from globe_sms.tasks.steps.preview_campaign import check_caps, preview_campaign
from globe_sms.tasks.steps.read_ledger import read_ledger
from globe_sms.tasks.vocabulary.errors import GlobeSmsError, InputError

DECLARED = {
    name: field
    for model in (EveryCampaign, *(group.options for group in GROUPS))
    for name, field in model.model_fields.items()
}
TITLES = {field.name: field.title for field in MERGED}
# A value of each option that the configuration refuses. Any text may name a column, a sheet, a block or a place.
WRONG: dict[str, Any] = {
    "recipients": ["a.csv", " "],
    "campaign": "a b",
    "message": " ",
    "type": "SPAM",
    "results": "",
    "sender_id": "Acme Shop",
    "suppress": ["a.csv", ""],
    "hours": "9-20",
    "approve_above": -1,
    "max_recipients": -1,
    "max_cost": -1,
    "dry_run": "perhaps",
    "no_header": "perhaps",
    "header_row": 0,
    "hidden": "perhaps",
    "encoding": "latin-99",
    "default_region": "XX",
    "first_number": "perhaps",
    "numbers_override": " ",
    "literal_placeholders": "perhaps",
    "keep_null_markers": "perhaps",
    "downgrade": "perhaps",
    "test_to": ["+6591234567", ""],
    "canary": 1.5,
    "min_recipients": 0,
    "prices": " ",
    "max_invalid_rate": 2,
    "max_failure_rate": 2,
    "suppress_damaged": "perhaps",
    "exclude_results": ["a", " "],
    "exclude_days": 0,
    "exclude_undelivered": 0,
    "repeat_after": "20",
    "allow_country": ["SG", "Malaysia"],
    "deny_country": ["65"],
    "on_unknown": "again",
    "numbers_per_call": 0,
    "calls_per_second": 0,
    "until": "tomorrow",
    "validity": 0,
    "hours_wait": "soon",
    "approval_timeout": 0,
    "max_characters": 0,
    "latest_start_minutes": -1,
    "query": "select '+6581234567' as phone",
    "query_file": " ",
    "connection": "postgres://user@host/database",
    "variant": ["A=Hi", "no text"],
    "holdout": "half",
    "message_by_language": ["de=Hallo", "Hallo"],
    "keep": ["id", " "],
    "publish_numbers": "some",
}
ANY_TEXT = {
    *("account", "aws_credentials", "number_column", "sheet", "region_column", "message_column", "time_zone"),
    *("language_column", "publish"),
}
RIGHT: dict[str, Any] = {"message": "Hi", "type": "NOTIFY", "campaign": "c"}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that nothing is called with."""
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        monkeypatch.setenv(name, "a")


def title_of(option: str) -> str:
    """What the form calls an option."""
    said = not_in_form(DECLARED[option])
    return str(DECLARED[option].title) if said is None else TITLES.get(said.field, said.words)


def test_each_option_has_a_wrong_value_here() -> None:
    assert DECLARED.keys() == WRONG.keys() | ANY_TEXT


@pytest.mark.parametrize("option", sorted(WRONG))
def test_a_wrong_value_is_told_with_its_field_first(option: str) -> None:
    """Also which item of a list."""
    value = WRONG[option]
    with pytest.raises(InputError) as caught:
        CampaignConfig.checked(**{"recipients": ["a.csv"], "results": "out", **RIGHT, option: value})
    (line,) = in_form_words(caught.value.with_option()).splitlines()
    assert line.startswith(f"{title_of(option)}: ")
    assert "--" not in line
    if isinstance(value, list) and not str(value[-1]).strip():
        assert "item 2" in line or option == "test_to"


def _missing(name: str) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: {
        name: [str(folder / "gone.csv")] if name not in {"prices", "numbers_override"} else str(folder / "gone.csv")
    }


def _file(name: str, text: str, **more: Any) -> Callable[[Path], dict[str, Any]]:
    def given(folder: Path) -> dict[str, Any]:
        path = folder / f"{name}.csv"
        path.write_text(text)
        return {name: str(path) if name in {"prices", "numbers_override", "results"} else [str(path)], **more}

    return given


@pytest.mark.parametrize(
    ("option", "given"),
    [
        *((name, _missing(name)) for name in ("recipients", "suppress", "test_to", "exclude_results")),
        *((name, _missing(name)) for name in ("prices", "numbers_override")),
        ("recipients", _file("recipients", "name,age\nAnn,3\n")),
        ("recipients", _file("recipients", "")),
        ("recipients", _file("recipients", "phone\n")),
        ("suppress", _file("suppress", "name,age\nAnn,3\n")),
        ("suppress", _file("suppress", "phone\nnobody\n")),
        ("exclude_results", _file("exclude_results", "phone\n6581234567\n")),
        ("test_to", _file("test_to", "phone\nnobody\n")),
        ("prices", _file("prices", "country,price\nSG,free\n")),
        ("numbers_override", _file("numbers_override", "prefix,mobile\n+65,perhaps\n")),
        ("results", _file("results", "not a folder")),
        ("recipients", lambda _: {"message": "Hi {name}"}),
        ("max_recipients", lambda _: {"max_recipients": 1}),
        ("min_recipients", lambda _: {"min_recipients": 9}),
        ("max_cost", _file("prices", "country,price,currency\nSG,1,USD\n", max_cost=1)),
    ],
)  # fmt: skip
def test_what_only_the_run_finds_is_told_with_its_field_first(
    option: str, given: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    """In a list, a table or a place; the deployed run's state begins like this."""
    path = tmp_path / "list.csv"
    path.write_text("phone\n6581234567\n6581234568\n")
    config: dict[str, Any] = {"recipients": [str(path)], "results": str(tmp_path / "out"), **RIGHT, **given(tmp_path)}
    with pytest.raises(GlobeSmsError) as caught:
        _until_the_first_call(CampaignConfig.checked(**config))
    said = in_form_words(caught.value.with_option())
    assert said.startswith((f"{title_of(option)}: ", f"{title_of(option)} {tmp_path}"))
    assert "--" not in said


def test_other_settings_than_those_that_are_being_sent_are_about_the_campaign_id(tmp_path: Path) -> None:
    """Not about whichever setting is listed first."""
    path = tmp_path / "list.csv"
    path.write_text("phone\n6581234567\n")
    config = CampaignConfig.checked(recipients=[str(path)], results=str(tmp_path / "out"), **RIGHT)
    with open_run(config) as run:
        plan_campaign(run)
        run.campaign.begin_sending()
    with pytest.raises(InputError) as caught, open_run(config.model_copy(update={"message": "Ho"})):
        pass
    assert in_form_words(caught.value.with_option()).startswith("Campaign ID: campaign 'c' was started with")


def _until_the_first_call(config: CampaignConfig) -> None:
    preflight(config)
    with open_run(config) as run:
        plan = plan_campaign(run)
        check_caps(run, preview_campaign(run, plan, read_ledger(run, plan)))
