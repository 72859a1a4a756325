"""Refusals of the gateway: what can be fixed costs nobody the text, and what is about one row costs that row alone."""

from typing import Any

import polars as pl
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.reports.campaign_page import speed
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError
from tests.integration.flat_options import send_at_once

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("in_sandbox"),
]


@pytest.fixture
def send(config: dict[str, Any], tmp_path: Any) -> Any:
    """Send a campaign of so many numbers of Singapore; the same one each time."""

    def send_campaign(count: int, numbers_per_call: int = 250, **options: Any) -> Any:
        path = tmp_path / "numbers.csv"
        path.write_text("phone\n" + "".join(f"{number}\n" for number in numbers(count)))
        return send_at_once([str(path)], **{**config, "numbers_per_call": numbers_per_call, **options})

    del config["recipients"]
    return send_campaign


def numbers(count: int) -> list[str]:
    """So many numbers (digits)."""
    return [f"65{81_000_000 + place}" for place in range(count)]


def rows(report: Any) -> dict[tuple[str, str | None, str | None], int]:
    """Rows by status, reason and the gateway's code."""
    counted = report.results().group_by(pl.col("status").cast(pl.String), "reason", "response_code").len()
    return {(status, reason, code): found for status, reason, code, found in counted.iter_rows()}


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        ("code:INVALID_SENDERID", "INVALID_SENDERID", "approved in the console"),
        ("gateway_code:AccessDenied:403", "AccessDenied", "check RAM"),
        ("gateway_code:Account.Arrearage:400", "Account.Arrearage", "unpaid bills"),
    ],
)
def test_a_refusal_that_all_calls_share_fails_nobody_and_the_same_command_goes_on(
    sandbox: Sandbox, send: Any, fault: str, code: str, says: str
) -> None:
    """2,500 numbers: one look is enough, and all of them get the text once the cause is fixed."""
    sandbox.gateway.add_fault(fault)
    with pytest.raises(CampaignStoppedError, match=code) as caught:
        send(2_500)
    stopped: Any = caught.value.report
    assert says in stopped.stop.message
    assert "run the same command again: it continues with the numbers that weren't sent" in stopped.stop.message
    assert (stopped.counts["not_sent"], stopped.counts["failed"]) == (2_500, 0)
    assert rows(stopped).keys() == {("not_sent", "stopped", None), ("not_sent", "stopped", code)}
    sandbox.gateway.clear_faults()
    assert send(2_500).counts["accepted"] == 2_500
    assert sandbox.gateway.stats().accepted_twice == 0


def test_http_429_with_any_code_is_tried_again(sandbox: Sandbox, send: Any) -> None:
    sandbox.gateway.add_fault("gateway_code:NeverHeardOf:429", next=2)
    report = send(500)
    assert (report.counts["accepted"], report.throttled) == (500, 2)


def test_one_bad_number_of_250_fails_alone(sandbox: Sandbox, send: Any) -> None:
    """Two calls for each halving; the others of its call go out, each once."""
    bad = numbers(500)[137]
    sandbox.gateway.add_fault("code:MOBILE_NUMBER_ILLEGAL", number=bad)
    report = send(500)
    assert rows(report) == {
        ("accepted", None, "OK"): 499,
        ("failed", "MOBILE_NUMBER_ILLEGAL", "MOBILE_NUMBER_ILLEGAL"): 1,
    }
    assert report.results().filter(status="failed")["phone_number"].to_list() == [f"+{bad}"]
    assert report.calls <= 2 + 2 * 8
    assert sandbox.gateway.stats().accepted_twice == 0


def test_a_number_that_is_refused_everywhere_in_a_call_ends_the_search(sandbox: Sandbox, send: Any) -> None:
    """A country that isn't served: the run stops after some forty calls, and the rest goes out once it is."""
    sandbox.gateway.add_fault("code:NOT_SUPPORTED_COUNTRY", prefix="65")
    with pytest.raises(CampaignStoppedError, match="NOT_SUPPORTED_COUNTRY") as caught:
        send(250)
    stopped: Any = caught.value.report
    assert (stopped.counts["failed"], stopped.counts["not_sent"]) == (8, 242)
    assert stopped.calls <= 40
    sandbox.gateway.clear_faults()
    resumed = send(250)
    assert (resumed.counts["failed"], resumed.counts["accepted"]) == (8, 242)


def test_an_account_of_250_gets_calls_of_250_though_it_was_told_1000(sandbox: Sandbox, send: Any) -> None:
    """Also after a stop in the middle; the report says what to set."""
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH", number=numbers(2_500)[1_300])
    with pytest.raises(CampaignStoppedError) as caught:
        send(2_500, numbers_per_call=1_000)
    stopped: Any = caught.value.report
    assert "--numbers-per-call 250" in speed(stopped)
    sandbox.gateway.clear_faults()
    assert send(2_500, numbers_per_call=1_000).counts["accepted"] == 2_500
    assert sandbox.gateway.stats().accepted_twice == 0


def test_a_lower_number_a_call_slices_the_calls_of_a_resume(sandbox: Sandbox, send: Any) -> None:
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH", every=2)
    with pytest.raises(CampaignStoppedError):
        send(200, numbers_per_call=50)
    sandbox.gateway.clear_faults()
    before = sandbox.gateway.stats().accepted_numbers
    report = send(200, numbers_per_call=20)
    assert report.counts["accepted"] == 200
    assert report.calls == 3 * (200 - before) // 50
    assert sandbox.gateway.stats().accepted_twice == 0


def test_a_forbidden_word_in_one_personal_text_fails_its_row_alone(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Any
) -> None:
    del config["recipients"]
    path = tmp_path / "personal.csv"
    names = ["Casino" if place == 3 else "Ann" for place in range(40)]
    path.write_text("phone,name\n" + "".join(f"{n},{name}\n" for n, name in zip(numbers(40), names, strict=True)))
    sandbox.gateway.add_fault("code:BLACK_KEY_CONTROL_LIMIT", text="Casino")
    report = send_at_once([str(path)], **{**config, "message": "Hi {name}"})
    assert (report.counts["accepted"], report.counts["failed"]) == (39, 1)
    assert report.results().filter(status="failed")["row"].to_list() == [3]


def test_counts_that_contradict_each_other_are_unknown(sandbox: Sandbox, send: Any) -> None:
    """SuccessCount 5 of 10 and nobody in FailedList: nobody knows for whom."""
    sandbox.gateway.add_fault("few_accepted", next=1)
    report = send(20, numbers_per_call=10)
    assert rows(report) == {("accepted", None, "OK"): 10, ("unknown", "contradictory_answer", "OK"): 10}
