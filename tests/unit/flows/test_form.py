"""What Prefect's UI makes of the flow's parameters, and that the command line and Python have the same ones."""

import inspect
import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from cyclopts import App, Parameter
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.utilities.schema_tools.validation import is_valid, validate

from globe_sms.flows.command_line.config_file import read_config_file
from globe_sms.flows.command_line.send_command import send as send_command
from globe_sms.flows.option_signatures import NO_NUMBER
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.flows.send_from_python import send
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.date_placeholders import fill
from globe_sms.tasks.campaign.options.declaration import Options
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.flow_parameters import flatten_options, group_options
from globe_sms.tasks.campaign.options.groups import GROUPS
from globe_sms.tasks.campaign.options.merged_fields import MERGED, MergedField, form_of
from globe_sms.tasks.vocabulary.errors import InputError

SCHEMA: dict[str, Any] = send_campaign.parameters.model_dump()
FIELDS: dict[str, Any] = {name: SCHEMA["properties"][name] for name in form_of(EveryCampaign).model_fields}
IN_GROUPS: dict[str, Any] = {
    name: field
    for group in GROUPS
    for name, field in SCHEMA["definitions"][group.options.__name__]["properties"].items()
}
MODELS: tuple[type[Options], ...] = (EveryCampaign, *(group.options for group in GROUPS))
DECLARED = {name: field for model in MODELS for name, field in model.model_fields.items()}
MERGED_OPTIONS = {option for field in MERGED for option in field.options}
# What only programs set, or only a schedule needs: the form has no field for it.
NOT_SHOWN = {"message_column", "max_characters", "latest_start_minutes"}
TERMINAL_ONLY = {"yes", "json", "config"}
SCHEDULE_ONLY = {"latest_start_minutes"}
# What a run, or the configuration itself, finds out, and no operator gives.
FOUND_OUT = {
    *("inherited", "numbers_override_sha256", "scheduled", "sender_by_country", "settings_before_policy"),
    *("test_to_sha256", "query_sha256"),
}
OF_THE_ACCOUNT = {"numbers_per_call": None, "calls_per_second": None}
OF_OTHERS: dict[str, dict[str, Any]] = {
    "until": {"hours": "09:00-20:00", "type": "MKT"},
    "query": {"connection": "crm"},
    "connection": {"query": "select phone from members"},
}
REQUIRED = {"recipients": ["s3://b/x.csv"], "message": "Hi", "type": "OTP", "results": "s3://b/out"}


@pytest.mark.parametrize("name", FIELDS | IN_GROUPS)
def test_every_field_explains_itself(name: str) -> None:
    """A title that isn't the parameter's own name, and whole sentences."""
    field = (FIELDS | IN_GROUPS)[name]
    assert field["title"]
    assert field["title"] != name
    assert "_" not in field["title"]
    assert field["description"].endswith(".")
    assert len(field["description"]) > 40


def test_no_field_speaks_of_the_terminal() -> None:
    """Neither of its options nor of its commands; and a list has items, not lines."""
    for name, field in (FIELDS | IN_GROUPS).items():
        said = str(field.get("description", ""))
        assert not re.search(r"globe-sms |(?<!\w)--[a-z]|\ba line\b", said), (name, said)


def test_the_form_begins_with_what_every_campaign_has() -> None:
    """Twelve fields in the order in which an operator thinks, then the groups."""
    ordered = sorted(SCHEMA["properties"], key=lambda name: SCHEMA["properties"][name]["position"])
    assert ordered == list(inspect.signature(send_campaign).parameters)
    assert ordered[:12] == [
        *("recipients", "campaign", "message", "type", "results", "sender_id", "suppress", "hours"),
        *("approve_above", "cap", "account", "dry_run"),
    ]
    assert ordered[12:] == [
        "list_format",
        "database",
        "number_reading",
        "text",
        "several_texts",
        "limits",
        "left_out",
        "account_and_rate",
        "timing",
        "results_table",
    ]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_group_has_a_heading_and_at_most_eight_fields_in_order(group: Any) -> None:
    """The heading isn't a class's name."""
    shown = SCHEMA["definitions"][group.options.__name__]
    assert SCHEMA["properties"][group.name].get("title", shown["title"]) == group.heading
    fields = shown["properties"]
    assert 0 < len(fields) <= 8
    shown_fields = [name for name in form_of(group.options).model_fields if name not in NOT_SHOWN]
    assert sorted(fields, key=lambda name: fields[name]["position"]) == shown_fields


def test_every_option_is_a_field_or_a_part_of_one() -> None:
    """Two fields that belong together are one: a cap, countries, the number column, results and days."""
    assert (
        DECLARED.keys() - MERGED_OPTIONS - NOT_SHOWN | {field.name for field in MERGED} == (FIELDS | IN_GROUPS).keys()
    )


@pytest.mark.parametrize("name", sorted(NOT_SHOWN))
def test_programs_set_what_the_form_does_not_show(name: str) -> None:
    """The schema takes it, and still checks it."""
    value = {"message_column": "text", "max_characters": 300, "latest_start_minutes": 5}[name]
    assert validate({**REQUIRED, **group_options({name: value})}, SCHEMA) == []
    assert not is_valid({**REQUIRED, **group_options({name: [value]})}, SCHEMA)


def test_no_field_asks_for_its_type_first() -> None:
    """An empty field means "not given"; -1 says "never ask", since 0 asks always."""
    assert [name for name, field in (FIELDS | IN_GROUPS).items() if "anyOf" in field or "null" in str(field)] == []
    taken = send_campaign.validate_parameters({**REQUIRED, "approve_above": -1})
    assert CampaignConfig.checked(**flatten_options(taken)).approve_above is None


@pytest.mark.parametrize(
    ("name", "choices"), [("type", ["OTP", "NOTIFY", "MKT", "GENERAL"]), ("on_unknown", ["hold", "resend"])]
)
def test_choices_are_a_list_to_choose_from(name: str, choices: list[str]) -> None:
    """Not a text field with a trap."""
    field = (FIELDS | IN_GROUPS)[name]
    reference = field.get("$ref") or field["allOf"][0]["$ref"]
    assert sorted(SCHEMA["definitions"][reference.rpartition("/")[2]]["enum"]) == sorted(choices)


def test_only_what_has_no_sensible_default_is_required() -> None:
    """An operator fills in four fields: no message if a column has it, and no recipients if a query finds them."""
    assert sorted([*SCHEMA["required"], "message", "recipients"]) == sorted(REQUIRED)
    assert all("required" not in SCHEMA["definitions"][group.options.__name__] for group in GROUPS)
    assert validate(REQUIRED, SCHEMA) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("message", "a" * 1_501),
        ("connection", "postgresql://crm:s3cret@h/d"),
        ("query", "select * from members where phone = '+6581234567'"),
        ("type", "SPAM"),
        ("results", ""),
        ("numbers_per_call", 0),
        ("numbers_per_call", 1_001),
        ("calls_per_second", 0),
        ("calls_per_second", 101),
        ("max_failure_rate", 1.5),
        ("canary", -1),
        ("cap", "20 EUR"),
        ("countries", "SG, not US"),
        ("approve_above", -2),
        ("approval_timeout", 0),
        ("on_unknown", "again"),
        ("nonsense", 1),
    ],
)
def test_a_wrong_value_is_refused_before_a_run_is_made(name: str, value: object) -> None:
    """By the schema that the server checks the form against."""
    parameters = {**REQUIRED, **group_options({name: value})}
    assert not is_valid(parameters, {**SCHEMA, "additionalProperties": False})


@pytest.mark.parametrize(
    ("name", "right", "wrong", "words"),
    [
        ("recipients", ["s3://b/{date}/"], [" "], "where a list is"),
        ("campaign", "daily-{date}_{hour}", "my campaign", "letters, digits, dashes or underscores"),
        ("campaign", "a" * 100, "-a", "beginning with a letter or digit"),
        ("campaign", "{year}-{month}-{day}", "{week}", "letters, digits"),
        ("results", "s3://b/out", "sandbox/campaigns", "s3://bucket/prefix, or an absolute path"),
        ("results", "/srv/campaigns", "s3://", "s3://bucket/prefix"),
        ("sender_id", "SG=Acme, gb=AcmeUK, *=123456789012345", "Acme Shop", "up to 11 letters and digits"),
        ("sender_id", "", "AcmeAcmeAcme", "one per country"),
        ("suppress", ["s3://b/out.csv#no-header"], [""], "where a list is"),
        ("hours", "10:00-13:00, 14:00-24:00", "9-20", "hours like 09:00-20:00"),
        ("test_to", ["/srv/own.csv"], ["+65 9123 4567"], "never the numbers"),
        ("default_region", "sg", "Singapore", "two letters, such as SG"),
        (
            "query",
            "select phone from m where at > 20261130",
            "select '+6581234567' as phone",
            "without phone numbers",
        ),
        ("connection", "crm", "postgresql://crm:s3cret@h/d", "the name of a block or variable"),
        ("repeat_after", "1d 12h", "20", "a duration such as 20h or 3d"),
        ("hours_wait", "0", "soon", "a duration such as 12h or 1d"),
        ("until", "2026-12-24T18:00", "tomorrow", "a time such as 18:00"),
        ("until", "hours", "6pm", "the word hours"),
        ("time_zone", "America/Argentina/Buenos_Aires", "GMT +8", "a time zone such as Asia/Singapore"),
    ],
)
def test_the_form_says_in_words_what_is_wrong(name: str, right: object, wrong: object, words: str) -> None:
    """The UI shows the server's message; what the form takes, the run takes too."""
    assert validate({**REQUIRED, **group_options({name: right})}, SCHEMA) == []
    CampaignConfig.checked(**REQUIRED | {name: _filled(right)} | OF_OTHERS.get(name, {}))
    (error,) = validate({**REQUIRED, **group_options({name: wrong})}, SCHEMA)
    assert words in error.message
    if name not in {"results", "test_to", "time_zone"}:  # a terminal may use any folder, and own numbers
        with pytest.raises(InputError):
            CampaignConfig.checked(**{**REQUIRED, name: _filled(wrong)})


@pytest.mark.parametrize(
    ("field", "value", "options"),
    [
        ("cap", "20000", {"max_recipients": 20_000}),
        ("cap", "20,000", {"max_recipients": 20_000}),
        ("cap", "cost 150.5", {"max_cost": 150.5}),
        ("cap", " 5 and cost 0 ", {"max_recipients": 5, "max_cost": 0.0}),
        ("countries", "SG, my", {"allow_country": ("SG", "my")}),
        ("countries", "not US,IN", {"deny_country": ("US", "IN")}),
        ("countries", "NO, SE; not US", {"allow_country": ("NO", "SE"), "deny_country": ("US",)}),
        ("number_column", "mobile", {"number_column": "mobile"}),
        ("number_column", "2", {"number_column": "2", "no_header": True}),
        ("exclude_results", ["s3://b/*/r.parquet"], {"exclude_results": ("s3://b/*/r.parquet",)}),
        ("exclude_results", ["a#1#days=7", "b#days=7"], {"exclude_results": ("a#1", "b"), "exclude_days": 7.0}),
    ],
)
def test_a_merged_field_is_its_options(field: str, value: object, options: dict[str, Any]) -> None:
    """As people write it, through the server's check and the flow's."""
    merged = next(each for each in MERGED if each.name == field)
    given = {**REQUIRED, **_in_its_group(field, value)}
    assert validate(given, SCHEMA) == []
    flat = flatten_options(send_campaign.validate_parameters(given))
    assert {name: flat[name] for name in merged.options if name in flat} == options


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        *(
            (("cap"), wrong, "20000 for numbers; cost 150 for a cost")
            for wrong in ("20 EUR", "cost", "-1", "5 6", "2,00")
        ),
        *(
            ("countries", wrong, "not US, IN")
            for wrong in ("SG, not US", "Malaysia", "65", "not", "SG;", "not US, not IN")
        ),
        ("exclude_results", [""], "where results are"),
    ],
)
def test_a_wrong_merged_field_is_refused_in_words(field: str, value: object, words: str) -> None:
    """`SG, not US` could mean either of two lists of people."""
    (error,) = validate({**REQUIRED, **_in_its_group(field, value)}, SCHEMA)
    assert words in error.message
    merged = next(each for each in MERGED if each.name == field)
    if merged.name != "exclude_results":
        with pytest.raises(InputError, match=f"^{merged.title}: "):
            merged.split(value)


def test_earlier_results_have_one_number_of_days() -> None:
    """Two that differ, or one place without, are refused: they'd be applied to all."""
    for places in (["a#days=7", "b#days=8"], ["a#days=7", "b"]):
        with pytest.raises(InputError, match=r"^Results of earlier campaigns: .*the same number of days"):
            flatten_options({"left_out": {"exclude_results": places}})


@given(st.sampled_from(MERGED), st.data())
def test_any_options_have_a_merged_field_that_gives_them_back(merged: MergedField, data: st.DataObject) -> None:
    """A run from a terminal is recorded with the form's fields, and Copy to new run fills them in."""
    values: dict[str, st.SearchStrategy[Any]] = {
        "max_recipients": st.integers(0),
        "max_cost": st.floats(0, 1e15),
        "allow_country": st.lists(st.sampled_from(["SG", "no", "NO"]), min_size=1).map(tuple),
        "deny_country": st.lists(st.sampled_from(["FR", "in"]), min_size=1).map(tuple),
        "number_column": st.sampled_from(["2", "mobile", "no header", "header: 2", "no header: x"])
        | st.text("2 mé:", min_size=1),
        "no_header": st.just(value=True),
        "exclude_results": st.lists(st.sampled_from(["a", "a#days=3", "s3://b/#1"]), min_size=1).map(tuple),
        "exclude_days": st.floats(1e-6, 3_650).filter(lambda days: days != 30),
    }
    options = data.draw(st.fixed_dictionaries({}, optional={name: values[name] for name in merged.options}))
    if "exclude_results" not in options:
        options.pop("exclude_days", None)  # it says nothing without them
    value = merged.join(options)
    assert (merged.split(value) if value else {}) == options
    written = list(value) if isinstance(value, tuple) else value
    assert validate({**REQUIRED, **_in_its_group(merged.name, written)}, SCHEMA) == []


def _in_its_group(field: str, value: object) -> dict[str, Any]:
    group = next((group.name for group in GROUPS if field in form_of(group.options).model_fields), None)
    return {field: value} if group is None else {group: {field: value}}


def test_a_campaign_has_recipients_or_a_query() -> None:
    """The form can't say which of the two is missing; the run does, before anything else."""
    with pytest.raises(InputError, match="recipients: none are given"):
        CampaignConfig.checked(**REQUIRED | {"recipients": []})
    asked = {"recipients": [], "query_file": "s3://b/members.sql", "connection": "crm"}
    assert validate({**REQUIRED, **group_options(asked)}, SCHEMA) == []
    assert CampaignConfig.checked(**REQUIRED | asked).asks_database


def test_a_wrong_name_in_a_group_is_refused_before_a_run_is_made() -> None:
    """As one beside the groups."""
    assert not is_valid({**REQUIRED, "limits": {"nonsense": 1}}, SCHEMA)


def test_the_command_line_and_python_take_what_is_declared() -> None:
    """The contract: the same names, the same defaults; what belongs to a terminal or to a schedule stays there."""
    declared = {name: ... if field.is_required() else field.default for name, field in DECLARED.items()}
    command, python = _defaults(send_command), _defaults(send)
    assert command.keys() - declared.keys() == TERMINAL_ONLY
    assert declared.keys() - command.keys() == SCHEDULE_ONLY
    assert {name: value for name, value in command.items() if name in declared} == {
        name: value for name, value in declared.items() if name in command
    }
    assert python.pop("lists") is ...
    assert python | {"recipients": ()} == declared


def test_the_help_has_the_groups_of_the_form() -> None:
    """The same options under the same headings."""
    parameters = inspect.signature(send_command).parameters
    for group in GROUPS:
        for name in group.options.model_fields.keys() - SCHEDULE_ONLY:
            said = Parameter.combine(*get_args(parameters[name].annotation)[1:])
            assert [heading.name for heading in said.group] == [group.heading]


def test_the_form_shows_the_declared_defaults() -> None:
    """An empty field where there is none."""
    for name, field in DECLARED.items():
        if name in MERGED_OPTIONS | NOT_SHOWN:
            continue
        shown = (FIELDS | IN_GROUPS)[name].get("default")
        if not field.is_required():
            expected = NO_NUMBER if name == "approve_above" else _plain(field.default)
            assert (shown or None) == (expected or None), name


def test_a_configuration_has_the_same_defaults_but_for_what_the_account_says() -> None:
    """None means the account's own; everything else is what the form shows."""
    config = {
        name: ... if field.is_required() else field.get_default() for name, field in CampaignConfig.model_fields.items()
    }
    for name in FOUND_OUT:
        config.pop(name)
    declared = {name: ... if field.is_required() else field.default for name, field in DECLARED.items()}
    assert config | OF_THE_ACCOUNT == declared


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "campaign": st.sampled_from(["a", "b-1"]),
    "message": st.sampled_from(["Hi", "Dear {name|friend}"]),
    "sender_id": st.sampled_from(["Acme", "SG=Acme, *=12345"]),
    "suppress": st.lists(st.sampled_from(["optout.csv", "s3://b/more.csv"]), max_size=2),
    "hours": st.just("09:00-20:00"),
    "canary": st.integers(0, 5),
    "test_to": st.just(["own.csv"]),
    "approve_above": st.integers(0, 5),
    "dry_run": st.booleans(),
    "number_column": st.sampled_from(["mobile", "2"]),
    "no_header": st.booleans(),
    "default_region": st.sampled_from(["SG", "gb"]),
    "encoding": st.just("windows-1252"),
    "numbers_override": st.just("prefixes.csv"),
    "downgrade": st.booleans(),
    "max_characters": st.integers(100, 1_500),
    "max_recipients": st.integers(0, 5),
    "prices": st.just("prices.csv"),
    "max_failure_rate": st.sampled_from([0, 0.25, 1]),
    "exclude_results": st.lists(st.just("results.parquet"), max_size=1),
    "exclude_days": st.sampled_from([1, 7.5]),
    "allow_country": st.lists(st.sampled_from(["SG", "gb"]), max_size=2),
    "deny_country": st.lists(st.sampled_from(["FR"]), max_size=1),
    "on_unknown": st.sampled_from(["hold", "resend"]),
    "account": st.just("production"),
    "aws_credentials": st.just("minio"),
    "numbers_per_call": st.integers(1, 1_000),
    "calls_per_second": st.sampled_from([0.5, 1, 10]),
    "hours_wait": st.sampled_from(["12h", "2d"]),
    "approval_timeout": st.integers(1, 60),
    "time_zone": st.just("Asia/Singapore"),
}


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=VALUES), st.sets(st.sampled_from(sorted(DECLARED.keys() - REQUIRED.keys()))))
def test_form_command_line_and_python_lead_to_one_configuration(options: dict[str, Any], empty: set[str]) -> None:
    """Fields that the form left empty, or null as an old schedule has them, are options that nobody gave."""
    options = {**REQUIRED, **options}
    if not options.get("exclude_results"):
        options.pop("exclude_days", None)  # it says nothing without them
    flat = CampaignConfig.checked(**options)
    nulls = {name: "" if name in {"campaign", "account", "hours"} else None for name in empty - options.keys()}
    taken = send_campaign.validate_parameters(group_options(options | nulls))
    assert CampaignConfig.checked(**flatten_options(taken)) == flat
    assert CampaignConfig.checked(**flatten_options(send_campaign.validate_parameters(flat.parameters()))) == flat
    assert CampaignConfig.checked(**flat.options()) == flat
    assert _typed(options) == flat


def _typed(options: dict[str, Any]) -> CampaignConfig:
    """What the command line makes of the same options, typed."""
    taken: dict[str, Any] = {}
    app = App(default_parameter=Parameter(negative=""), config=read_config_file)

    def keep(*lists: Any, **given: Any) -> None:
        taken.update(given, recipients=lists[0])

    keep.__signature__ = inspect.signature(send_command)  # type: ignore[attr-defined]
    keep.__annotations__ = send_command.__annotations__
    app.default(keep)
    tokens = list(options["recipients"])
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if name == "recipients":
            continue
        if isinstance(value, bool):
            tokens += [option] if value else ["--no-downgrade"] if name == "downgrade" else []
        else:
            values = value if isinstance(value, list) else value.split(", ") if name == "sender_id" else [value]
            tokens += [token for each in values for token in (option, str(each))]
    app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    taken.pop("config", None)
    return CampaignConfig.checked(**taken)


def _filled(value: object) -> object:
    """A campaign ID as the run has it, with its dates."""
    return fill(value, datetime(2026, 11, 30, tzinfo=UTC)) if isinstance(value, str) and "{week" not in value else value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _defaults(function: Any) -> dict[str, Any]:
    return {
        name: ... if parameter.default is inspect.Parameter.empty else parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
    }
