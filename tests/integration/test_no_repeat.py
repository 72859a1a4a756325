"""Nobody gets the same text twice from the campaigns of a results folder: on the sandbox and a real Prefect server."""

import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from globe_sms.deployments.sandbox.sandbox import Sandbox
from tests.integration.flat_options import send_at_once

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("in_sandbox"),
]


def numbers(*last: int) -> list[str]:
    return [f"65812345{each:02}" for each in last]


class Place:
    """A results folder, and lists beside it."""

    def __init__(self, folder: Path, results: str) -> None:
        self._folder = folder
        self.results = results

    def send(self, rows: Sequence[str], **options: Any) -> Any:
        """Send a text to these lines of a CSV list, with a name where they have a comma."""
        path = self._folder / "list.csv"
        path.write_text("\n".join(["phone,name" if "," in rows[0] else "phone", *rows]) + "\n")
        given = {"message": "We open at 9", "type": "NOTIFY", "calls_per_second": 50, "numbers_per_call": 2} | options
        return send_at_once([str(path)], results=self.results, **given)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A results folder on the disk."""
    return Place(tmp_path, str(tmp_path / "out"))


def texted(sandbox: Sandbox) -> Counter[str]:
    """How often the gateway was asked to text each number."""
    return Counter(number[-2:] for arrival in sandbox.gateway.log() for number in arrival.numbers)


def reasons(report: Any) -> dict[str, str | None]:
    """The reason of each row, by the last two digits of its number."""
    return {number[-2:]: reason for number, reason in report.results().select("phone_number", "reason").iter_rows()}


def test_a_changed_list_texts_only_those_who_are_new(sandbox: Sandbox, place: Place) -> None:
    """Without --campaign it's another campaign; the first one's people keep the one text that they have."""
    first = place.send(numbers(1, 2, 3))
    second = place.send(numbers(1, 2, 3, 4, 5))
    assert second.campaign != first.campaign
    assert (second.counts["suppressed"], second.counts["accepted"], second.calls) == (3, 2, 1)
    assert reasons(second) == {**dict.fromkeys(("01", "02", "03"), f"repeat:{first.campaign}"), "04": None, "05": None}
    assert second.figures.repeats == {first.campaign: 3}
    assert set(texted(sandbox).values()) == {1}


def test_a_killed_campaign_and_its_refused_numbers(sandbox: Sandbox, place: Place) -> None:
    """A claim without a record counts as texted; a number that the gateway refused doesn't."""
    sandbox.gateway.add_fault("code:MOBILE_NUMBER_ILLEGAL", number="6581234503")
    killed = place.send(numbers(1, 2, 3), campaign="killed")
    assert killed.counts["failed"] == 1
    next(iter((Path(place.results) / "killed/records").glob("000000-0-*"))).unlink()
    sandbox.gateway.clear_faults()
    again = place.send(numbers(1, 2, 3), campaign="again")
    assert reasons(again) == {"01": "repeat:killed", "02": "repeat:killed", "03": None}


def test_a_repeat_that_is_wanted(sandbox: Sandbox, place: Place) -> None:
    """--repeat-after 0, a code, and a test: it may be repeated, and who got it still gets the campaign."""
    place.send(numbers(1), test_to=[SecretStr(*numbers(1))], campaign="test")
    assert place.send(numbers(1, 2), campaign="first").counts["accepted"] == 2
    assert place.send(numbers(1), campaign="wanted", repeat_after="0").counts["accepted"] == 1
    assert place.send(numbers(1), campaign="code", type="OTP").counts["accepted"] == 1
    place.send(numbers(2), test_to=[SecretStr(*numbers(1))], campaign="another-test")
    assert texted(sandbox) == {"01": 5, "02": 1}


def test_personal_texts_are_compared_as_they_leave(sandbox: Sandbox, place: Place) -> None:
    """Another text for the same person goes out; the same words from another template don't."""
    first = numbers(1, 2)
    place.send([f"{first[0]},Ann", f"{first[1]},Bo"], message="Hi {name} \u2013 open at 9", campaign="first")
    second = place.send([f"{first[0]},Ann", f"{first[1]},Bob"], message="Hi {name} - open at 9", campaign="second")
    assert reasons(second) == {"01": "repeat:first", "02": None}
    assert texted(sandbox) == {"01": 1, "02": 2}


def test_a_dry_run_says_who_has_the_text_and_a_later_run_looks_again(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is frozen with it: it plans again with those who have the text by then."""
    place.send(numbers(1), campaign="first")
    plan = place.send(numbers(1, 2, 3), campaign="second", dry_run=True)
    assert plan.counts["suppressed"] == 1
    place.send(numbers(2), campaign="third")
    capsys.readouterr()
    report = place.send(numbers(1, 2, 3), campaign="second")
    assert report.figures.repeats == {"first": 1, "third": 1}


def test_on_s3(sandbox: Sandbox, tmp_path: Path) -> None:
    """The results folder may be on S3."""
    place = Place(tmp_path, f"s3://{sandbox.bucket}/{uuid.uuid4().hex}")
    place.send(numbers(1, 2), campaign="first")
    assert reasons(place.send(numbers(2, 3), campaign="second")) == {"02": "repeat:first", "03": None}
