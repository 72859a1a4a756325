"""Which calls a fault rule takes, and the outcomes it causes."""

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pydantic import ValidationError

from globe_sms.deployments.sandbox.gateway.call_decision import Ending, Judge, Outcome
from globe_sms.deployments.sandbox.gateway.fault_rules import FaultRule, Faults, Latency
from globe_sms.deployments.sandbox.gateway.settings import Account
from globe_sms.deployments.sandbox.gateway.signature_check import Call

Signed = Callable[..., Call]


def taken(rule: FaultRule, calls: int = 6, numbers: list[str] | None = None) -> list[bool]:
    """Return which of several calls a rule takes."""
    faults = Faults()
    faults.add(rule)
    return [faults.draw(numbers or [], "k") is not None for _ in range(calls)]


def judge(account: Account, call: Call, now: float, *rules: FaultRule) -> Outcome:
    """Decide on a call with these active rules."""
    faults = Faults()
    for rule in rules:
        faults.add(rule)
    return Judge([account], faults).judge(call, wall=now, monotonic=1.0)


@pytest.mark.parametrize(
    ("picked", "expected"),
    [
        ({}, [True] * 6),
        ({"every": 3}, [False, False, True, False, False, True]),
        ({"next": 2}, [True, True, False, False, False, False]),
        ({"number": "6581234567"}, [False] * 6),
        ({"key_id": "another"}, [False] * 6),
        ({"key_id": "k", "next": 1}, [True, False, False, False, False, False]),
    ],
)
def test_a_rule_takes_the_calls_it_picks(picked: dict[str, Any], expected: list[bool]) -> None:
    """Every nth, the next n, by account, or all."""
    assert taken(FaultRule(kind="reset", **picked)) == expected


def test_a_rule_finds_its_number() -> None:
    """It takes the chunks that contain the number."""
    assert taken(FaultRule(kind="reset", number="6581234567"), 1, ["1", "6581234567"]) == [True]


def test_the_same_seed_picks_the_same_calls() -> None:
    """A failure can be repeated."""
    first = taken(FaultRule(kind="reset", probability=0.5, seed=7), 200)
    assert first == taken(FaultRule(kind="reset", probability=0.5, seed=7), 200)
    assert first != taken(FaultRule(kind="reset", probability=0.5, seed=8), 200)
    assert 60 < sum(first) < 140


def test_the_first_matching_rule_wins() -> None:
    """A later rule doesn't see the calls that an earlier one took."""
    faults = Faults()
    faults.add(FaultRule(kind="reset", next=1))
    faults.add(FaultRule(kind="hang", next=1))
    drawn = [faults.draw([], "k") for _ in range(3)]
    assert [rule[0].kind if rule else None for rule in drawn] == ["reset", "hang", None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "explode"},
        {"kind": "code:"},
        {"kind": "gateway_code:Throttling"},
        {"kind": "gateway_code:Throttling:200"},
        {"kind": "reset", "every": 2, "next": 1},
        {"kind": "reset", "probability": 0},
        {"kind": "reset", "sometimes": True},
    ],
)
def test_an_invalid_rule_is_refused(wrong: dict[str, Any]) -> None:
    """A misspelled fault must not look like a run without faults."""
    with pytest.raises(ValidationError):
        FaultRule.model_validate(wrong)


def test_latency_stays_within_its_bounds() -> None:
    """Uniformly drawn, identical for the same seed."""
    faults = Faults()
    faults.latency = Latency(low=0.8, high=2.5, seed=1)
    drawn = [faults.draw_latency() for _ in range(200)]
    assert min(drawn) >= 0.8
    assert max(drawn) <= 2.5
    assert max(drawn) - min(drawn) > 1
    with pytest.raises(ValidationError):
        Latency(low=2, high=1)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, (Ending.SEND, 2, "OK")),
        (FaultRule(kind="accept_then_drop"), (Ending.CLOSE, 2, "OK")),
        (FaultRule(kind="drop_before"), (Ending.CLOSE, 0, "ServiceUnavailable")),
        (FaultRule(kind="reset"), (Ending.RESET, 2, "OK")),
        (FaultRule(kind="hang"), (Ending.HANG, 2, "OK")),
        (FaultRule(kind="truncate"), (Ending.TRUNCATE, 2, "OK")),
        (FaultRule(kind="http_500"), (Ending.SEND, 2, "InternalError")),
        (FaultRule(kind="http_500", processed=False), (Ending.SEND, 0, "InternalError")),
        (FaultRule(kind="http_503"), (Ending.SEND, 2, "ServiceUnavailable")),
        (FaultRule(kind="html_502", processed=False), (Ending.SEND, 0, "502")),
        (FaultRule(kind="throttle", processed=True), (Ending.SEND, 0, "Throttling.User")),
        (FaultRule(kind="code:AMOUNT_NOT_ENOUGH"), (Ending.SEND, 0, "AMOUNT_NOT_ENOUGH")),
        (FaultRule(kind="code:SYSTEM_ERROR", processed=True), (Ending.SEND, 2, "SYSTEM_ERROR")),
        (FaultRule(kind="gateway_code:Forbidden.RAM:403"), (Ending.SEND, 0, "Forbidden.RAM")),
    ],
)
def test_a_fault_accepts_numbers_as_its_line_says(
    signed: Signed, account: Account, now: float, rule: FaultRule | None, expected: tuple[Ending, int, str]
) -> None:
    """Whatever the caller is told, the outcome has the accepted numbers."""
    outcome = judge(account, signed(), now, *([rule] if rule else []))
    accepted = len(outcome.acceptance.accepted) if outcome.acceptance else 0
    assert (outcome.ending, accepted, outcome.answer.code) == expected


def test_a_rejected_call_leaves_its_second_free(signed: Signed, now: float) -> None:
    """A throttling fault is like a throttled call; a later fault uses up the turn."""
    slow = Account(key_id="slow", secret="s", calls_per_second=1)
    faults = Faults()
    faults.add(FaultRule(kind="throttle", next=1))
    faults.add(FaultRule(kind="http_500", next=1, processed=False))
    ask = Judge([slow], faults)
    codes = [ask.judge(signed(account=slow), wall=now, monotonic=1.0).answer.code for _ in range(3)]
    assert codes == ["Throttling.User", "InternalError", "Throttling.User"]


def test_throttled_calls_count_only_if_the_account_says_so(signed: Signed, now: float) -> None:
    """`count_refused` makes throttled calls occupy the second too."""

    def codes(*, count_refused: bool) -> list[str]:
        slow = Account(key_id="slow", secret="s", count_refused=count_refused)
        ask = Judge([slow], Faults())
        return [ask.judge(signed(account=slow), wall=now, monotonic=t).answer.code for t in (0.0, 0.6, 1.2)]

    assert codes(count_refused=False) == ["OK", "Throttling.User", "OK"]
    assert codes(count_refused=True) == ["OK", "Throttling.User", "Throttling.User"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"retry_after_ms": 1500}, (400, "Throttling.User", ((b"x-acs-retry-after", b"1500"),))),
        ({"throttle_as": "business"}, (200, "QPS_LIMIT_CONTROL", ())),
    ],
)
def test_an_account_sets_how_it_is_throttled(
    signed: Signed, now: float, options: dict[str, Any], expected: tuple[object, ...]
) -> None:
    """As a gateway error with a time to wait, or as a business code."""
    slow = Account(key_id="slow", secret="s", **options)
    ask = Judge([slow], Faults())
    ask.judge(signed(account=slow), wall=now, monotonic=0.0)
    answer = ask.judge(signed(account=slow), wall=now, monotonic=0.5).answer
    assert (answer.status, answer.code, answer.headers) == expected


def body_of(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome's JSON answer."""
    return json.loads(outcome.answer.body)


@pytest.mark.parametrize(
    ("rule", "ids"),
    [("few_ids", 1), ("many_ids", 3), ("no_ids", 0)],
)
def test_ids_can_be_too_few_or_too_many(signed: Signed, account: Account, now: float, rule: str, ids: int) -> None:
    """SuccessCount is still right."""
    body = body_of(judge(account, signed(), now, FaultRule(kind=rule)))
    assert len(set(json.loads(body["MessageIdList"]))) == ids
    assert body["SuccessCount"] == "2"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("array", []), ("empty", ""), ("null", None)],
)
def test_lists_come_in_every_form(signed: Signed, account: Account, now: float, shape: str, expected: object) -> None:
    """Also as real arrays, empty text and null; with `lists` only one of the two."""
    body = body_of(
        judge(
            account, signed(), now, FaultRule.model_validate({"kind": "ids_shape", "shape": shape, "lists": "failed"})
        )
    )
    assert body["FailedList"] == expected
    assert len(json.loads(body["MessageIdList"])) == 2


def test_lists_can_be_missing(signed: Signed, account: Account, now: float) -> None:
    """The key itself is missing."""
    body = body_of(judge(account, signed(), now, FaultRule(kind="ids_shape", shape="missing")))
    assert not {"FailedList", "MessageIdList"} & body.keys()


def test_some_numbers_can_fail(signed: Signed, account: Account, now: float, parameters: Any) -> None:
    """Failed and accepted numbers make up the batch."""
    numbers = [str(6581234000 + n) for n in range(200)]
    outcome = judge(account, signed(parameters(numbers)), now, FaultRule(kind="failed_share", share=0.3, seed=3))
    body = body_of(outcome)
    failed = json.loads(body["FailedList"])
    assert 30 < len(failed) < 90
    assert outcome.acceptance
    assert [*outcome.acceptance.accepted] == [number for number in numbers if number not in failed]
    assert len(json.loads(body["MessageIdList"])) == int(body["SuccessCount"]) == 200 - len(failed)


def test_the_failed_list_can_have_unknown_numbers(signed: Signed, account: Account, now: float) -> None:
    """FailedList then has numbers that weren't in the call, and all numbers of the call are accepted."""
    body = body_of(judge(account, signed(), now, FaultRule(kind="failed_foreign")))
    assert len(json.loads(body["FailedList"])) == 2
    assert not {"6581234567", "85251234567"} & {*json.loads(body["FailedList"])}
    assert body["SuccessCount"] == "2"


def test_the_count_can_be_of_half_the_numbers(signed: Signed, account: Account, now: float) -> None:
    """Nobody is in FailedList, and only the first half was accepted."""
    outcome = judge(account, signed(), now, FaultRule(kind="few_accepted"))
    body = body_of(outcome)
    assert (body["SuccessCount"], json.loads(body["FailedList"])) == ("1", [])
    assert len(json.loads(body["MessageIdList"])) == 1
    assert outcome.acceptance
    assert len(outcome.acceptance.accepted) == 1


@pytest.mark.parametrize(
    ("about", "refused"),
    [
        ({"number": "6581234567"}, True),
        ({"number": "6581234568"}, False),
        ({"numbers": ("6581234568", "85251234567")}, True),
        ({"prefix": "852"}, True),
        ({"prefix": "44"}, False),
        ({"text": "ell"}, True),
        ({"text": "Bye"}, False),
    ],
)
def test_a_code_can_be_about_some_rows(
    signed: Signed, account: Account, now: float, about: dict[str, Any], *, refused: bool
) -> None:
    """The whole call is refused for them, as the service does."""
    outcome = judge(account, signed(), now, FaultRule(kind="code:MOBILE_NUMBER_ILLEGAL", **about))
    assert outcome.answer.code == ("MOBILE_NUMBER_ILLEGAL" if refused else "OK")
    assert bool(outcome.acceptance) != refused


def test_message_ids_are_never_repeated(signed: Signed, account: Account, now: float) -> None:
    """They are digits, unique across all calls."""
    ask, ids = Judge([account], Faults()), list[str]()
    for _ in range(20):
        acceptance = ask.judge(signed(), wall=now, monotonic=1.0).acceptance
        assert acceptance
        ids.extend(acceptance.accepted.values())
    assert len(set(ids)) == 40
    assert all(each.isdigit() for each in ids)


@pytest.mark.parametrize("accept", ["application/xml", "text/xml"])
def test_an_xml_answer_is_sent_on_request(signed: Signed, account: Account, now: float, accept: str) -> None:
    """The same fields, under the root of the API page; an error under Error."""
    good = judge(account, signed(headers={"accept": accept}), now).answer
    root = ET.fromstring(good.body)  # noqa: S314 - our own XML
    assert (good.content_type, root.tag) == ("text/xml;charset=utf-8", "BatchSendMessageToGlobeResponse")
    assert len(json.loads(root.findtext("MessageIdList", ""))) == 2
    bad = judge(account, signed(headers={"accept": accept}), now, FaultRule(kind="throttle")).answer
    error = ET.fromstring(bad.body)  # noqa: S314 - our own XML
    assert (error.tag, error.findtext("Code")) == ("Error", "Throttling.User")


def test_every_field_of_a_json_answer_is_text(signed: Signed, account: Account, now: float) -> None:
    """Lists are JSON inside a text, as in the official SDK's models."""
    body = body_of(judge(account, signed(), now))
    assert {type(value) for value in body.values()} == {str}
    assert json.loads(body["FailedList"]) == []
