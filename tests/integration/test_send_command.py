"""The command line as a user meets it: a process, its output, its exit code."""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from tests.chaos.long_form import long_form
from tests.waiting import LONGEST_WAIT, await_event

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness leaves sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_WHOLE_NUMBER = re.compile(r"65[89]\d{7}")


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """A list of 25 different numbers, one of them written twice, and one that is none."""
    values = [f"65{number}" for number in random.Random(3).sample(range(81_000_000, 81_999_999), 25)]
    path = tmp_path / "numbers.csv"
    path.write_text("\n".join(["phone", *values, f"+{values[0]}", "none"]) + "\n")
    return path


class Ended:
    """What a command printed and how it ended."""

    def __init__(self, process: subprocess.CompletedProcess[str]) -> None:
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def json(self) -> dict[str, Any]:
        """The last line of stdout."""
        return json.loads(self.out.splitlines()[-1])


def globe_sms(*arguments: str | Path, environment: Mapping[str, str], cwd: Path | None = None) -> Ended:
    """Run the command with nothing of this process's clouds; whatever it says, no traceback, secret or number."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "ALIBABA_", "GLOBE_SMS_", "PREFECT_"))
    }
    ended = Ended(
        subprocess.run(
            [str(Path(sys.executable).with_name("globe-sms")), *map(str, arguments)],
            env={**clean, "AWS_EC2_METADATA_DISABLED": "true", **environment},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=LONGEST_WAIT,
            check=False,
        )
    )
    output = ended.out + ended.err
    assert "Traceback" not in output
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "AWS_SECRET_ACCESS_KEY"):
        assert not (environment.get(name) and environment[name] in output)
    assert not _WHOLE_NUMBER.search(output)
    return ended


@pytest.fixture
def environment(sandbox: Sandbox) -> dict[str, str]:
    """The sandbox's variables, and no Prefect server, whatever the machine has set."""
    sandbox.gateway.reset()
    return {**sandbox.environment, "PREFECT_API_URL": ""}


@pytest.fixture(params=["at once", pytest.param("recorded", marks=long_form)])
def either_environment(request: pytest.FixtureRequest, environment: dict[str, str]) -> dict[str, str]:
    """The same without a Prefect server and with one."""
    return environment | (
        {} if request.param == "at once" else {"PREFECT_API_URL": request.getfixturevalue("prefect_url")}
    )


SEND = ("--message", "Hello", "--type", "NOTIFY", "--calls-per-second", "50")


@pytest.mark.parametrize("either_environment", ["at once", "recorded"], indirect=True)
def test_a_campaign_from_end_to_end(either_environment: dict[str, str], sandbox: Sandbox, numbers: Path) -> None:
    """Exit 0, JSON on the last line, results where it says; the second run calls nothing."""
    results = f"s3://{sandbox.bucket}/{uuid.uuid4().hex}"
    first = globe_sms(
        "send", numbers, *SEND, "--results", results, "--campaign", "c", "--json", environment=either_environment
    )
    assert first.code == 0, first.err
    assert first.json["campaign"] == "c"
    assert first.json["results"] == f"{results}/c/results.parquet"
    assert first.json["calls"] == 1
    assert {name: rows for name, rows in first.json["counts"].items() if rows} == {
        "accepted": 25,
        "invalid": 1,
        "duplicate": 1,
    }
    assert isinstance(first.json["seconds"], float)
    second = globe_sms(
        "send", numbers, *SEND, "--results", results, "--campaign", "c", "--json", environment=either_environment
    )
    assert (second.code, second.json["calls"]) == (0, 0)
    assert sandbox.gateway.stats().calls == 1


def test_a_local_directory_is_a_results_place_too(environment: dict[str, str], numbers: Path, tmp_path: Path) -> None:
    """With a relative path, and a table for people on stdout."""
    ended = globe_sms(
        "send", numbers, *SEND, "--results", "out", "--campaign", "c", environment=environment, cwd=tmp_path
    )
    assert ended.code == 0, ended.err
    assert "accepted" in ended.out
    assert "25" in ended.out
    found = pl.read_parquet(tmp_path / "out" / "c" / "results.parquet")
    assert found["row"].to_list() == list(range(27))


def test_rows_that_are_left_unknown_are_exit_3(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path
) -> None:
    """Finished, but not settled: the output says what may be done."""
    sandbox.gateway.add_fault("http_500", next=1)
    ended = globe_sms("send", numbers, *SEND, "--results", tmp_path / "out", environment=environment)
    assert ended.code == 3, ended.err
    assert "--on-unknown resend" in ended.out


def test_a_stopped_campaign_is_exit_1_with_the_code_and_what_to_do(
    either_environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path
) -> None:
    """And with the JSON all the same."""
    sandbox.gateway.add_fault("code:OUT_OF_SERVICE")
    ended = globe_sms("send", numbers, *SEND, "--results", tmp_path / "out", "--json", environment=either_environment)
    assert ended.code == 1
    assert "OUT_OF_SERVICE" in ended.err
    assert (ended.json["counts"]["not_sent"], ended.json["counts"]["failed"]) == (25, 0)


def test_a_dry_run_that_planned_well_is_exit_0(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path
) -> None:
    """It needs no Alibaba credentials, for it calls nothing."""
    without = {name: value for name, value in environment.items() if not name.startswith("ALIBABA_")}
    ended = globe_sms("send", numbers, *SEND, "--results", tmp_path / "out", "--dry-run", "--json", environment=without)
    assert ended.code == 0, ended.err
    assert ended.json["counts"]["not_sent"] == 25
    assert "CSV, UTF-8, header in row 1; numbers in the column phone." in " ".join(ended.err.split())
    (document,) = (tmp_path / "out").glob("*/campaign.json")
    (reading,) = json.loads(document.read_text())["plan"]["readings"]
    assert (reading["number_column"], reading["header_row"]) == ("phone", 1)
    assert sandbox.gateway.stats().calls == 0


def test_other_settings_under_the_same_id_are_a_new_plan_before_the_sending_and_exit_2_after_it(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path
) -> None:
    """What a dry run has planned may be mended, and the preview says what changed; what was sent keeps its settings."""
    place = ("--results", tmp_path / "out", "--campaign", "c")
    typo = ("--message", "Helo", "--type", "NOTIFY", "--numbers-per-call", "10")
    assert globe_sms("send", numbers, *typo, *place, "--dry-run", environment=environment).code == 0
    mended = globe_sms("send", numbers, *SEND, *place, environment=environment)
    assert mended.code == 0, mended.err
    shown = " ".join(mended.err.split())
    assert "Changed since the last plan of this campaign" in shown
    assert "--message was 'Helo', now 'Hello'" in shown
    assert "--numbers-per-call was 10, now 250" in shown
    assert [len(arrival.accepted) for arrival in sandbox.gateway.log()] == [25]
    other = ("--message", "Bye", "--type", "NOTIFY", "--sender-id", "Chaos", "--numbers-per-call", "10")
    refused = globe_sms("send", numbers, *other, *place, environment=environment)
    assert refused.code == 2
    assert "--message: was 'Hello', now 'Bye'" in refused.err
    assert "--sender-id: was not given, now Chaos" in refused.err
    assert "give another --campaign" in refused.err
    assert "default-region" not in refused.err
    assert "numbers-per-call" not in refused.err
    assert sandbox.gateway.stats().calls == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["send"], ["--type"]),
        (["send", *SEND, "--results", "out"], ["URI", "--query"]),
        (["send", "{list}", "--message", "Hi", "--type", "SPAM", "--results", "out"], ["SPAM", "NOTIFY"]),
        (["send", "{list}", "--message", " ", "--type", "OTP", "--results", "out"], ["--message", "blank"]),
        (["send", "{list}", "--message", "a" * 1501, "--type", "OTP", "--results", "out"], ["--message", "1500"]),
        (["send", "{list}", *SEND, "--results", "out", "--sender-id", "ab-c"], ["--sender-id", "letters"]),
        (["send", "{list}", *SEND, "--results", "out", "--campaign", "a/b"], ["--campaign", "dashes"]),
        (["send", "{list}", *SEND, "--results", "out", "--default-region", "XX"], ["--default-region", "XX"]),
        (["send", "{list}", *SEND, "--results", "out", "--numbers-per-call", "1001"], ["--numbers-per-call", "1000"]),
        (["send", "{list}", *SEND, "--results", "out", "--number-column", "tel"], ["tel", "phone"]),
        (["send", "{list}", *SEND, "--results", "ftp://x/y"], ["--results", "s3://bucket/prefix"]),
        (["send", "no-such-file.csv", *SEND, "--results", "out"], ["no-such-file.csv"]),
        (["send", "s3://sandbox/nothing/here/", *SEND, "--results", "out"], ["s3://sandbox/nothing/here/"]),
        (["send", "{list}", *SEND, "--results", "s3://no-such-bucket/x"], ["no-such-bucket", "bucket"]),
        (["send", "{list}", *SEND, "--results", "out", "--suppress", "no-opt-outs.csv"], ["no-opt-outs.csv"]),
        (
            ["send", "{list}", *SEND, "--results", "out", "--exclude-results", "{list}"],
            ["isn't a campaign's results.parquet"],
        ),
        (["send", "{list}", *SEND, "--results", "out", "--canary=-1"], ["--canary"]),
        (["tell"], ["tell"]),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_bad_input_is_exit_2_and_says_what_to_do(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    """One clear message, nothing sent, and nothing left behind."""
    ended = globe_sms(
        *(argument.replace("{list}", str(numbers)) for argument in arguments), environment=environment, cwd=tmp_path
    )
    assert ended.code == 2, ended.err
    assert [word for word in words if word not in ended.err] == []
    assert sandbox.gateway.stats().calls == 0
    assert not [*tmp_path.rglob("campaign.json")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}, ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]),
        ({"GLOBE_SMS_ENDPOINT": "http://sms.example.com"}, ["GLOBE_SMS_ENDPOINT", "https"]),
        ({"GLOBE_SMS_MARGIN": "2"}, ["GLOBE_SMS_MARGIN"]),
        ({"AWS_SECRET_ACCESS_KEY": "0ther-5ecret"}, ["s3://"]),
    ],
)
def test_a_bad_environment_is_exit_2_and_names_the_variable(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, changes: dict[str, str], words: list[str]
) -> None:
    """Without showing what it holds."""
    ended = globe_sms(
        "send", numbers, *SEND, "--results", f"s3://{sandbox.bucket}/x", environment={**environment, **changes}
    )
    assert ended.code == 2, ended.err
    assert [word for word in words if word not in ended.err] == []


def at_a_terminal(*arguments: str | Path, environment: Mapping[str, str], keys: str) -> tuple[int, str]:
    """Run `globe-sms send` at a pseudo-terminal, type `keys` when it asks, return its exit code and what it showed."""
    master, slave = os.openpty()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PREFECT_"))}
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("globe-sms")), *map(str, arguments)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**clean, "TERM": "xterm", "COLUMNS": "160", "AWS_EC2_METADATA_DISABLED": "true", **environment},
        start_new_session=True,
    )
    os.close(slave)
    shown, asked = "", False
    with contextlib.suppress(OSError):  # how a pseudo-terminal ends
        while piece := os.read(master, 65_536):
            shown += piece.decode(errors="replace")
            if not asked and "[y/N]" in shown:
                asked = True
                os.write(master, keys.encode())
    os.close(master)
    return process.wait(LONGEST_WAIT), shown


@pytest.mark.parametrize(("keys", "code", "calls", "word"), [("y\n", 0, 1, "accepted"), ("n\n", 3, 0, "declined")])
def test_a_terminal_shows_the_preview_and_is_asked(
    either_environment: dict[str, str],
    sandbox: Sandbox,
    numbers: Path,
    tmp_path: Path,
    keys: str,
    code: int,
    calls: int,
    word: str,
) -> None:
    """Only yes sends; no is exit 3, with results that say so."""
    ended, shown = at_a_terminal(
        "send", numbers, *SEND, "--results", tmp_path / "out", environment=either_environment, keys=keys
    )
    assert ended == code, shown
    assert "Singapore" in shown
    assert "25 numbers in 1 call" in shown
    assert word in shown
    assert not _WHOLE_NUMBER.search(shown)
    assert sandbox.gateway.stats().calls == calls


_WITH_A_TERMINAL_OF_ITS_OWN = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class _Terminal:
    """`globe-sms` as the foreground process of a terminal of its own."""

    def __init__(self, *arguments: str | Path, environment: Mapping[str, str]) -> None:
        self._ours, theirs = os.openpty()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PREFECT_"))}
        program = Path(sys.executable).with_name("globe-sms")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WITH_A_TERMINAL_OF_ITS_OWN, program, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**clean, "TERM": "xterm", "COLUMNS": "160", "AWS_EC2_METADATA_DISABLED": "true", **environment},
        )
        os.close(theirs)
        self.shown = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # how a pseudo-terminal ends
            while piece := os.read(self._ours, 65_536):
                self.shown += piece.decode(errors="replace")

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def close(self) -> None:
        os.close(self._ours)

    def wait(self) -> int:
        code = self._process.wait(LONGEST_WAIT)
        self._reader.join(LONGEST_WAIT)
        return code


def test_a_closed_terminal_ends_a_run_in_order(
    either_environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path
) -> None:
    """The kernel sends SIGHUP, and nothing that the run says after that is an error: the results are written."""
    sandbox.gateway.reset()
    terminal = _Terminal(
        *("send", numbers, *SEND[:4], "--calls-per-second=1", "--numbers-per-call=1", "--yes"),
        *("--results", tmp_path / "out", "--campaign=c"),
        environment=either_environment,
    )
    await_event(lambda: terminal.has_ended or sandbox.gateway.stats().calls > 1, "some calls")
    terminal.close()
    assert terminal.wait() == 1
    results = pl.read_parquet(tmp_path / "out" / "c" / "results.parquet")
    reasons = results.filter(pl.col("chunk").is_not_null())["reason"].value_counts()
    assert dict(reasons.iter_rows()).keys() == {None, "cancelled"}


def test_ctrl_c_twice_at_a_terminal_ends_the_calls_and_writes_the_results(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path
) -> None:
    """The gateway answers nothing for ten minutes; the first Ctrl-C says what it waits for, the second doesn't wait."""
    sandbox.gateway.set_latency(600.0)
    terminal = _Terminal(
        *("send", numbers, *SEND[:4], "--calls-per-second=10", "--numbers-per-call=1", "--yes"),
        *("--results", tmp_path / "out", "--campaign=c"),
        environment=environment,
    )
    try:
        await_event(lambda: terminal.has_ended or sandbox.gateway.stats().calls > 1, "some calls")
        terminal.type("\x03")
        await_event(
            lambda: terminal.has_ended or "Ctrl-C again ends them now" in terminal.shown, "a word about the wait"
        )
        terminal.type("\x03")
        assert terminal.wait() == 1, terminal.shown
    finally:
        sandbox.gateway.set_latency(0.0)
    assert "The run was stopped by Ctrl-C." in terminal.shown
    assert "Traceback" not in terminal.shown
    results = pl.read_parquet(tmp_path / "out" / "c" / "results.parquet")
    reasons = results.filter(pl.col("chunk").is_not_null())["reason"].value_counts()
    assert dict(reasons.iter_rows()).keys() == {"no_reply", "cancelled"}


@pytest.mark.parametrize("wanted", [("--approve-above", "0"), ("--approve-above", "24")])
def test_without_a_terminal_a_wanted_approval_needs_yes(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path, wanted: tuple[str, ...]
) -> None:
    """Exit 2 and nothing sent; with --yes it is sent."""
    place = ("--results", tmp_path / "out", "--campaign", "c")
    refused = globe_sms("send", numbers, *SEND, *place, *wanted, environment=environment)
    assert refused.code == 2
    assert "--yes" in refused.err
    assert sandbox.gateway.stats().calls == 0
    assert globe_sms("send", numbers, *SEND, *place, *wanted, "--yes", environment=environment).code == 0
    assert sandbox.gateway.stats().calls == 1


def test_help_is_enough_to_start_with() -> None:
    """A newcomer finds the demo, the examples, the environment and the exit codes."""
    top = globe_sms("--help", environment={})
    send = globe_sms("send", "--help", environment={})
    assert (top.code, send.code) == (0, 0)
    for word in ("globe-sms demo", "sandbox", "Exit codes"):
        assert word in top.out
    for word in ("--dry-run", "ALIBABA_CLOUD_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "globe-sms send", "NOTIFY"):
        assert word in send.out


def test_a_table_of_prefixes_overrides_the_metadata(environment: dict[str, str], tmp_path: Path) -> None:
    """What it turns is recorded; another table makes the plan again before the first call and is exit 2 after it."""
    numbers, table, out = tmp_path / "numbers.csv", tmp_path / "prefixes.csv", tmp_path / "out"
    numbers.write_text("phone\n6581234567\n6561234567\n6571234567\n65712345\n8613800138000\n")

    def send(rows: str, *options: str) -> Ended:
        table.write_text(f"prefix,mobile\n{rows}")
        arguments = ("send", numbers, *SEND, "--results", out, "--campaign", "c", "--numbers-override", table)
        return globe_sms(*arguments, *options, environment=environment)

    def planned_with() -> dict[str, bool]:
        document = json.loads((out / "c" / "campaign.json").read_text(encoding="utf-8"))
        return document["plan"]["numbers_override"]

    bad = send("657,yes\n658,maybe\n")
    assert bad.code == 2
    assert f"{table}: row 1 says neither yes nor no" in bad.err.replace("\n", " ")
    assert send("657,yes\n", "--dry-run").code == 0
    assert planned_with() == {"657": True}
    assert send("657,yes\n658,no\n8613,yes\n").code == 0
    results = pl.read_parquet(out / "c" / "results.parquet")
    assert results["status"].to_list() == ["invalid", "invalid", "accepted", "invalid", "unsupported"]
    assert results["reason"].to_list()[:4] == ["not_mobile", "not_mobile", None, "too_short"]
    assert results["phone_number"].to_list()[2] == "+6571234567"
    assert planned_with() == {"657": True, "658": False, "8613": True}
    assert send("8613,yes\n658,no\n657,yes\n").code == 0
    other = send("657,yes\n")
    assert other.code == 2
    assert "--numbers-override: was given, now given with other content" in " ".join(other.err.split())


def test_a_test_goes_to_own_numbers_only_and_once(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path
) -> None:
    """What was not changed is not sent again; another text is, and the campaign itself is untouched."""
    own = ("+6591234567", "+65 9123 4568")

    def send(*arguments: str) -> Ended:
        place = ("--results", tmp_path / "out", "--campaign", "c", "--type", "OTP", "--calls-per-second", "50")
        return globe_sms("send", numbers, *place, *arguments, "--json", environment=environment)

    first = send("--message", "Hello", "--test-to", *own)
    assert first.code == 0, first.err
    assert first.json["campaign"].startswith("c-test-")
    assert first.json["counts"]["accepted"] == 2
    assert "nobody on the lists gets anything" in " ".join(first.err.split())
    assert "+65••••4567" in first.err
    again = send("--message", "Hello", "--test-to", own[0], "--test-to", own[1])
    assert (again.code, again.json["calls"], again.json["campaign"]) == (0, 0, first.json["campaign"])
    assert "this test was already sent" in " ".join(again.err.split())
    other = send("--message", "Hello again", "--test-to", *own)
    assert other.json["calls"] == 1
    assert [sorted(arrival.numbers) for arrival in sandbox.gateway.log()] == [["6591234567", "6591234568"]] * 2
    assert send("--message", "Hello again").json["counts"]["accepted"] == 25


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["+65 1234"], "--test-to"),
        (["+6591234567", "{list}"], "isn't a phone number"),
        (["no-such.csv"], "no-such.csv"),
    ],
)
def test_own_numbers_that_are_none_are_exit_2(
    environment: dict[str, str], sandbox: Sandbox, numbers: Path, tmp_path: Path, arguments: list[str], word: str
) -> None:
    """Nothing is sent to anybody."""
    given = [argument.replace("{list}", str(numbers)) for argument in arguments]
    ended = globe_sms(
        "send", numbers, *SEND, "--results", tmp_path / "out", "--test-to", *given, environment=environment
    )
    assert ended.code == 2, ended.err
    assert word in ended.err
    assert sandbox.gateway.stats().calls == 0
