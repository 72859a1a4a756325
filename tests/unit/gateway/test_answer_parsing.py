"""Answers and their outcomes: documented samples, every form of a field, contradictions, and arbitrary bytes."""

import json
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tcp_server import NUMBERS

from globe_sms.tasks.gateway import CallVerdict, Outcome, parse_answer

SAMPLE_JSON = (
    r"""{ "ResponseCode": "OK", "RequestId": "F655A8D5-B967-440B-8683-DAD6FF8DE990", """
    r""""FailedList": "[\"123\",\"456\"]", "ResponseDescription": "The SMS Send Request was accepted", """
    r""""From": "Alicloud", "SuccessCount": 1, "MessageIdList": "[\"1008030300****\",\"1008030300****\"]" } """
)
SAMPLE_XML = (
    "<BatchSendMessageToGlobeResponse> <ResponseCode>OK</ResponseCode> "
    "<RequestId>F655A8D5-B967-440B-8683-DAD6FF8DE990</RequestId> "
    '<FailedList>["123","456"]</FailedList> '
    "<ResponseDescription>The SMS Send Request was accepted</ResponseDescription> <From>Alicloud</From> "
    '<SuccessCount>1</SuccessCount> <MessageIdList>["1008030300****","1008030300****"]</MessageIdList> '
    "</BatchSendMessageToGlobeResponse> "
)
IDS = ["100", "101", "102", "103"]


def _answer(fields: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> Outcome:
    return parse_answer(status, headers or {}, json.dumps(fields).encode(), NUMBERS)


def _settled(outcome: Outcome) -> list[str]:
    return sorted([number for number, _ in outcome.accepted] + [*outcome.failed, *outcome.unclear])


@pytest.mark.parametrize(
    "body", [SAMPLE_JSON, SAMPLE_XML, "\ufeff" + SAMPLE_JSON, '<?xml version="1.0"?>' + SAMPLE_XML]
)
def test_the_documented_samples_are_understood(body: str) -> None:
    """They have two ids but a count of one: the ids are kept, but not paired."""
    outcome = parse_answer(200, {}, body.encode(), ("123", "456", "789"))
    assert outcome == Outcome(
        CallVerdict.ACCEPTED,
        code="OK",
        description="The SMS Send Request was accepted",
        request_id="F655A8D5-B967-440B-8683-DAD6FF8DE990",
        accepted=(("789", None),),
        failed=("123", "456"),
        message_ids=("1008030300****", "1008030300****"),
        ids_unmatched=True,
        detail="HTTP 200, code OK",
    )


def test_the_samples_with_as_many_numbers_as_ids_are_paired() -> None:
    """Four numbers, two failed, two ids: what the sample must mean, though its masked ids look alike."""
    body = SAMPLE_JSON.replace('"SuccessCount": 1', '"SuccessCount": "2"').replace("1008030300****", "10080303001", 1)
    outcome = parse_answer(200, {}, body.encode(), ("123", "456", "789", "790"))
    assert outcome.accepted == (("789", "10080303001"), ("790", "1008030300****"))
    assert not outcome.ids_unmatched


@pytest.mark.parametrize("failed", ["[]", "", " ", None, [], "null", ...])
@pytest.mark.parametrize("count", ["4", 4, " 4 ", "", None, ...])
@pytest.mark.parametrize("ids", [json.dumps(IDS), IDS, [100, 101, 102, 103], "[100,101,102,103]"])
def test_every_form_of_a_field_means_the_same(failed: Any, count: Any, ids: Any) -> None:
    """Text or array, number or text, empty in any form, or missing."""
    fields = {"ResponseCode": "OK", "FailedList": failed, "SuccessCount": count, "MessageIdList": ids}
    outcome = _answer({name: value for name, value in fields.items() if value is not ...})
    assert outcome.verdict is CallVerdict.ACCEPTED
    assert outcome.accepted == tuple(zip(NUMBERS, IDS, strict=True))
    assert (outcome.failed, outcome.unclear, outcome.ids_unmatched) == ((), (), False)


@pytest.mark.parametrize("written", ["85261234567", "+85261234567", "0085261234567", " 85261234567 "])
def test_a_failed_number_is_found_however_it_is_written(written: str) -> None:
    """The ids belong to the other numbers, in order."""
    outcome = _answer({"ResponseCode": "OK", "FailedList": json.dumps([written]), "MessageIdList": json.dumps(IDS[:3])})
    assert outcome.failed == (NUMBERS[1],)
    assert outcome.accepted == ((NUMBERS[0], "100"), (NUMBERS[2], "101"), (NUMBERS[3], "102"))


@pytest.mark.parametrize(
    "fields",
    [
        {"MessageIdList": IDS[:3], "SuccessCount": "4"},
        {"MessageIdList": [*IDS, "104"], "SuccessCount": "4"},
        {"MessageIdList": [*IDS[:3], IDS[0]]},
        {"MessageIdList": ["100", 100, "102", "103"], "SuccessCount": "4"},
        {"MessageIdList": "not a list"},
        {"MessageIdList": ["100", None, "102", "103"]},
        {"MessageIdList": [True, True, True, True]},
        {"SuccessCount": "9" * 10_000},
        {"MessageIdList": []},
        {},
        {"SuccessCount": 4},
    ],
)
def test_ids_are_never_paired_when_there_are_too_few_or_too_many_or_one_repeats(fields: dict[str, Any]) -> None:
    """The numbers are still accepted if nothing but the ids speaks against it, and readable ids are kept.

    A list with a repeated id is one id short: from which place on it is shifted, nothing tells.
    """
    outcome = _answer({"ResponseCode": "OK"} | fields)
    assert outcome.verdict is CallVerdict.ACCEPTED
    assert outcome.accepted == tuple((number, None) for number in NUMBERS)
    assert outcome.ids_unmatched
    ids = fields.get("MessageIdList")
    assert outcome.message_ids == (
        tuple(map(str, ids)) if isinstance(ids, list) and not {None, True} & set(ids) else ()
    )


def test_an_accepted_call_may_have_only_failed_numbers() -> None:
    """A count of 0 fits."""
    outcome = _answer({"ResponseCode": "OK", "FailedList": json.dumps(NUMBERS), "SuccessCount": "0"})
    assert (outcome.verdict, outcome.failed, outcome.accepted) == (CallVerdict.ACCEPTED, NUMBERS, ())
    assert not outcome.ids_unmatched


def test_a_failed_list_with_unknown_numbers_leaves_the_rest_unclear() -> None:
    """A masked or unknown entry may be any of them."""
    fields = {"ResponseCode": "OK", "FailedList": [NUMBERS[2], "88612****"], "MessageIdList": IDS[:2]}
    outcome = _answer(fields)
    assert outcome.verdict is CallVerdict.ACCEPTED
    assert outcome.failed == (NUMBERS[2],)
    assert outcome.unclear == (NUMBERS[0], NUMBERS[1], NUMBERS[3])
    assert outcome.accepted == ()
    assert outcome.reason == "failed_list_unmatched"
    assert outcome.message_ids == ("100", "101")


@pytest.mark.parametrize("failed", [["65812****"], "65812****", {"a": 1}, 5, [[]], [True], "[", "{}"])
def test_an_unusable_failed_list_makes_the_call_unclear(failed: Any) -> None:
    """It doesn't tell which numbers weren't sent to."""
    outcome = _answer({"ResponseCode": "OK", "FailedList": failed, "MessageIdList": IDS[:3]})
    assert (outcome.verdict, outcome.unclear) == (CallVerdict.UNCLEAR, NUMBERS)
    assert outcome.reason == "failed_list_unmatched"


@pytest.mark.parametrize(
    "fields",
    [
        {"SuccessCount": 0},
        {"SuccessCount": "0", "MessageIdList": "[]"},
        {"SuccessCount": "0", "FailedList": [NUMBERS[0]]},
        {"SuccessCount": "1", "FailedList": list(NUMBERS)},
        {"MessageIdList": ["100"], "FailedList": list(NUMBERS)},
        {"SuccessCount": "2", "FailedList": "[]"},
        {"SuccessCount": "2", "MessageIdList": IDS[:2]},
        {"SuccessCount": "2", "MessageIdList": IDS},
        {"SuccessCount": "3", "MessageIdList": IDS[:3]},
        {"SuccessCount": "5", "MessageIdList": IDS},
        {"SuccessCount": "4", "MessageIdList": IDS, "FailedList": [NUMBERS[0]]},
        {"SuccessCount": "2", "MessageIdList": IDS[:2], "FailedList": [NUMBERS[0]]},
        {"MessageIdList": IDS[:3]},
        {"MessageIdList": [*IDS, "104"]},
        {"MessageIdList": IDS, "FailedList": [NUMBERS[0]]},
        {"MessageIdList": IDS[:2], "SuccessCount": "many"},
    ],
)
def test_an_ok_that_contradicts_itself_is_unclear(fields: dict[str, Any]) -> None:
    """Neither accepted nor failed is certain, for nobody of the call; the ids that are there are kept."""
    outcome = _answer({"ResponseCode": "OK"} | fields)
    assert (outcome.verdict, outcome.unclear, outcome.reason) == (CallVerdict.UNCLEAR, NUMBERS, "contradictory_answer")
    ids = fields.get("MessageIdList")
    assert outcome.message_ids == (tuple(ids) if isinstance(ids, list) else ())


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"ResponseCode": "AMOUNT_NOT_ENOUGH"}, CallVerdict.ACCOUNT),
        ({"ResponseCode": "isv.AMOUNT_NOT_ENOUGH", "SuccessCount": "0", "MessageIdList": "[]"}, CallVerdict.ACCOUNT),
        ({"ResponseCode": "SYSTEM_ERROR"}, CallVerdict.UNCLEAR),
        ({"ResponseCode": "NEVER_HEARD_OF"}, CallVerdict.UNCLEAR),
        ({"ResponseCode": "QPS_LIMIT_CONTROL"}, CallVerdict.THROTTLED),
        ({"ResponseCode": "SMS_CONTENT_ILLEGAL", "FailedList": list(NUMBERS)}, CallVerdict.CONTENT),
        ({"ResponseCode": "AMOUNT_NOT_ENOUGH", "Code": "Throttling"}, CallVerdict.ACCOUNT),
        ({"ResponseCode": "", "Code": "Throttling"}, CallVerdict.THROTTLED),
        ({"ResponseCode": None, "Code": "Throttling"}, CallVerdict.THROTTLED),
        ({"ResponseCode": ["OK"], "Code": "Throttling"}, CallVerdict.UNCLEAR),
        ({"ResponseCode": True, "Code": "Throttling"}, CallVerdict.UNCLEAR),
        ({"ResponseCode": 20}, CallVerdict.UNCLEAR),
        ({"ResponseCode": "ok"}, CallVerdict.UNCLEAR),
        ({"Code": "InvalidAccessKeyId.NotFound", "HostId": "x", "Message": "y"}, CallVerdict.ACCOUNT),
        ({"Code": "InvalidTimeStamp.Expired"}, CallVerdict.STALE),
        ({"code": "Throttling"}, CallVerdict.UNCLEAR),
    ],
)
def test_the_key_of_a_code_decides(fields: dict[str, Any], verdict: CallVerdict) -> None:
    """ResponseCode overrides Code, and the status doesn't matter for known codes."""
    for status in (200, 400, 500):
        assert _answer(fields, status=status).verdict is verdict


def test_code_ok_without_a_response_code_is_not_a_refusal() -> None:
    """The older API answers like this; here the messages may have been sent."""
    for status in (200, 400, 500):
        outcome = _answer({"Code": "OK", "SuccessCount": 2}, status=status)
        assert (outcome.verdict, outcome.unclear) == (CallVerdict.UNCLEAR, NUMBERS)


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        ("NeverHeardOf", 400, CallVerdict.CAMPAIGN),
        ("NeverHeardOf", 404, CallVerdict.CAMPAIGN),
        ("NeverHeardOf", 401, CallVerdict.ACCOUNT),
        ("NeverHeardOf", 403, CallVerdict.ACCOUNT),
        ("NeverHeardOf", 408, CallVerdict.UNCLEAR),
        ("NeverHeardOf", 429, CallVerdict.THROTTLED),
        ("Forbidden", 429, CallVerdict.THROTTLED),
        ("NeverHeardOf", 500, CallVerdict.UNCLEAR),
        ("NeverHeardOf", 200, CallVerdict.UNCLEAR),
        ("InternalError", 500, CallVerdict.UNCLEAR),
        ("ServiceUnavailable", 503, CallVerdict.UNCLEAR),
        ("InternalError", 400, CallVerdict.UNCLEAR),
    ],
)
def test_the_status_matters_only_for_429_and_unknown_gateway_codes(
    code: str, status: int, verdict: CallVerdict
) -> None:
    """For the codes missing in the documentation's tables."""
    outcome = _answer({"Code": code, "Message": "m", "RequestId": "r"}, status=status)
    assert (outcome.verdict, outcome.reason, outcome.code) == (verdict, code, code)
    assert _settled(outcome) == (sorted(NUMBERS) if verdict is CallVerdict.UNCLEAR else [])


@pytest.mark.parametrize("shape", ["ResponseCode", "Code"])
def test_a_refusal_with_an_id_for_every_number_counts_as_sent(shape: str) -> None:
    """Undocumented; a cheap guard against reporting a sent message as failed."""
    outcome = _answer({shape: "INVALID_PARAMETERS", "MessageIdList": IDS, "SuccessCount": 4}, status=400)
    assert outcome.verdict is CallVerdict.ACCEPTED
    assert outcome.accepted == tuple(zip(NUMBERS, IDS, strict=True))
    assert outcome.code == "INVALID_PARAMETERS"


@pytest.mark.parametrize("code", ["INVALID_PARAMETERS", "AMOUNT_NOT_ENOUGH", "QPS_LIMIT_CONTROL", "SYSTEM_ERROR"])
@pytest.mark.parametrize(
    "fields",
    [
        {"SuccessCount": 1},
        {"SuccessCount": "many"},
        {"SuccessCount": -1},
        {"SuccessCount": 1.5},
        {"MessageIdList": ["100"]},
        {"MessageIdList": "100"},
        {"MessageIdList": IDS, "SuccessCount": "3"},
        {"MessageIdList": IDS, "SuccessCount": "0"},
        {"MessageIdList": IDS, "SuccessCount": "many"},
        {"MessageIdList": IDS[:3], "FailedList": ["strange"]},
    ],
)
def test_a_refusal_with_any_other_sign_of_sending_is_unclear(code: str, fields: dict[str, Any]) -> None:
    """It must be neither retried nor reported as failed."""
    outcome = _answer({"ResponseCode": code} | fields)
    assert (outcome.verdict, outcome.unclear, outcome.reason) == (CallVerdict.UNCLEAR, NUMBERS, code)


@pytest.mark.parametrize("name", ["x-acs-retry-after", "X-Acs-Retry-After"])
def test_the_requested_wait_is_in_milliseconds(name: str) -> None:
    """The header sets the wait of a throttled call, and turns a refusal with a 4xx status into one."""
    for code in ("Throttling.User", "NeverHeardOf", "Forbidden"):
        outcome = _answer({"Code": code}, status=400, headers={name: "1500"})
        assert (outcome.verdict, outcome.retry_after) == (CallVerdict.THROTTLED, 1.5)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"ResponseCode": "INVALID_PARAMETERS"}, 400),
        ({"Code": "InvalidParameter"}, 200),
        ({"Code": "InvalidParameter"}, 500),
    ],
)
def test_a_wait_turns_no_other_refusal_into_a_throttled_call(fields: dict[str, Any], status: int) -> None:
    """Only the API gateway's own codes with a 4xx status, like the official SDK."""
    outcome = _answer(fields, status=status, headers={"x-acs-retry-after": "1000"})
    assert (outcome.verdict, outcome.retry_after) == (CallVerdict.CAMPAIGN, 1.0)


def test_the_longer_wait_wins() -> None:
    """The code's window is a minimum."""
    limited = {"ResponseCode": "BUSINESS_LIMIT_CONTROL_MINUTE"}
    assert _answer(limited, headers={"x-acs-retry-after": "1500"}).retry_after == 60
    assert _answer(limited, headers={"x-acs-retry-after": "90000"}).retry_after == 90


@pytest.mark.parametrize("value", ["", "0", "-5", "1.5", "soon", "٣", "9" * 40])
def test_a_wait_that_is_not_a_positive_number_is_ignored(value: str) -> None:
    """Like in the official SDK."""
    outcome = _answer({"Code": "NeverHeardOf"}, status=400, headers={"x-acs-retry-after": value})
    assert (outcome.verdict, outcome.retry_after) == (CallVerdict.CAMPAIGN, None)


@pytest.mark.parametrize(
    ("code", "status"), [("InternalError", 400), ("SYSTEM_ERROR", 400), ("NeverHeardOf", 503), ("InternalError", 500)]
)
def test_a_requested_wait_does_not_make_an_unclear_call_safe(code: str, status: int) -> None:
    """Only a refused call may be presented again."""
    outcome = _answer({"Code": code}, status=status, headers={"x-acs-retry-after": "1000"})
    assert outcome.verdict is CallVerdict.UNCLEAR


@pytest.mark.parametrize(
    "body",
    [
        "<Error><Code>Throttling</Code><Message>m</Message><RequestId>r-1</RequestId></Error>",
        '<?xml version="1.0" encoding="UTF-8"?><E><Error><Code>Throttling</Code><RequestId>r-1</RequestId></Error></E>',
        '<Error xmlns="urn:x"><Code>Throttling</Code><RequestId>r-1</RequestId></Error>',
        '<?xml version="1.0" encoding="utf-16"?><Error><Code>Throttling</Code><RequestId>r-1</RequestId></Error>',
    ],
)
def test_an_error_in_xml_is_understood(body: str) -> None:
    """A form that the official SDK still handles."""
    outcome = parse_answer(400, {}, body.encode(), NUMBERS)
    assert (outcome.verdict, outcome.code, outcome.request_id) == (CallVerdict.THROTTLED, "Throttling", "r-1")


def test_lists_as_xml_elements_are_understood() -> None:
    """A real array, as some gateways write."""
    body = (
        "<R><ResponseCode>OK</ResponseCode><FailedList><Number>6581234567</Number></FailedList>"
        "<MessageIdList><Id>1</Id><Id>2</Id><Id>3</Id></MessageIdList></R>"
    )
    outcome = parse_answer(200, {}, body.encode(), NUMBERS)
    assert outcome.failed == (NUMBERS[0],)
    assert [message_id for _, message_id in outcome.accepted] == ["1", "2", "3"]


BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;">]>'
    "<R><ResponseCode>OK</ResponseCode><RequestId>&c;</RequestId></R>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"OK"',
        b"{}",
        b'{"ResponseCode":"OK"',
        b'{"ResponseCode":"OK","MessageIdList":"[\\"1',
        b'{"Message":"no code"}',
        b"<html><body><h1>502 Bad Gateway</h1></body></html>",
        b"<!DOCTYPE html><html><body>Service Unavailable</body></html>",
        b"<R><ResponseCode>OK</ResponseCode>",
        BOMB.encode(),
        BOMB.encode("utf-16"),
        '{"ResponseCode":"OK"}'.encode("utf-16"),
        b"[" * 200_000,
        b'{"ResponseCode":' + b"[" * 200_000,
        b"<a>" * 200_000,
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b'{"ResponseCode":"OK","SuccessCount":' + b"9" * 10_000 + b"}",
        b'{"ResponseCode":"OK"}' + b" " * (4 * 1024 * 1024),
    ],
    ids=lambda body: repr(body[:40]),
)
@pytest.mark.parametrize("status", [200, 400, 502])
def test_an_answer_that_is_not_the_gateways_is_unclear(body: bytes, status: int) -> None:
    """An empty, truncated, HTML, hostile or too large body doesn't prove that nothing was sent."""
    outcome = parse_answer(status, {"x-acs-retry-after": "1000"}, body, NUMBERS)
    assert (outcome.verdict, outcome.reason, outcome.unclear) == (CallVerdict.UNCLEAR, "unreadable_answer", NUMBERS)
    assert outcome.code is None


def test_a_text_that_is_not_utf_8_damages_no_other_field() -> None:
    """Codes and ids are ASCII."""
    body = b'{"ResponseCode":"AMOUNT_NOT_ENOUGH","ResponseDescription":"\xd5\xcb\xbb\xa7"}'
    assert parse_answer(200, {}, body, NUMBERS).verdict is CallVerdict.ACCOUNT


def test_the_gateways_words_lose_their_numbers_and_line_breaks() -> None:
    """Descriptions end up in logs."""
    said = f"number +{NUMBERS[0]} is wrong\n\x1b[31m{'x' * 500}\ud800"
    outcome = _answer({"ResponseCode": "MOBILE_NUMBER_ILLEGAL", "ResponseDescription": said, "RequestId": NUMBERS[1]})
    assert outcome.description is not None
    assert outcome.description.startswith("number +65••••4567 is wrong [31mxxx")
    assert len(outcome.description) == 300
    assert outcome.request_id == "+852••••4567"
    assert outcome.description.encode()


def test_the_repr_of_an_outcome_shows_only_counts() -> None:
    """Not the numbers and ids."""
    outcome = _answer({"ResponseCode": "OK", "FailedList": [NUMBERS[0]], "MessageIdList": ["77001", "77002", "77003"]})
    for text in (repr(outcome), str(outcome), outcome.detail):
        assert not any(number in text for number in NUMBERS)
        assert "7700" not in text
    assert "accepted=<3>, failed=<1>, unclear=<0>" in repr(outcome)


# Hypothesis: no answer raises an exception, and no number is lost or counted twice.

CODES = st.sampled_from(
    [
        "OK",
        "OK",
        "OK",
        "SYSTEM_ERROR",
        "AMOUNT_NOT_ENOUGH",
        "QPS_LIMIT_CONTROL",
        "isv.INVALID_PARAMETERS",
        "X",
        "Throttling",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(NUMBERS)
ENTRIES = st.sampled_from([*NUMBERS, *(f"+{n}" for n in NUMBERS), *(f"00{n}" for n in NUMBERS)]) | SCALARS
LISTS = st.lists(ENTRIES, max_size=6)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "ResponseCode": CODES | SCALARS,
        "Code": CODES | SCALARS,
        "FailedList": LISTS | LISTS.map(json.dumps) | SCALARS,
        "MessageIdList": st.lists(st.text("0123456789", min_size=1, max_size=9), max_size=6) | LISTS | SCALARS,
        "SuccessCount": st.integers(-1, 5) | st.integers(0, 5).map(str) | SCALARS,
        "RequestId": SCALARS,
        "ResponseDescription": SCALARS,
        "Message": SCALARS,
    },
)
STATUSES = st.sampled_from([200, 302, 400, 403, 429, 500, 502, 503])
HEADERS = st.just({}) | st.fixed_dictionaries({"x-acs-retry-after": st.text("0123456789", max_size=6)})
SETTLES = {CallVerdict.ACCEPTED, CallVerdict.UNCLEAR}


def _check(outcome: Outcome) -> None:
    assert _settled(outcome) == (sorted(NUMBERS) if outcome.verdict in SETTLES else [])
    for text in (repr(outcome), outcome.detail, outcome.reason, outcome.advice, outcome.description or ""):
        assert not any(number in text for number in NUMBERS)
        text.encode()
    if outcome.verdict is CallVerdict.ACCEPTED:
        ids = [message_id for _, message_id in outcome.accepted if message_id is not None]
        assert ids in ([], list(outcome.message_ids))
        assert not (ids and outcome.ids_unmatched)


@settings(max_examples=200, deadline=None)
@given(STATUSES, HEADERS, FIELDS)
def test_no_json_answer_raises_or_loses_a_number(status: int, headers: dict[str, str], fields: dict[str, Any]) -> None:
    """Accepted, failed and unclear numbers together are the call's numbers, each once."""
    _check(parse_answer(status, headers, json.dumps(fields).encode(), NUMBERS))


@settings(max_examples=150, deadline=None)
@given(STATUSES, FIELDS)
def test_no_xml_answer_raises_or_loses_a_number(status: int, fields: dict[str, Any]) -> None:
    """The same through the other parser, including characters that XML can't hold."""
    inside = "".join(
        f"<{name}>{escape(value if isinstance(value, str) else json.dumps(value))}</{name}>"
        for name, value in fields.items()
    )
    body = f"<BatchSendMessageToGlobeResponse>{inside}</BatchSendMessageToGlobeResponse>"
    _check(parse_answer(status, {}, body.encode("utf-8", "replace"), NUMBERS))


@settings(max_examples=150, deadline=None)
@given(
    STATUSES,
    st.binary(max_size=200)
    | st.sampled_from([SAMPLE_JSON, SAMPLE_XML]).flatmap(
        lambda sample: st.integers(0, len(sample)).map(lambda cut: sample[:cut].encode())
    ),
)
def test_no_bytes_raise_or_lose_a_number(status: int, body: bytes) -> None:
    """Noise, and the samples truncated anywhere."""
    _check(parse_answer(status, {}, body, NUMBERS))


@settings(max_examples=150, deadline=None)
@given(st.sets(st.integers(0, 3)), st.data())
def test_a_consistent_answer_pairs_every_id_with_its_number(failed: set[int], data: st.DataObject) -> None:
    """However the failed numbers are listed, the other numbers get the ids in the order of the call."""
    listed = data.draw(st.permutations([NUMBERS[index] for index in failed]))
    remaining = [number for index, number in enumerate(NUMBERS) if index not in failed]
    ids = [f"id-{number}" for number in remaining]
    outcome = _answer(
        {"ResponseCode": "OK", "FailedList": listed, "MessageIdList": ids, "SuccessCount": str(len(remaining))}
    )
    assert outcome.accepted == tuple(zip(remaining, ids, strict=True))
    assert set(outcome.failed) == set(listed)
    assert not outcome.ids_unmatched
