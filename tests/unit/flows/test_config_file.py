"""`--config FILE`: options from a TOML file, for `send` and for `track`."""

from pathlib import Path
from typing import Any

import pytest

from globe_sms.flows.command_line.app import make_app, run_app
from globe_sms.flows.command_line.exit_codes import EXIT_INPUT

SEND = ("send", "members.csv")
TRACK = ("track", "opening")
REQUIRED = 'message = "Hi"\ntype = "MKT"\nresults = "out"\n'


def written(folder: Path, text: str) -> tuple[str, str]:
    """Write a file of options, and return the arguments that name it."""
    path = folder / "options.toml"
    path.write_text(text, encoding="utf-8")
    return "--config", str(path)


def parsed(*arguments: str) -> dict[str, Any]:
    """Return the arguments that the command would be called with."""
    _, bound, _ = make_app().parse_args(arguments, exit_on_error=False, print_error=False)
    return {**bound.arguments}


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that has to end with exit code 2 and one line on stderr, and return the line."""
    assert run_app(make_app(), arguments) == EXIT_INPUT
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("globe-sms: ")
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    return shown.err


def test_brackets_nested_too_deep_for_python_are_an_error_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "suppress = " + 5_000 * "["
    assert "not a TOML file: brackets nested too deep" in refusal(capsys, *SEND, *written(tmp_path, text))


def test_a_campaign_has_the_options_of_the_file(tmp_path: Path) -> None:
    """Also the required ones, switches, lists, and names with dashes or underscores."""
    text = """
        message = "We open at 9."
        type = "NOTIFY"
        results = "out"
        dry-run = true
        downgrade = false
        max_recipients = 50
        exclude-days = 7.5
        suppress = ["stop.csv", "left.csv"]
        allow-country = ["SG"]
        account = "prod"
    """
    found = parsed(*SEND, *written(tmp_path, text))
    assert (found["recipients"], found["message"], found["type"]) == (["members.csv"], "We open at 9.", "NOTIFY")
    assert (found["results"], found["dry_run"], found["downgrade"], found["max_recipients"]) == ("out", True, False, 50)
    assert (found["exclude_days"], found["suppress"]) == (7.5, ("stop.csv", "left.csv"))
    assert (found["allow_country"], found["account"]) == (("SG",), "prod")


def test_tracking_has_the_options_of_the_file(tmp_path: Path) -> None:
    """As `send` does."""
    text = 'results = "out"\nwait = "2h"\nno-query = true\nreceipts = ["a/", "b/"]\n'
    found = parsed(*TRACK, *written(tmp_path, text))
    assert (found["campaign"], found["results"], found["wait"], found["no_query"]) == ("opening", "out", "2h", True)
    assert found["receipts"] == ("a/", "b/")


@pytest.mark.parametrize("typed_first", [True, False])
def test_the_command_line_wins(tmp_path: Path, *, typed_first: bool) -> None:
    """Wherever it's typed, and for a list as a whole; the rest still comes from the file."""
    text = 'results = "file"\nmessage = "Hi"\ntype = "MKT"\nsuppress = ["a.csv", "b.csv"]\ndry-run = true\n'
    config, typed = written(tmp_path, text), ("--results", "typed", "--suppress", "c.csv", "--no-downgrade")
    found = parsed(*SEND, *((*typed, *config) if typed_first else (*config, *typed)))
    assert (found["results"], found["suppress"], found["downgrade"]) == ("typed", ("c.csv",), False)
    assert (found["message"], found["type"], found["dry_run"]) == ("Hi", "MKT", True)
    assert parsed(*TRACK, "--results", "typed", *written(tmp_path, 'results = "file"'))["results"] == "typed"


@pytest.mark.parametrize("command", [SEND, TRACK])
@pytest.mark.parametrize("key", ["colour", "latest-start-minutes", "recipients", "URI"])
def test_a_key_that_is_not_an_option_is_named(
    command: tuple[str, ...], key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelled option must not silently have its default; the lists are no option either."""
    config = written(tmp_path, f'results = "out"\n{key} = 1\n')
    assert f'Unknown option: "[{key}]"' in refusal(capsys, *command, *config)


@pytest.mark.parametrize(
    ("command", "line", "option"),
    [
        (SEND, "max-recipients = 2.5", "max-recipients"),
        (SEND, "canary = true", "canary"),
        (SEND, 'numbers-per-call = "many"', "numbers-per-call"),
        (SEND, 'dry-run = "perhaps"', "dry-run"),
        (SEND, 'exclude-days = "long"', "exclude-days"),
        (SEND, 'type = "SPAM"', "type"),
        (SEND, 'campaign = ""', "campaign"),
        (TRACK, 'no-query = "perhaps"', "no-query"),
        (TRACK, 'settle-after = "late"', "settle-after"),
        (TRACK, 'account = ""', "account"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(
    command: tuple[str, ...], line: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the name of its option."""
    required = [] if command == TRACK else ["message = 'Hi'", *([] if option == "type" else ["type = 'MKT'"])]
    config = written(tmp_path, "\n".join([*required, 'results = "out"', line]))
    assert f"[{option}]" in refusal(capsys, *command, *config)


@pytest.mark.parametrize("command", [SEND, TRACK])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("results = out", "not a TOML file: "),
        ('results = "a"\nresults = "b"', "not a TOML file: "),
        ('[timing]\nhours-wait = "2h"', "[timing] is a table; write each option as a line of its own"),
        ('timing = {hours-wait = "2h"}', "[timing] is a table; write each option as a line of its own"),
    ],
)
def test_a_file_that_is_not_lines_of_options_is_refused(
    command: tuple[str, ...], text: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its path, and what to do."""
    config = written(tmp_path, text)
    assert f"globe-sms: {' '.join(config)}: {fault}" in refusal(capsys, *command, *config)


@pytest.mark.parametrize("command", [SEND, TRACK])
def test_a_file_that_cannot_be_read_is_named(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """None there, a folder, or not text."""
    missing, binary = tmp_path / "missing.toml", tmp_path / "binary.toml"
    binary.write_bytes(b'results = "\xff"')
    for path, fault in [
        (missing, "No such file or directory"),
        (tmp_path, "Is a directory"),
        (binary, "not a TOML file: "),
    ]:
        assert f"globe-sms: --config {path}: {fault}" in refusal(capsys, *command, "--config", str(path))


def test_a_number_in_the_file_is_not_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As one typed in the wrong place."""
    said = refusal(capsys, *SEND, *written(tmp_path, f'{REQUIRED}no-header = "+6581234567"\n'))
    assert "81234567" not in said
    assert "+65••••4567" in said
