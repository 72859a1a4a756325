"""The gateway's verdict on one call, without any I/O: door, rate, checks, faults, acceptance, answer."""

import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from deployments.sandbox import answers, wire
from deployments.sandbox.answers import Acceptance, Answer, Shape
from deployments.sandbox.checks import Batch, check
from deployments.sandbox.faults import FaultRule, Faults
from deployments.sandbox.refusals import Refusal, RefusedError, business_refusal, gateway_refusal, missing
from deployments.sandbox.settings import Account
from deployments.sandbox.signature import Call, Door
from deployments.sandbox.window import SlidingWindow

_QUERIES_PER_SECOND = 300
_FORM = "application/x-www-form-urlencoded"


class Ending(Enum):
    """How the connection ends; SEND is the honest one."""

    SEND = auto()
    CLOSE = auto()
    RESET = auto()
    HANG = auto()
    TRUNCATE = auto()


_ENDINGS = {
    "accept_then_drop": Ending.CLOSE,
    "drop_before": Ending.CLOSE,
    "reset": Ending.RESET,
    "hang": Ending.HANG,
    "truncate": Ending.TRUNCATE,
}
_REFUSING = {
    "throttle": "Throttling.User",
    "nonce_used": "SignatureNonceUsed",
    "clock": "InvalidTimeStamp.Expired",
    "http_500": "InternalError",
    "http_503": "ServiceUnavailable",
}
_TURNED_AWAY = {"throttle", "nonce_used", "clock"}
_LISTS = {
    "both": frozenset({"MessageIdList", "FailedList"}),
    "failed": frozenset({"FailedList"}),
    "ids": frozenset({"MessageIdList"}),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one call."""

    key_id: str
    answer: Answer
    request_id: str
    admitted: bool = False
    batch: Batch | None = None
    acceptance: Acceptance | None = None
    fault: str | None = None
    ending: Ending = Ending.SEND


class Judge:
    """Holds what the gateway remembers: nonces, windows, rules, MessageIds. Not thread-safe."""

    def __init__(self, accounts: Sequence[Account], faults: Faults) -> None:
        self._door = Door(accounts)
        self._windows = {account.key_id: SlidingWindow(account.calls_per_second) for account in accounts}
        self._queries = {account.key_id: SlidingWindow(_QUERIES_PER_SECOND) for account in accounts}
        self._faults = faults
        # A restarted gateway must not give an id twice, so the ids begin with the time of the start.
        self._message_ids = itertools.count(time.time_ns() // 1_000 * 1_000)

    def judge(self, call: Call, *, wall: float, monotonic: float) -> Outcome:
        """Decide on a call whose headers came at `wall` (seconds since the epoch) and `monotonic`."""
        request, xml = answers.request_id(), answers.wants_xml(call.header("accept"))
        try:
            account, query = self._door.admit(call, now=wall)
        except RefusedError as error:
            return Outcome(call.claimed_key_id, answers.refused(error.refusal, request, xml=xml), request)
        window = self._windows[account.key_id]
        batch: Batch | None = None
        refusal: Refusal | None = None
        try:
            batch = check(_parameters(call, query), account)
        except RefusedError as error:
            refusal = error.refusal
        if not window.has_room(monotonic):
            if account.count_refused:
                window.take(monotonic)
            answer = answers.refused(_throttled(account), request, xml=xml)
            return Outcome(account.key_id, answer, request, batch=batch)
        drawn = self._faults.draw(batch.numbers if batch else [], account.key_id)
        rule, dice = drawn or (None, random.Random(0))
        turned_away = rule is not None and rule.kind in _TURNED_AWAY
        if not turned_away:
            window.take(monotonic)
        acceptance = self._accept(batch, rule, dice) if batch and (rule is None or rule.accepts) else None
        return Outcome(
            account.key_id,
            _answer(rule, acceptance, refusal, request, xml=xml),
            request,
            admitted=not turned_away,
            batch=batch,
            acceptance=acceptance,
            fault=rule.kind if rule else None,
            ending=_ENDINGS.get(rule.kind, Ending.SEND) if rule else Ending.SEND,
        )

    def query(self, call: Call, *, wall: float, monotonic: float) -> Answer:
        """Answer `QueryMessage`, which asks for one message by its id: the sandbox keeps none."""
        request, xml = answers.request_id(), answers.wants_xml(call.header("accept"))
        try:
            refusal = self._query(call, wall=wall, monotonic=monotonic)
        except RefusedError as error:
            refusal = error.refusal
        return answers.query_refused(refusal, request, xml=xml)

    def _query(self, call: Call, *, wall: float, monotonic: float) -> Refusal:
        account, query = self._door.admit(call, now=wall)
        parameters = _parameters(call, query)
        if "MessageId" not in parameters:
            return missing("MessageId")
        if len(parameters) > 1:
            return gateway_refusal("InvalidParameter", "Only MessageId is known.")
        window = self._queries[account.key_id]
        if not window.has_room(monotonic):
            return gateway_refusal("Throttling.User")
        window.take(monotonic)
        return business_refusal("DATA_NOT_EXIST" if parameters["MessageId"].isdigit() else "INVALID_PARAMETERS")

    def _accept(self, batch: Batch, rule: FaultRule | None, dice: random.Random) -> Acceptance:
        failed = batch.impossible
        if rule is not None and rule.kind == "failed_share":
            failed |= {number for number in batch.numbers if dice.random() < rule.share}
        # zip takes a number first, so that no id is spent on the end of the list
        good = (number for number in batch.numbers if number not in failed)
        accepted = {number: str(message_id) for number, message_id in zip(good, self._message_ids, strict=False)}
        return Acceptance(batch.sender, accepted, tuple(number for number in batch.numbers if number in failed))


def _parameters(call: Call, query: dict[str, str]) -> dict[str, str]:
    if not call.body:
        return query
    media_type = call.header("content-type").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise RefusedError(gateway_refusal("InvalidParameter", f"A body must be {_FORM}."))
    form = wire.pairs(call.body)
    if form.keys() & query.keys():
        raise RefusedError(gateway_refusal("InvalidParameter", "A parameter stands in the query and in the body."))
    return query | form


def _throttled(account: Account) -> Refusal:
    if account.throttle_as == "business":
        return business_refusal("QPS_LIMIT_CONTROL")
    refusal = gateway_refusal("Throttling.User")
    return Refusal(refusal.code, refusal.message, refusal.status, account.retry_after_ms)


def _answer(
    rule: FaultRule | None, acceptance: Acceptance | None, refusal: Refusal | None, request: str, *, xml: bool
) -> Answer:
    if rule is not None:
        ordered = _ordered_refusal(rule)
        if ordered is not None:
            return answers.refused(ordered, request, xml=xml)
        if rule.kind == "html_502":
            return answers.bad_gateway()
    if acceptance is None:
        return answers.refused(refusal or gateway_refusal("ServiceUnavailable"), request, xml=xml)
    if rule is None:
        return answers.accepted(acceptance, request, Shape(), xml=xml)
    honest = answers.accepted(acceptance, request, _shape(rule, acceptance), xml=xml)
    bodies = {"broken_json": honest.body[: len(honest.body) // 2], "empty_body": b""}
    body = bodies.get(rule.kind, honest.body)
    return Answer(honest.code, honest.status, honest.content_type, body)


def _ordered_refusal(rule: FaultRule) -> Refusal | None:
    kind, _, rest = rule.kind.partition(":")
    if kind == "code":
        return business_refusal(rest)
    if kind == "gateway_code":
        code, _, status = rest.partition(":")
        refusal = gateway_refusal(code, status=int(status))
    elif kind in _REFUSING:
        refusal = gateway_refusal(_REFUSING[kind])
    else:
        return None
    return Refusal(refusal.code, refusal.message, refusal.status, rule.retry_after_ms)


def _shape(rule: FaultRule, acceptance: Acceptance) -> Shape:
    ids = tuple(acceptance.accepted.values())
    match rule.kind:
        case "few_ids":
            return Shape(ids=ids[:-1])
        case "many_ids":
            return Shape(ids=(*ids, "9" + (ids[-1] if ids else "0")))
        case "no_ids":
            return Shape(ids=())
        case "ids_shape":
            return Shape(lists=rule.shape, which=_LISTS[rule.lists])
        case "failed_foreign":
            known = {*acceptance.accepted, *acceptance.failed}
            strangers = (str(number) for number in itertools.count(99_900_000_000))
            return Shape(failed=tuple(itertools.islice((n for n in strangers if n not in known), 2)))
        case _:
            return Shape()
