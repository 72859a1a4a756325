"""What Prefect's UI makes of the flow's parameters, and that the command line has the same ones."""

import inspect
from typing import Any

import pytest
from prefect.utilities.schema_tools.validation import is_valid, validate

from globe_sms.flows.command_line.send import send
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.campaign.config import CampaignConfig

SCHEMA: dict[str, Any] = send_campaign.parameters.model_dump()
FIELDS: dict[str, Any] = SCHEMA["properties"]
TERMINAL_ONLY = {"yes", "json"}
SCHEDULE_ONLY = {"latest_start_minutes"}
FILLED_IN_BEFORE = {"time_zone", "latest_start_minutes"}  # an order has no templates any more
# What a run, or an order itself, writes into an order, and no operator.
FOUND_OUT = {"inherited", "numbers_override_sha256", "sender_by_country", "test_to_sha256"}
OF_THE_ACCOUNT = {"numbers_per_call": None, "calls_per_second": None}
REQUIRED = {"recipients": ["s3://b/x.csv"], "message": "Hi", "type": "OTP", "results": "s3://b/out"}


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_explains_itself(name: str) -> None:
    """A title that is not the parameter's own name, and whole sentences."""
    field = FIELDS[name]
    assert field["title"]
    assert field["title"] != name
    assert "_" not in field["title"]
    assert field["description"].endswith(".")
    assert len(field["description"]) > 40


def test_fields_come_in_the_order_in_which_an_operator_thinks() -> None:
    """Whom, what, how; then where; then how carefully; the account's limits last."""
    ordered = sorted(FIELDS, key=lambda name: FIELDS[name]["position"])
    assert ordered == list(inspect.signature(send_campaign).parameters)
    assert ordered[:4] == ["recipients", "message", "type", "results"]
    assert ordered.index("require_approval") < ordered.index("calls_per_second")


@pytest.mark.parametrize(
    ("name", "choices"), [("type", ["OTP", "NOTIFY", "MKT", "GENERAL"]), ("on_unknown", ["hold", "resend"])]
)
def test_choices_are_a_list_to_choose_from(name: str, choices: list[str]) -> None:
    """Not a text field with a trap."""
    reference = FIELDS[name].get("$ref") or FIELDS[name]["allOf"][0]["$ref"]
    assert sorted(SCHEMA["definitions"][reference.rpartition("/")[2]]["enum"]) == sorted(choices)


def test_only_what_has_no_sensible_default_is_required() -> None:
    """An operator fills in four fields; the message is none if a column has it."""
    assert sorted([*SCHEMA["required"], "message"]) == sorted(REQUIRED)
    assert validate(REQUIRED, SCHEMA) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recipients", []),
        ("message", "a" * 1_501),
        ("type", "SPAM"),
        ("results", ""),
        ("campaign", ""),
        ("default_region", "Singapore"),
        ("numbers_per_call", 0),
        ("numbers_per_call", 1_001),
        ("calls_per_second", 0),
        ("calls_per_second", 101),
        ("max_failure_rate", 1.5),
        ("approve_above", -1),
        ("approval_timeout", 0),
        ("on_unknown", "again"),
        ("nonsense", 1),
    ],
)
def test_a_wrong_value_is_refused_before_a_run_is_made(name: str, value: object) -> None:
    """By the schema that the server checks the form against."""
    assert not is_valid({**REQUIRED, name: value}, {**SCHEMA, "additionalProperties": False})


def test_the_flow_takes_what_the_command_line_takes() -> None:
    """The contract: the same names, the same defaults; what belongs to a terminal or to a schedule stays there."""
    flow = _defaults(send_campaign.fn)
    command = _defaults(send)
    assert {name for name in command if name not in flow} == TERMINAL_ONLY
    assert {name for name in flow if name not in command} == SCHEDULE_ONLY
    assert {name: value for name, value in command.items() if name in flow} == {
        name: value for name, value in flow.items() if name in command
    }
    assert {name: FIELDS[name]["default"] for name in flow if name not in REQUIRED} == {
        name: list(value) if isinstance(value, tuple) else value for name, value in flow.items() if name not in REQUIRED
    }


def test_an_order_has_the_same_defaults_but_for_what_the_account_says() -> None:
    """None means the account's own; everything else is what the form shows."""
    config = {
        name: ... if field.is_required() else field.get_default() for name, field in CampaignConfig.model_fields.items()
    }
    for name in FOUND_OUT:
        config.pop(name)
    flow = {name: value for name, value in _defaults(send_campaign.fn).items() if name not in FILLED_IN_BEFORE}
    assert config | OF_THE_ACCOUNT == flow


def _defaults(function: Any) -> dict[str, Any]:
    return {
        name: ... if parameter.default is inspect.Parameter.empty else parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
    }
