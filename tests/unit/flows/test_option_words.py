"""A message names options in its reader's words: the terminal's, the form's or Python's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from globe_sms.flows.command_line.app import make_app, run_app
from globe_sms.flows.command_line.exit_codes import EXIT_INPUT
from globe_sms.flows.orchestration.campaign_parameters import campaign_config
from globe_sms.flows.send_from_python import send
from globe_sms.tasks.campaign.options.declaration import not_in_form
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.groups import GROUPS
from globe_sms.tasks.campaign.options.words import in_form_words, in_python_words
from globe_sms.tasks.vocabulary.errors import InputError

NOW = datetime(2026, 11, 30, tzinfo=UTC)
RIGHT: dict[str, Any] = {"recipients": ["a.csv"], "message": "Hi", "type": "MKT", "results": "out"}
WRONG: dict[str, Any] = {"hours_wait": "soon", "numbers_per_call": 1_001, "calls_per_second": 0, "campaign": "a b"}
DECLARED = {
    name: field
    for model in (EveryCampaign, *(group.options for group in GROUPS))
    for name, field in model.model_fields.items()
}
COSTS = "--max-cost: the cost is unknown without a table of prices: --prices"


def subjects(error: InputError) -> set[str]:
    """What each line of the message is about."""
    return {line.partition(":")[0] for line in str(error).splitlines()}


def test_a_deployed_run_speaks_of_the_forms_titles() -> None:
    """People who fill in the form have never seen an option of the terminal."""
    with pytest.raises(InputError) as caught:
        campaign_config({**RIGHT, **WRONG, "recipients": [" "]}, NOW, from_form=True)
    assert subjects(caught.value) == {
        *("Recipients", "Wait for the hours", "Numbers a call", "Calls a second", "Campaign ID"),
    }
    assert "--" not in str(caught.value)
    with pytest.raises(InputError, match=r'^Cap: .* without a table of prices: "Prices"$'):
        campaign_config({**RIGHT, "max_cost": 1}, NOW, from_form=True)


def test_python_speaks_of_arguments() -> None:
    """`globe_sms.send`, and a call of the flow itself."""
    with pytest.raises(InputError) as caught:
        send("a.csv", message="Hi", type="MKT", results="out", **WRONG)
    assert subjects(caught.value) == WRONG.keys()
    with pytest.raises(InputError) as caught:
        campaign_config({**RIGHT, **WRONG}, NOW, from_form=False)
    assert subjects(caught.value) == WRONG.keys()


def test_the_terminal_speaks_of_options(capsys: pytest.CaptureFixture[str]) -> None:
    """As they're typed."""
    options = {name: value for name, value in (RIGHT | WRONG).items() if name != "recipients"}
    typed = [each for name, value in options.items() for each in (f"--{name.replace('_', '-')}", str(value))]
    assert run_app(make_app(), ["send", "a.csv", *typed]) == EXIT_INPUT
    said = capsys.readouterr().err.removeprefix("globe-sms: ")
    assert {line.partition(":")[0] for line in said.splitlines()} == {f"--{name.replace('_', '-')}" for name in WRONG}


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_every_option_has_both_words(name: str) -> None:
    """Within a sentence, too."""
    message = f"give --{name.replace('_', '-')}, or not"
    said = not_in_form(DECLARED[name])
    words = f'"{DECLARED[name].title}"' if said is None else said.words
    assert in_form_words(message) == f"give {words}, or not"
    assert in_python_words(message) == f"give {name}, or not"


def test_what_is_not_an_option_stays() -> None:
    """A dash in a text, an option of the terminal alone, and the word recipients within a line."""
    message = "the recipients--all of them--wait: add --yes, --json or --nonsense to read a--sheet.csv"
    assert in_python_words(COSTS) == COSTS.replace("--max-cost", "max_cost").replace("--prices", "prices")
    assert in_form_words("recipients: a URI is blank\n--prices: 1") == "Recipients: a URI is blank\nPrices: 1"
    assert in_form_words("what the recipients: read") == "what the recipients: read"
    assert in_form_words(message) == message


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("It was outside the hours (--hours) there.", "It was outside the hours there."),
        ("The latest time to send (--until) had passed.", "The latest time to send had passed."),
        (
            "Which numbers count (--numbers-override) is new.",
            'Which numbers count ("Prefixes that count as mobile") is new.',
        ),
    ],
)
def test_a_field_that_is_named_already_is_not_named_again(message: str, said: str) -> None:
    """The hours ("Hours") says one thing twice."""
    assert in_form_words(message) == said
