"""What the command line makes of what was typed, before anything runs."""

from typing import Any

import pytest

from globe_sms.flows.command_line.app import make_app, run_app
from globe_sms.flows.command_line.exit_codes import EXIT_INPUT

SEND = ("send", "--message", "Hi", "--type", "MKT", "--results", "out")


def parsed(*arguments: str) -> dict[str, Any]:
    """Return the arguments that `send` would be called with."""
    _, bound, _ = make_app().parse_args(["send", *arguments, *SEND[1:]], exit_on_error=False, print_error=False)
    return {**bound.arguments}


@pytest.mark.parametrize("option", ["--suppress", "--exclude-results"])
def test_no_opt_out_list_is_read_as_recipients(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As a shell writes `--suppress optouts/*.csv`: the second one would be texted otherwise."""
    name = option.removeprefix("--").replace("-", "_")
    found = parsed("members.csv", option, "a.csv", "b.csv", "--dry-run")
    assert (found["recipients"], found[name]) == (["members.csv"], ("a.csv", "b.csv"))
    assert run_app(make_app(), [*SEND, option, "a.csv", "b.csv", "members.csv"]) == EXIT_INPUT
    assert "no recipient lists (URI) were given. They go before the options" in capsys.readouterr().err


def test_a_value_without_an_option_is_named_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """A second value after an option that takes one; a number is masked."""
    assert run_app(make_app(), ["send", "a.csv", *SEND[1:], "--allow-country", "SG", "MY", "+6581234567"]) == EXIT_INPUT
    said = capsys.readouterr().err
    assert "MY +65••••4567 belongs to no option" in said
    assert "repeated for each of them" in said


def test_the_help_shows_no_default_that_is_simply_off(capsys: pytest.CaptureFixture[str]) -> None:
    """`[default: False]` and `[default: None]` say nothing; `[default: 14400]` does."""
    assert run_app(make_app(), ["send", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "[default: 14400]" in shown
    assert not any(f"[default: {nothing}]" in shown for nothing in ("None", "False", "()", '""'))
