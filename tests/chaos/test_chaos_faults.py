"""Every fault of the gateway, each against what the results must say of it."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.chaos.campaign_under_test import Campaign, Stage
from tests.chaos.long_form import LONG, long_form

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ACCEPTED = ("accepted", None)
UNMATCHED = ("accepted", "message_id_unmatched")
LISTED = ("failed", "failed_list")
NO_REPLY = ("unknown", "no_reply")
UNREADABLE = ("unknown", "unreadable_answer")


@dataclass(frozen=True)
class Fault:
    """A fault that befalls one chunk, and the statuses and reasons that its rows must have."""

    kind: str
    expected: set[tuple[str, str | None]]
    options: dict[str, Any] = field(default_factory=dict)


def refused(code: str) -> Fault:
    """A business code that is one number's own: the others of its chunk go out."""
    return Fault(f"code:{code}", {ACCEPTED, ("failed", code)})


def unclear(code: str, **options: Any) -> Fault:
    """A business code after which the chunk may have been taken."""
    return Fault(f"code:{code}", {("unknown", code)}, options)


FAULTS = (
    # No answer, or half of one.
    Fault("accept_then_drop", {NO_REPLY}),
    Fault("drop_before", {NO_REPLY}),
    Fault("reset", {NO_REPLY}),
    Fault("truncate", {NO_REPLY}),
    Fault("broken_json", {UNREADABLE}),
    Fault("empty_body", {UNREADABLE}),
    # Answers that are not the service's.
    Fault("html_502", {UNREADABLE}),
    Fault("html_502", {UNREADABLE}, {"processed": False}),
    Fault("http_500", {("unknown", "InternalError")}),
    Fault("http_500", {("unknown", "InternalError")}, {"processed": False}),
    Fault("http_503", {("unknown", "ServiceUnavailable")}),
    Fault("http_503", {("unknown", "ServiceUnavailable")}, {"processed": False}),
    # Acceptances whose lists are bent.
    Fault("few_ids", {UNMATCHED}),
    Fault("many_ids", {UNMATCHED}),
    Fault("no_ids", {UNMATCHED}),
    Fault("ids_shape", {ACCEPTED}, {"shape": "array"}),
    Fault("ids_shape", {UNMATCHED}, {"shape": "empty"}),
    Fault("ids_shape", {UNMATCHED}, {"shape": "missing"}),
    Fault("ids_shape", {UNMATCHED}, {"shape": "null"}),
    Fault("ids_shape", {UNMATCHED}, {"shape": "missing", "lists": "ids"}),
    Fault("ids_shape", {ACCEPTED}, {"shape": "missing", "lists": "failed"}),
    Fault("ids_shape", {ACCEPTED}, {"shape": "null", "lists": "failed"}),
    Fault("failed_share", {ACCEPTED, LISTED}, {"share": 0.5}),
    Fault("failed_share", {LISTED}, {"share": 1.0}),
    Fault("failed_foreign", {("unknown", "failed_list_unmatched")}),
    Fault("few_accepted", {("unknown", "contradictory_answer")}),
    # Business codes: refusals of one number.
    refused("MOBILE_NUMBER_ILLEGAL"),
    refused("NOT_SUPPORTED_COUNTRY"),
    refused("BUSINESS_LIMIT_CONTROL_PHONE"),
    # Business codes that promise nothing, whatever really happened.
    unclear("SYSTEM_ERROR"),
    unclear("SYSTEM_ERROR", processed=True),
    unclear("ONLINE_BILLING_FAILED"),
    unclear("UNKNOWN"),
    unclear("A_CODE_OF_TOMORROW"),
    unclear("A_CODE_OF_TOMORROW", processed=True),
    Fault("code:OK", {("unknown", "contradictory_answer")}),
    # The API gateway's codes.
    Fault("gateway_code:SomethingNew:500", {("unknown", "SomethingNew")}),
    Fault("gateway_code:SomethingNew:503", {("unknown", "SomethingNew")}, {"processed": True}),
    Fault("gateway_code:ServiceUnavailableTemporary:503", {("unknown", "ServiceUnavailableTemporary")}),
)
# They befall whichever chunks come first; those are tried again and taken.
PASSING = (
    Fault("throttle", {ACCEPTED}, {"next": 2}),
    Fault("throttle", {ACCEPTED}, {"next": 1, "retry_after_ms": 700}),
    Fault("gateway_code:Throttling.Api:429", {ACCEPTED}, {"next": 1}),
    Fault("gateway_code:SomethingNew:429", {ACCEPTED}, {"next": 1}),
    Fault("code:QPS_LIMIT_CONTROL", {ACCEPTED}, {"next": 1}),
    Fault("nonce_used", {ACCEPTED}, {"next": 1}),
    Fault("clock", {ACCEPTED}, {"next": 1}),
)
HEALTHY = 8


def test_every_fault_of_the_gateway_has_its_status_and_reason(stage: Stage) -> None:
    """One campaign, one chunk a fault, one run of the command; what is unclear is presented once."""
    faults = (*FAULTS, *([Fault("hang", {NO_REPLY})] if LONG else []))
    campaign = stage.campaign("s3", chunks=len(faults) + HEALTHY)
    for chunk, fault in enumerate(faults):
        stage.sandbox.gateway.add_fault(fault.kind, number=campaign.chunk(chunk)[0], seed=1, **fault.options)
    for fault in PASSING:
        stage.sandbox.gateway.add_fault(fault.kind, **fault.options)

    command = stage.run(campaign)

    found: dict[int, set[tuple[str, str | None]]] = {}
    for status, reason, chunk in stage.results(campaign).select("status", "reason", "chunk").iter_rows():
        found.setdefault(chunk, set()).add((status, reason))
    wrong = [
        f"{fault.kind} {fault.options}: {found[chunk]}, should be {fault.expected}"
        for chunk, fault in enumerate(faults)
        if found[chunk] != fault.expected
    ]
    assert wrong == []
    assert [found[len(faults) + healthy] for healthy in range(HEALTHY)] == [{ACCEPTED}] * HEALTHY
    assert stage.faults(campaign) == []
    assert command.code == 3, command.stderr
    arrivals = stage.arrivals(campaign)
    assert {arrival.fault for arrival in arrivals} == {fault.kind for fault in (*faults, *PASSING)} | {None}
    assert len({arrival.task_id for arrival in arrivals}) == len(arrivals), "an attempt has no task id of its own"


STOPPING = (
    ("code:AMOUNT_NOT_ENOUGH", "AMOUNT_NOT_ENOUGH", "top up"),
    *(
        [
            ("code:INVALID_SENDERID", "INVALID_SENDERID", "approved in the console"),
            ("code:SMS_CONTENT_ILLEGAL", "SMS_CONTENT_ILLEGAL", "another --campaign"),
            ("code:BLACK_KEY_CONTROL_LIMIT", "BLACK_KEY_CONTROL_LIMIT", "another --campaign"),
            ("code:SMS_SECURITY_INTERCEPTED", "SMS_SECURITY_INTERCEPTED", "ask Alibaba"),
            ("gateway_code:InvalidParameter:400", "InvalidParameter", "read the description"),
            ("gateway_code:MissingType:400", "MissingType", "report this as a bug"),
            ("gateway_code:SomethingNew:404", "SomethingNew", "look it up"),
            ("gateway_code:AccessDenied:403", "AccessDenied", "isn't allowed"),
            ("gateway_code:Account.Arrearage:400", "Account.Arrearage", "unpaid bills"),
            ("code:OUT_OF_SERVICE", "OUT_OF_SERVICE", "suspended"),
            ("code:RAM_PERMISSION_DENY", "RAM_PERMISSION_DENY", "grant it"),
            ("code:BUSINESS_LIMIT_DAY", "BUSINESS_LIMIT_DAY", "tomorrow"),
            ("gateway_code:Forbidden.RAM:403", "Forbidden.RAM", "isn't allowed"),
        ]
        if LONG
        else []
    ),
)


@pytest.mark.parametrize(("kind", "code", "advice"), STOPPING)
def test_a_refusal_that_all_calls_share_stops_the_campaign_and_a_resume_goes_on(
    stage: Stage, kind: str, code: str, advice: str
) -> None:
    """No call starts after the first such answer; the message has the code and what to do; nobody is failed."""
    campaign = stage.campaign("local", chunks=80)  # of which some are left however late a busy machine sees the answer
    stage.sandbox.gateway.add_fault(kind, number=campaign.chunk(6)[0])
    stage.sandbox.gateway.set_latency(0.3)

    stopped = stage.run(campaign)

    assert stopped.code == 1
    assert code in stopped.stderr
    assert advice in stopped.stderr
    assert stage.faults(campaign) == []
    assert stage.statuses(campaign).keys() == {ACCEPTED, ("not_sent", "stopped")}
    assert code in stage.results(campaign)["response_code"]
    assert last_call(campaign) <= first_refusal(campaign) + 0.3, "calls started after the account was refused"

    stage.sandbox.gateway.clear_faults()
    assert stage.run(campaign).code == 0
    assert stage.statuses(campaign).keys() == {ACCEPTED}
    assert stage.faults(campaign) == []


def first_refusal(campaign: Campaign) -> float:
    """When the run had noted that the call was refused, by its own clock: Unix time in seconds."""
    return min(path.stat().st_mtime for path in (campaign.path / "records").glob("*-stopped"))


def last_call(campaign: Campaign) -> float:
    """When the run wrote its last call, by its own clock: Unix time in seconds."""
    records = [json.loads(path.read_text()) for path in (campaign.path / "records").iterdir()]
    return max(record["sent_at"] for record in records if record["sent_at"] is not None)


def test_a_key_that_the_gateway_does_not_know_stops_at_once(stage: Stage) -> None:
    """Nothing was accepted, everything is accounted for, and the message says what is wrong."""
    campaign = stage.campaign("local", chunks=80)  # more than leave before a busy machine sees the first answer
    stage.sandbox.gateway.set_latency(0.0)
    command = stage.start(campaign, ALIBABA_CLOUD_ACCESS_KEY_ID="LTAInobody")
    assert command.wait() == 1
    assert "InvalidAccessKeyId.NotFound" in command.stderr
    assert stage.statuses(campaign).keys() == {("not_sent", "stopped")}
    stats = stage.sandbox.gateway.stats()
    assert (stats.accepted_numbers, stats.calls) == (0, stats.refused)
    assert stats.calls < 80


@long_form
def test_a_wrong_secret_stops_at_once(stage: Stage) -> None:
    """As a wrong key does; neither secret is printed."""
    campaign = stage.campaign("local", chunks=10)
    command = stage.start(campaign, ALIBABA_CLOUD_ACCESS_KEY_SECRET="not-the-secret-of-anyone")
    assert command.wait() == 1
    assert "SignatureDoesNotMatch" in command.stderr
    assert "not-the-secret-of-anyone" not in command.stderr + command.stdout
    assert stage.sandbox.gateway.stats().accepted_numbers == 0


@long_form
def test_too_many_failures_stop_the_campaign(stage: Stage) -> None:
    """After the first 1,000 numbers, more than the half of which are unknown; the rest is not sent."""
    campaign = stage.campaign("local", chunks=60, numbers_per_call=100)
    stage.sandbox.gateway.add_fault("html_502")
    command = stage.run(campaign)
    assert command.code == 1
    assert "--max-failure-rate" in command.stderr
    assert stage.faults(campaign) == []
    statuses = stage.statuses(campaign)
    assert 1_000 <= statuses[UNREADABLE] <= 3_000
    assert statuses[UNREADABLE] + statuses["not_sent", "stopped"] == 6_000


@long_form
@pytest.mark.parametrize(("kind", "code"), [("throttle", "Throttling.User"), ("clock", "InvalidTimeStamp.Expired")])
def test_a_refusal_that_never_ends_is_given_up_after_bounded_tries(stage: Stage, kind: str, code: str) -> None:
    """Eight tries a chunk at the most; then the campaign stops, and a resume goes on."""
    campaign = stage.campaign("local", chunks=6)
    stage.sandbox.gateway.add_fault(kind)
    command = stage.start(campaign)
    assert command.wait(400.0) == 1
    assert code in command.stderr
    assert "8 times in a row" in command.stderr
    assert stage.sandbox.gateway.stats().calls <= 6 * 8
    assert {status for status, _ in stage.statuses(campaign)} <= {"not_sent"}
    assert stage.faults(campaign) == []
    stage.sandbox.gateway.clear_faults()
    assert stage.run(campaign).code == 0
    assert stage.faults(campaign) == []


@pytest.mark.parametrize("for_good", [False, pytest.param(True, marks=long_form)])
def test_a_gateway_that_is_gone_loses_nothing(stage: Stage, for_good: bool) -> None:  # noqa: FBT001  # a case
    """Calls in the air become unknown; calls that found no connection are tried again, and given up in the end."""
    campaign = stage.campaign("local", chunks=60)
    command = stage.start(campaign)
    assert stage.await_arrivals(10, command)
    stage.sandbox.gateway.kill()
    try:
        if for_good:
            assert command.wait() == 1
            assert "8 times in a row" in command.stderr
        else:
            assert not command.ends_within(2.0)
    finally:
        stage.sandbox.gateway.start_again()
    stage.sandbox.gateway.set_latency(0.1, 0.5)
    if not for_good:
        assert command.wait() in (0, 3), command.stderr
        assert {status for status, _ in stage.statuses(campaign)} <= {"accepted", "unknown"}
    assert stage.faults(campaign, unheard=True) == []
    unknown = sum(rows for (status, _), rows in stage.statuses(campaign).items() if status == "unknown")
    assert unknown <= 16 * campaign.numbers_per_call, "more is unknown than was in the air"
    if for_good:
        assert stage.run(campaign).code in (0, 3)
        assert {status for status, _ in stage.statuses(campaign)} <= {"accepted", "unknown"}
        assert stage.faults(campaign, unheard=True) == []
