"""What is counted is a whole number: one that is rounded or read otherwise than it was meant texts other people."""

from pathlib import Path
from typing import Any

import pytest
from cyclopts import App
from prefect.exceptions import ParameterTypeError
from pydantic import ValidationError

from globe_sms.deployments.commands import main
from globe_sms.flows.command_line.app import make_app, run_app
from globe_sms.flows.option_signatures import kinds_of
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.blocks import AlibabaSmsAccount
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.options.flow_parameters import group_options
from globe_sms.tasks.vocabulary.errors import InputError

COUNTS = {name for name, field in CampaignConfig.model_fields.items() if int in kinds_of(field.annotation)}
GOOD: dict[str, Any] = {"recipients": ["no-such-list.csv"], "message": "Hi", "type": "OTP", "results": "out"}
EXPECTED = {
    *("max_characters", "canary", "max_recipients", "numbers_per_call", "approve_above", "approval_timeout"),
    *("min_recipients", "validity", "latest_start_minutes", "header_row"),
}


def test_every_count_is_looked_at() -> None:
    """A new one has to join in."""
    assert COUNTS == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED - {"latest_start_minutes"}))  # that is for schedules only
@pytest.mark.parametrize("text", ["2.5", "0.6", "2.0", "1_0", "0x10", "1e3", " 3", "\uff11\uff12", "many", ""])
def test_the_command_line_takes_whole_numbers_only(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that names the option, exit 2."""
    monkeypatch.chdir(tmp_path)
    option = f"--{name.replace('_', '-')}"
    arguments = ["send", "no-such-list.csv", "--message", "Hi", "--type", "OTP", "--results", "out", option, text]
    assert run_app(make_app(), arguments) == 2
    said = capsys.readouterr().err
    assert option in said
    assert "whole number" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize("value", [2.5, 2.0, "1_0", "0x10", "10", True])
def test_python_and_the_form_take_whole_numbers_only(name: str, value: object) -> None:
    """What Prefect checks before a run begins, and what the configuration checks itself."""
    with pytest.raises(InputError, match=f"--{name.replace('_', '-')}.*whole number"):
        CampaignConfig.checked(**GOOD, **{name: value})
    if name == "max_recipients":
        return  # in the form it's a part of the text "Cap"
    with pytest.raises(ParameterTypeError):
        send_campaign.validate_parameters({**GOOD, **group_options({name: value})})


def test_whole_numbers_pass() -> None:
    """By every way in."""
    taken = send_campaign.validate_parameters({**GOOD, **group_options({"numbers_per_call": 10, "canary": 5})})
    assert (taken["account_and_rate"].numbers_per_call, taken["limits"].canary) == (10, 5)
    assert CampaignConfig.checked(**GOOD, numbers_per_call=10).numbers_per_call == 10


@pytest.mark.parametrize("value", [2.0, "1_0"])
def test_an_accounts_block_takes_whole_numbers_only(value: object) -> None:
    """Numbers a call."""
    fields: Any = {"access_key_id": "a", "access_key_secret": "b", "numbers_per_call": value}
    with pytest.raises(ValidationError, match="numbers_per_call"):
        AlibabaSmsAccount(**fields)


@pytest.mark.parametrize("arguments", [["demo", "--rows", "2.5"], ["sandbox", "--numbers-per-call", "1_0"]])
def test_the_other_commands_take_whole_numbers_only(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is started."""
    apps: list[App] = []
    monkeypatch.setattr("globe_sms.deployments.commands.run_app", apps.append)
    monkeypatch.setattr("globe_sms.deployments.commands.leave", lambda _: None)
    main()
    assert run_app(apps[0], arguments) == 2
    assert "whole number" in capsys.readouterr().err
