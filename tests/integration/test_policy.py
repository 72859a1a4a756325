"""A policy as an operator meets it: it is checked, named by previews and reports, and keeps campaigns within it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from globe_sms import send
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.command_line.app import make_app, run_app
from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError, InputError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_sandbox")]

POLICY = """
suppress = ["{folder}/opt-outs.csv"]
deny-country = ["GB"]

[budget.day]
numbers = 3
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A results directory without a policy."""
    (tmp_path / "opt-outs.csv").write_text("phone\n+6581234567\n")
    (tmp_path / "list.csv").write_text("phone\n+6581234567\n+6581234568\n+6581234569\n+447400123456\n")
    return tmp_path / "out"


def write_policy(place: Path, text: str = POLICY) -> None:
    path = place / ".globe-sms" / "policy.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(folder=place.parent))


def campaign(place: Path, name: str, **options: Any) -> dict[str, Any]:
    defaults = {"message": f"Hello from {name}", "type": "NOTIFY", "numbers_per_call": 1, "calls_per_second": 50}
    return {"results": str(place), "campaign": name, **defaults, **options}


def test_campaigns_keep_within_a_policy_and_its_budget(sandbox: Sandbox, place: Path) -> None:
    """The first one uses two of the day's three numbers; the next is refused before its first call, a dry run isn't."""
    lists = str(place.parent / "list.csv")
    write_policy(place)
    first = send(lists, **campaign(place, "first"))
    assert (first.counts["accepted"], first.counts["suppressed"], first.counts["unsupported"]) == (2, 1, 1)
    assert first.policy is not None
    assert first.policy.kept_back == (("opted out", 1), ("in countries that aren't texted", 1))
    document = json.loads((place / "first" / DOCUMENT_KEY).read_text())
    assert document["policy"]["place"] == f"{place}/.globe-sms/policy.toml"
    assert document["settings"]["deny_country"] == []
    assert sum(numbers for numbers, _, _ in document["usage"]["quarters"].values()) == 2

    assert send(lists, **campaign(place, "second", dry_run=True)).counts["not_sent"] == 2
    with pytest.raises(InputError, match=r"'second' is not sent: it would use 2 numbers, .* only 1 of 3 numbers"):
        send(lists, **campaign(place, "second"))
    assert sandbox.gateway.stats().calls == 2

    write_policy(place, POLICY.replace("numbers = 3", "numbers = 4"))
    assert send(lists, **campaign(place, "second")).counts["accepted"] == 2


def test_who_got_as_many_texts_as_the_policy_allows_is_left_out(sandbox: Sandbox, place: Path) -> None:
    """Whatever the text; codes are exempt."""
    lists = str(place.parent / "list.csv")
    write_policy(place, "deny-country = 'GB'\n[frequency]\ntexts = 1\ndays = 7")
    one = place.parent / "one.csv"
    one.write_text("phone\n+6581234568\n")
    assert send(str(one), **campaign(place, "before")).counts["accepted"] == 1
    report = send(lists, **campaign(place, "after"))
    assert (report.counts["accepted"], report.counts["suppressed"]) == (2, 1)
    assert report.policy is not None
    assert ("texted too often", 1) in report.policy.kept_back
    assert send(str(one), **campaign(place, "code", type="OTP")).counts["accepted"] == 1
    assert sandbox.gateway.stats().accepted_numbers == 4


def test_a_policy_that_changes_holds_for_a_campaign_that_is_being_sent(sandbox: Sandbox, place: Path) -> None:
    """Whom it keeps back now is left out of the resume; hours that the plan can't keep are refused."""
    path = place.parent / "two-countries.csv"
    path.write_text("phone\n+6581234567\n+6581234568\n+6581234569\n+447400123456\n+447400123457\n")
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH", next=50)
    with pytest.raises(CampaignStoppedError):
        send(str(path), **campaign(place, "resumed"))
    sandbox.gateway.clear_faults()
    write_policy(place, "hours = '00:00-23:59'")
    with pytest.raises(InputError, match="now has hours, but the campaign's plan was frozen without"):
        send(str(path), **campaign(place, "resumed"))
    write_policy(place)
    report = send(str(path), **campaign(place, "resumed"))
    counts = report.counts
    assert (counts["accepted"], counts["suppressed"], counts["unsupported"], counts["not_sent"]) == (2, 1, 2, 0)
    assert sandbox.gateway.stats().accepted_numbers == 2


def test_a_policy_that_cannot_be_used_stops_also_a_dry_run(place: Path) -> None:
    write_policy(place, "hour = '09:00-20:00'")
    with pytest.raises(InputError, match=r"policy\.toml: hour: unknown key: did you mean hours\?"):
        send(str(place.parent / "list.csv"), **campaign(place, "stopped", dry_run=True))


def test_the_command_starts_checks_and_shows_a_policy(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(command: str, *options: str) -> tuple[int, str]:
        code = run_app(make_app(), ["policy", command, "--results", str(place), *options])
        out, err = capsys.readouterr()
        return code, out + err

    assert "No policy applies" in run("show")[1]
    assert run("check")[0] == 2
    assert run("init")[0] == 0
    code, said = run("init")
    assert (code, "exists" in said) == (2, True)
    assert "It has no rules" in run("show")[1]
    write_policy(place)
    code, said = run("show")
    assert code == 0
    assert re.search(r"deny-country: never GB\n.*\nOf today's budget, 3 of 3 numbers are left", said)
    code, said = run("check", "--json")
    found = json.loads(said.splitlines()[-1])
    assert (code, found["lists"][0]["found"], found["rules"]["deny-country"]) == (0, "1 number", ["GB"])
    (place.parent / "opt-outs.csv").unlink()
    code, said = run("check")
    assert (code, "policy.toml: suppress: " in said) == (2, True)
